"""Lines that do not end cost memory for each connection that sends one, never for their length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.long_lines import make, measured

#: What two runs of the same capture may differ by.
NOISE_MB = 6
#: Two such lines fill the blocks that the capture is read into, which take 7 MB, so that the blocks are in both peaks.
SHORT_BYTES, LONG_BYTES = 4_000_000, 12_000_000


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("lines")
    paths = [folder / f"{line_bytes}.pcap" for line_bytes in (SHORT_BYTES, LONG_BYTES)]
    for path, line_bytes in zip(paths, (SHORT_BYTES, LONG_BYTES), strict=True):
        make(path, 4, 400_000, 2, line_bytes)
    return paths


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_memory_does_not_grow_with_the_length_of_endless_lines(engine: str, captures: list[Path]) -> None:
    peaks_mb = []
    for path in captures:
        printed = measured(path, engine)
        assert "shares [(4, 4)]" in printed
        found = re.search(r"peak RSS (\d+) MB", printed)
        assert found
        peaks_mb.append(int(found[1]))
    assert peaks_mb[1] - peaks_mb[0] <= NOISE_MB
