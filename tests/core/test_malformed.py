"""Damaged captures of every kind: both cores say the same, keep what came before the damage, and stay in bounds. Bombs
and captures of many megabytes are read by `python -m tests.reliability.malformed`.
"""

from __future__ import annotations

import random
import struct

import pytest

from tests.core.captures import RAW_IPV4, Talk, block, enhanced, interface, section
from tests.core.conftest import needs_compiled
from tests.reliability.damaged_captures import DamagedCapture, corpus

SMALL = [case for case in corpus() if not case.holds_bytes]
TALK = Talk()


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_a_damaged_capture_tells_what_came_before_and_why_it_stopped(engine, case: DamagedCapture):
    content = case.make()
    if case.refused:
        with pytest.raises(engine.module.CaptureError) as caught:
            engine.core().attach(engine.file(content))
        assert not case.error or caught.value.reason == case.error
        return
    end = engine.bytes(content).end
    assert (end.packets, end.error or "") == (case.packets, case.error)
    assert case.error == "decompression" or 0 <= end.offset <= len(content)


def test_interfaces_of_a_section_are_bounded(engine):
    packet = enhanced(1, TALK.data(0, 0, b'{"x":1}\n'), number=65_535)
    most = section() + interface(0) * 65_535 + interface(RAW_IPV4) + packet
    assert engine.bytes(most).end[1:4] == (1, None, len(most))
    assert engine.bytes(most + interface() + packet).end[1:4] == (1, "too many interfaces", len(most))
    again = most + section() + interface() + enhanced(1, TALK.data(0, 8, b'{"x":2}\n'))
    assert engine.bytes(again).end[1:4] == (2, None, len(again))


@needs_compiled
def test_both_cores_stop_at_the_same_block_whatever_its_length(engine_named):
    rng = random.Random("blocks")
    cores = [engine_named(name) for name in ("reference", "compiled")]
    start = section() + interface() + enhanced(1, TALK.data(0, 0, b'{"x":1}\n'))
    for _ in range(150):
        kind = rng.choice((1, 2, 3, 5, 6, 0x0A0D0D0A))
        body = bytearray(rng.choice((bytes(64), rng.randbytes(64)))[: 4 * rng.randrange(17)])
        if kind == 0x0A0D0D0A and rng.random() < 0.8:
            body[:4] = struct.pack(rng.choice("<>") + "I", 0x1A2B3C4D)
        content = start + block(kind, bytes(body), rng.choice("<<<>")) + enhanced(2, TALK.data(0, 8, b'{"x":2}\n'))
        first, second = (core.bytes(content) for core in cores)
        assert first.end[1:4] == second.end[1:4], content.hex()
