"""Lines that do not end cost memory for each connection that sends one, never for their length."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.long_lines import make, measured

#: What two runs of the same capture may differ by.
NOISE_MB = 6


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_memory_does_not_grow_with_the_length_of_endless_lines(engine: str, tmp_path: Path) -> None:
    peaks_mb = []
    for line_bytes in (500_000, 4_000_000):
        make(tmp_path / "lines.pcap", 4, 400_000, 2, line_bytes)
        printed = measured(tmp_path / "lines.pcap", engine)
        assert "shares [(4, 4)]" in printed
        found = re.search(r"peak RSS (\d+) MB", printed)
        assert found
        peaks_mb.append(int(found[1]))
    assert peaks_mb[1] - peaks_mb[0] <= NOISE_MB
