"""The daemon on a cable in a namespace: what it finds is what a replay finds, interfaces may vanish, and a hung
thread is noticed.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import dpkt
import pytest

from tests.core.conftest import compiled_is_there
from tests.daemon.sensor import running
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


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_found_on_the_wire_is_what_a_replay_finds(engine: str, net: Net, demo: Path, tmp_path: Path) -> None:
    with running(tmp_path, listening(engine)) as sensor:
        sensor.ready()
        play(net, demo)
        sensor.until(lambda: len(sensor.findings()) == 8)
        assert sensor.end()[0] == 0
        if engine == "compiled":  # the other one may lose a share or two on a busy machine, and no miner
            assert kept(sensor) == replayed(demo)
        assert set(kept(sensor)) == set(replayed(demo))
        flows = {
            flow["community_id"]
            for one in sensor.events()
            if one["event_type"] == "mining"
            for flow in one["mining"]["flows"]
        }
        assert len(flows) >= 8
        assert {one["in_iface"] for one in sensor.events()} == {"b0"}


def test_an_interface_that_is_deleted_and_made_again_is_heard_again(net: Net, demo: Path, tmp_path: Path) -> None:
    with running(tmp_path, listening("compiled")) as sensor:
        sensor.ready()
        ip("link", "set", "b0", "down")
        time.sleep(0.5)
        ip("link", "set", "b0", "up")
        net.settle()
        ip("link", "del", "a0")
        sensor.until(lambda: "b0: interface deleted" in sensor.said)
        net.cable(0)
        sensor.until(lambda: "b0: is back" in sensor.said)
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
