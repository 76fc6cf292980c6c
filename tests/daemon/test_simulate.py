"""Faults on purpose: each is what it says, the sensor says so while it lasts, and a unit has none."""

from __future__ import annotations

import itertools
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sensor.cli.status import ask
from sensor.daemon.simulate import FAULTS, Fault, SimulateError, Simulation, read_faults
from sensor.model.events import Chunk, Event
from tests.daemon.sensor import WORDS, Sensor, reading, running
from tests.delivery.receivers import free_port


class Pieces:
    """A core that hands out a thousand pieces of one stream."""

    def __init__(self) -> None:
        self._chunks: list[Event] = [Chunk(1, at, 0, 10 * at, 0, b"0123456789") for at in range(1_000)]

    def poll(self, most: int, _timeout_ms: int) -> Sequence[Event]:
        events, self._chunks = self._chunks[:most], self._chunks[most:]
        return events

    def stats(self) -> dict[str, int]:
        return {"packets": 1}


def chunks(*faults: str) -> list[Chunk]:
    core: Any = read_faults(faults, {}).core(Pieces())  # type: ignore[arg-type]
    assert core.stats() == {"packets": 1}
    return [event for _ in range(20) for event in core.poll(100, 0) if isinstance(event, Chunk)]


def test_what_is_lost_is_a_gap_of_the_next_piece() -> None:
    left = chunks("loss=0.1")
    assert 850 < len(left) < 950
    assert all(after.offset == before.offset + 10 + after.gap for before, after in itertools.pairwise(left))
    assert left == chunks("loss=0.1")


def test_what_is_damaged_is_as_long_as_before() -> None:
    pieces = chunks("parser-error=0.1")
    assert 50 < sum(piece.data == b"\xff" * 10 for piece in pieces) < 150
    assert len(pieces) == 1_000


def test_without_a_fault_everything_passes_as_it_is() -> None:
    core: Any = Pieces()
    assert Simulation().core(core) is core
    assert Simulation().limits({"flows": 10}) == {"flows": 10}
    assert read_faults(["memcap=100"], {}).limits({"flows": 9_999, "workers": 2})["flows"] == 100


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_begins_and_ends(name: str) -> None:
    (fault,) = read_faults([name if name == "memcap" else f"{name}=2.5@3-7"], {}).faults
    if name != "memcap":
        assert fault == Fault(f"{name}=2.5@3-7", name, 2.5, 3.0, 7.0)


@pytest.mark.parametrize("text", ["nonsense", "loss=much", "memcap@5", "loss@-1", "", "loss=1,memcap"])
def test_what_is_no_fault_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(SimulateError, match=r"--simulate"):
        read_faults([text], {})


def test_a_unit_of_systemd_has_no_faults() -> None:
    for environment in ({"SYSTEMD_EXEC_PID": str(os.getpid())}, {"SYSTEMD_EXEC_PID": str(os.getpid()), "X": "y"}):
        with pytest.raises(SimulateError, match="refused in a unit of systemd"):
            read_faults(["loss"], environment)
        assert not read_faults([], environment).faults
    shell = {"SYSTEMD_EXEC_PID": str(os.getpid() + 1), "INVOCATION_ID": "of the terminal"}
    assert read_faults(["loss"], shell).faults


def simulating(monkeypatch: pytest.MonkeyPatch, *faults: str) -> None:
    words = [word for fault in faults for word in ("--simulate", fault)]
    monkeypatch.setattr("tests.daemon.sensor.WORDS", [*WORDS[:-1], *words, WORDS[-1]])


def troubles(sensor: Sensor) -> list[str]:
    return list(ask(sensor.folder / "sensor-of-a-test.sock")["troubles"])


def test_a_full_disk_and_receivers_that_are_away_are_made_up_for(
    tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    config = reading(tmp_path)
    config["exporters"]["prometheus"] = {"listen": f"127.0.0.1:{port}"}
    (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())
    simulating(monkeypatch, "disk-full@1-12", "sink-down@1-16")

    def get(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    with running(tmp_path, config) as sensor:
        sensor.ready()
        sensor.until(lambda: 'simulated="disk-full,sink-down"' in get("/metrics"))
        assert "simulated: " in get("/healthz")
        sensor.until(lambda: any("the disk is full" in text for text in troubles(sensor)), 40)
        assert any(text.startswith("simulated: sink-down@1-16") for text in troubles(sensor))
        sensor.until(lambda: len(sensor.findings()) == 8, 60)
        sensor.until(lambda: len({one["mining"]["finding_id"] for one in sensor.events() if "mining" in one}) == 8, 60)
        sensor.until(lambda: get("/healthz") == "ok\n", 60)
        assert 'simulated=""' in get("/metrics")
        assert sensor.end()[0] == 0
    assert "simulated: disk-full@1-12: the disk of the ledger" in sensor.said


def test_a_thread_of_the_core_that_dies_ends_the_sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulating(monkeypatch, "worker-panic@1")
    with running(tmp_path, reading(tmp_path)) as sensor:
        assert sensor.process.wait(30) == 1
        assert "the core stopped: simulated" in sensor.said


def test_a_clock_that_steps_ends_nothing(tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour forward and back again: no stage counts as standing still, and everything is found."""
    simulating(monkeypatch, "clock-step=3600@2-4")
    with running(tmp_path, reading(tmp_path)) as sensor:
        sensor.ready()
        sensor.until(lambda: ask(sensor.folder / "sensor-of-a-test.sock")["uptime_seconds"] > 3_600)
        sensor.until(lambda: ask(sensor.folder / "sensor-of-a-test.sock")["uptime_seconds"] < 3_600)
        (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())
        sensor.until(lambda: len(sensor.findings()) == 8, 60)
        assert sensor.end()[0] == 0
    assert "has not moved" not in sensor.said
