"""What a packet costs the compiled core in instructions stays within a bound, whatever the machine does beside it."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.bench import instructions
from tests.bench.captures import MIXED, SMALL, Shape
from tests.bench.instructions import count, cut, why_not

#: Fewer than the bench cuts, for the time it takes; what begins and ends a run weighs more in them.
PACKETS = 50_000
#: 1,440 and 1,154 on x86-64 with AVX2, by rustc 1.95, the same in every run; another compiler may need a tenth more.
BOUNDS = {"mixed": 1_580, "small-packets": 1_270}

WHY_NOT = why_not() or (None if platform.machine() == "x86_64" else "the bounds are of x86-64")


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
@pytest.mark.parametrize("shape", [MIXED, SMALL], ids=lambda shape: shape.name)
def test_a_packet_takes_no_more_instructions_than_it_did(
    shape: Shape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instructions, "FOLDER", tmp_path)
    counted = count(cut(shape, PACKETS))
    assert counted.packets == PACKETS
    assert 100 < counted.a_packet <= BOUNDS[shape.name], f"{counted.a_packet:,.0f} instructions a packet"
