"""A capture that began before its sensor's clock was set: the part of a time that cannot be changes nothing else."""

from __future__ import annotations

from pathlib import Path

import dpkt
import pytest

from tests.cli.conftest import Run
from tests.demo.miners import Counts

DAYS_56_YEARS = 56 * 365 * 86_400


def written(path: Path, frames: list[tuple[float, bytes]]) -> Path:
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for ts, frame in frames:
            writer.writepkt(frame, ts=ts)
    return path


def ledger(run: Run, capture: Path, engine: str) -> tuple[bytes, bytes]:
    """The ledger's cases and rows after it was read."""
    url = f"sqlite:///{capture.with_suffix('.db')}"
    done = run("replay", "--quiet", "--engine", engine, "--ledger", url, capture)
    assert done.returncode == 0, done.stderr
    listed, exported = run("ledger", "list", "--json", "--ledger", url), run("ledger", "export", "--ledger", url)
    assert (listed.returncode, exported.returncode) == (0, 0), listed.stderr + exported.stderr
    return listed.stdout, exported.stdout


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_packets_of_1970_before_the_clock_was_set_change_nothing(
    run: Run, tmp_path: Path, demo: tuple[Path, dict[str, Counts]], engine: str
) -> None:
    with demo[0].open("rb") as file:
        frames = list(dpkt.pcap.Reader(file))
    late = frames[len(frames) // 3 :]
    early = [(ts - DAYS_56_YEARS, frame) for ts, frame in frames[: len(frames) // 3]]
    alone, mixed = written(tmp_path / "alone.pcap", late), written(tmp_path / "mixed.pcap", early + late)
    assert ledger(run, mixed, engine) == ledger(run, alone, engine)
