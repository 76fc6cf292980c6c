"""An emergency is told once when it begins and once when it is over, whatever flaps and whatever restarts meanwhile."""

from __future__ import annotations

import signal
import urllib.request
from pathlib import Path

import pytest

from sensor.cli.status import ask
from sensor.daemon.emergency import OF_CORE, OF_LINE, EmergencyWatch
from sensor.model.condition import CALM_NS, CAUSES, Condition
from sensor.model.time import SECOND_NS
from sensor.reference.counters import NAMES
from tests.daemon.sensor import Sensor, reading, running
from tests.daemon.test_simulate import simulating
from tests.delivery.receivers import free_port

NOW = 1_800_000_000 * SECOND_NS
CALM_S = CALM_NS // SECOND_NS


class Run:
    """A watch whose counters and clocks a test moves."""

    def __init__(self, before: Condition | None = None, start_s: int = 0) -> None:
        self.second = start_s
        self.counts: dict[str, int] = {}
        self.watch = EmergencyWatch("edge-1", before, 0)
        self.start_s = start_s
        self.told: list[Condition] = []

    def seconds(self, number: int, counter: str = "", every: int = 1) -> None:
        """So many seconds pass, in which a counter rises every few of them."""
        for _ in range(number):
            self.second += 1
            if counter and self.second % every == 0:
                self.counts[counter] = self.counts.get(counter, 0) + 3
            now_ns, ticks_ns = NOW + self.second * SECOND_NS, (self.second - self.start_s) * SECOND_NS
            self.told += self.watch.step(self.counts, self.counts, now_ns, ticks_ns)

    @property
    def is_strained(self) -> bool:
        return any(self.watch.causes((self.second - self.start_s) * SECOND_NS).values())

    @property
    def states(self) -> list[str]:
        """States as the ledger makes events of them: one told again is none."""
        return [one.state for at, one in enumerate(self.told) if not at or self.told[at - 1].state != one.state]


@pytest.mark.parametrize("counter", [*OF_CORE, *OF_LINE])
def test_whatever_bound_was_reached_it_begins_once_and_is_over_a_calm_minute_later(counter: str) -> None:
    run = Run()
    run.seconds(10)
    assert run.told == []
    run.seconds(300, counter, every=59)
    assert run.states == ["begun"]
    assert run.is_strained
    run.seconds(CALM_S)
    assert run.states == ["begun", "over"]
    assert not run.is_strained
    cause = {**OF_CORE, **OF_LINE}[counter]
    over = run.told[-1]
    assert over.causes == {cause: run.counts[counter]}
    assert over.condition_id == run.told[0].condition_id
    assert (over.first_ns, over.last_ns) == (NOW + 59 * SECOND_NS, NOW + 295 * SECOND_NS)


def test_several_causes_are_one_emergency_with_a_count_of_each() -> None:
    run = Run()
    run.seconds(30, "flows_evicted")
    run.seconds(30, "events_dropped", every=10)
    run.seconds(2 * CALM_S)
    assert run.states == ["begun", "over"]
    assert run.told[-1].causes == {"flows": 90, "queue": 9}


def test_one_after_a_calm_minute_is_another_one() -> None:
    run = Run()
    for _ in range(2):
        run.seconds(5, "held_given_up")
        run.seconds(CALM_S + 5)
    assert run.states == ["begun", "over", "begun", "over"]
    assert len({one.condition_id for one in run.told}) == 2


def test_it_is_told_how_it_stands_about_once_a_minute_and_not_each_second() -> None:
    run = Run()
    run.seconds(600, "flows_evicted")
    assert 10 <= len(run.told) <= 11


def test_a_run_that_begins_in_it_ends_it_and_begins_no_other() -> None:
    before = Run()
    before.seconds(20, "streams_given_up")
    stands = before.watch.end(before.counts, before.counts, NOW + 20 * SECOND_NS, 20 * SECOND_NS)
    run = Run(stands[-1], start_s=40)
    assert run.is_strained
    run.seconds(CALM_S - 1)
    assert run.told == []
    run.seconds(10)
    (over,) = run.told
    assert (over.state, over.condition_id) == ("over", before.told[0].condition_id)
    assert (over.causes, over.last_ns) == ({"streams": 60}, NOW + 20 * SECOND_NS)
    again = Run(stands[-1], start_s=40)
    again.seconds(10, "streams_given_up")
    again.seconds(2 * CALM_S)
    assert [one.state for one in again.told] == ["over"]
    assert again.told[0].causes == {"streams": 90}


def test_the_counters_that_are_followed_exist_and_every_cause_has_one() -> None:
    assert set(OF_CORE) <= set(NAMES)
    assert {*OF_CORE.values(), *OF_LINE.values()} == set(CAUSES)


def conditions(sensor: Sensor) -> list[tuple[str, str]]:
    """What the event file says, each once: after a kill an event may be delivered again."""
    events = [event["condition"] for event in sensor.events() if event["event_type"] == "condition"]
    return list(dict.fromkeys((event["condition_id"], event["state"]) for event in events))


@pytest.mark.timeout(300)
def test_a_sensor_under_a_cap_says_so_once_and_its_next_run_says_once_that_it_is_over(
    tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of it: in event file, journal, metric and status there is one beginning and one end."""
    port = free_port()
    config = reading(tmp_path)
    config["exporters"]["prometheus"] = {"listen": f"127.0.0.1:{port}"}

    def strained() -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return [line for line in lines if line.startswith("minewatch_emergency{") and not line.endswith(" 0.0")]

    (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())
    with monkeypatch.context() as context:
        simulating(context, "memcap=4")
        with running(tmp_path, config) as sensor:
            sensor.ready()
            sensor.until(lambda: conditions(sensor), 60)
            sensor.until(strained)
            assert "flows" in ask(tmp_path / "sensor-of-a-test.sock")["emergency"]
            sensor.until(lambda: "emergency: no room for all" in sensor.said)
            sensor.signal(signal.SIGKILL)
            sensor.process.wait(20)
    ((identity, state),) = conditions(sensor)
    assert state == "begun"
    assert sensor.said.count("emergency: no room for all") == 1
    with running(tmp_path, config) as sensor:
        sensor.ready()
        assert strained()
        sensor.until(lambda: len(conditions(sensor)) > 1, 90)
        sensor.until(lambda: not strained())
        assert sensor.end()[0] == 0
    assert conditions(sensor) == [(identity, "begun"), (identity, "over")]
    said = [line for line in sensor.said.splitlines() if "emergency: no room for all" in line]
    assert ["over after" in line for line in said] == [False, False, True]  # each run says that it is in it
