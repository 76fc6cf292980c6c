"""The daemon on a cable in a namespace: what it finds is what a replay finds, interfaces may vanish, and a hung
thread is noticed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dpkt
import pytest

from sensor.cli.status import ask
from tests.core.conftest import compiled_is_there
from tests.daemon.sensor import ROOT, running
from tests.daemon.test_daemon import kept, replayed
from tests.live.conftest import Net, ip

ENGINES = ["compiled", "reference"]


def listening(engine: str, **more: Any) -> dict[str, Any]:
    if engine == "compiled" and not compiled_is_there():
        pytest.skip("the compiled core is not built")
    return {
        "engine": engine,
        "sensor_id": "sensor-of-a-test",
        "capture": {"interfaces": [{"name": "b0"}]},
        "ledger": {"url": "sqlite:///ledger.db"},
        "exporters": {"eve": {"path": "eve.json"}},
        **more,
    }


def frames(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [data for _, data in dpkt.pcap.Reader(file)]


def play(net: Net, path: Path, into: str = "a0") -> None:
    """Slowly enough for the slow engine: a few thousand packets a second."""
    all_frames = frames(path)
    for at in range(0, len(all_frames), 50):
        net.send(all_frames[at : at + 50], into)
        time.sleep(0.02)


def unproven(findings: dict[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """Without what was proven: work of another time than now proves nothing."""
    return {name: ("accepted" if grade == "verified" else grade, shares) for name, (grade, shares) in findings.items()}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_found_on_the_wire_is_what_a_replay_finds(engine: str, net: Net, demo: Path, tmp_path: Path) -> None:
    with running(tmp_path, listening(engine)) as sensor:
        sensor.ready()
        play(net, demo)
        sensor.until(lambda: len(sensor.findings()) == 8)
        assert sensor.end()[0] == 0
        if engine == "compiled":  # the other one may lose a share or two on a busy machine, and no miner
            assert unproven(kept(sensor)) == unproven(replayed(demo))
        assert set(kept(sensor)) == set(replayed(demo))
        flows = {
            flow["community_id"]
            for one in sensor.events()
            if one["event_type"] == "mining"
            for flow in one["mining"]["flows"]
        }
        assert len(flows) >= 8
        assert {one["in_iface"] for one in sensor.events()} == {"b0"}


@pytest.mark.parametrize("fault", ["", "no-fanout"])
def test_workers_with_a_queue_each_find_the_same_and_it_is_said_where_there_are_none(
    fault: str, net: Net, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINEWATCH_FAULT", fault)
    capture = {"interfaces": [{"name": "b0"}], "ring_bytes": 32 << 20, "cpus": [min(os.sched_getaffinity(0))]}
    with running(tmp_path, listening("compiled", workers=3, capture=capture)) as sensor:
        sensor.ready()
        play(net, demo)
        sensor.until(lambda: len(sensor.findings()) == 8)
        assert sensor.end()[0] == 0
        assert unproven(kept(sensor)) == unproven(replayed(demo))
        assert ("interface b0: its packets are not spread over the workers" in sensor.said) == bool(fault)
        assert "could be bound" not in sensor.said


def test_threads_that_cannot_be_bound_to_a_processor_are_told_once(net: Net, demo: Path, tmp_path: Path) -> None:
    capture = {"interfaces": [{"name": "b0"}], "cpus": [1_000]}  # there is none of this number
    with running(tmp_path, listening("compiled", workers=2, capture=capture)) as sensor:
        sensor.ready()
        play(net, demo)
        sensor.until(lambda: len(sensor.findings()) == 8)
        sensor.until(lambda: "could be bound" in sensor.said)
        assert sensor.end()[0] == 0
        told = "interface b0: not all threads that read it could be bound to the processors of capture.cpus"
        assert sensor.said.count(told) == 1


def test_without_any_configuration_what_is_found_is_shown_and_the_end_sums_it_up(
    net: Net, demo: Path, tmp_path: Path
) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "RUNTIME_DIRECTORY": str(tmp_path)}
    words = [sys.executable, "-m", "sensor.cli", "-i", "b0", "--set", f"ledger.url=sqlite:///{tmp_path}/l.db"]
    output, errors = tmp_path / "output", tmp_path / "errors"
    with output.open("w") as out, errors.open("w") as err:
        process = subprocess.Popen(
            [*words, "--set", "sensor_id=here", "--slow"], env=variables, stdout=out, stderr=err, cwd=tmp_path
        )
    try:
        until(lambda: (tmp_path / "here.sock").exists(), process, errors)
        play(net, demo)
        until(lambda: output.read_text().count(" new ") >= 8, process, errors)
        (status,) = [ask(path) for path in tmp_path.glob("*.sock")]
        assert status["findings"]["open"] + status["findings"]["suppressed"] > 0
        assert status["capture"]["interfaces"]["b0"]["up"] == 1
        assert 0 < status["coverage"]["watched_seconds"] < 100
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
    assert "Mining: 8 findings" in output.read_text()
    journal = errors.read_text()
    for beginning in (
        "starts as sensor here",
        "interface b0:",
        "signatures:",
        "tables:",
        "books: none",
        "ledger: sqlite",
    ):
        assert beginning in journal
    assert "exporters: none is configured; findings are kept in the ledger and told to nobody" in journal
    assert "minewatch: stopped: " in journal
    assert "is down" not in journal


def until(enough: Callable[[], object], process: subprocess.Popen[bytes], errors: Path, seconds: float = 20.0) -> None:
    last = time.monotonic() + seconds
    while not enough():
        assert process.poll() is None, errors.read_text()
        assert time.monotonic() < last, errors.read_text()
        time.sleep(0.05)


def test_an_interface_that_is_deleted_and_made_again_is_heard_again(net: Net, demo: Path, tmp_path: Path) -> None:
    with running(tmp_path, listening("compiled")) as sensor:
        sensor.ready()
        ip("link", "set", "b0", "down")
        time.sleep(0.5)
        ip("link", "set", "b0", "up")
        net.settle()
        ip("link", "del", "a0")
        gone = "b0 is gone; it is attached again as soon as it is back"
        sensor.until(lambda: gone in sensor.said)
        net.cable(0)
        sensor.until(lambda: any(line.endswith(gone) and "over after" in line for line in sensor.said.splitlines()))
        play(net, demo)
        sensor.until(lambda: len(sensor.findings()) == 8)
        assert sensor.end()[0] == 0


def test_a_thread_that_hangs_ends_the_feeding_of_the_watchdog(net: Net, tmp_path: Path) -> None:  # noqa: ARG001
    with running(tmp_path, listening("compiled"), MINEWATCH_FAULT="worker-hangs", WATCHDOG_USEC="4000000") as sensor:
        sensor.ready()
        time.sleep(6)
        before = sensor.notified.read().count("WATCHDOG=1")
        time.sleep(3)
        assert sensor.notified.read().count("WATCHDOG=1") == before


def test_a_full_disk_stops_nothing_and_loses_nothing(net: Net, demo: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False, capture_output=True
    ).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        config = listening("compiled", ledger={"url": f"sqlite:///{small}/ledger.db"})
        with running(tmp_path, config) as sensor:
            sensor.ready()
            fill(small)
            play(net, demo)
            time.sleep(2)
            assert sensor.process.poll() is None
            assert sensor.events() == []
            (small / "ballast").unlink()
            sensor.until(lambda: len([one for one in sensor.events() if one["event_type"] == "mining"]) >= 8, 40)
            assert sensor.end()[0] == 0
    finally:
        subprocess.run(["umount", str(small)], check=False)
    found = {one["mining"]["finding_id"] for one in sensor.events() if one["event_type"] == "mining"}
    assert found == set(replayed(demo))


def fill(folder: Path) -> None:
    """Leave no room at all."""
    with (folder / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4_096)
    assert shutil.disk_usage(folder).free < 4_096
