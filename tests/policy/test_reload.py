"""A parcel goes the way of a reload: one layer at a time, taken up or refused whole, and heard by whoever offered it;
and a daemon in its sandbox hears what other sensors share.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sensor.cli.status import ask
from sensor.daemon.journal import Journal
from sensor.daemon.policy_step import PolicyStep
from sensor.daemon.reload import Reloader, ReloadResult
from sensor.daemon.setup import ConfigurationSource, Setup, load_setup
from sensor.ledger import Ledger
from sensor.model.policy import PolicyState
from sensor.model.shared_knowledge import SharedAddress, SharedKnowledge, dumps
from sensor.model.time import SECOND_NS
from sensor.policy.layer import ParcelLayer
from sensor.policy.receiver import PolicyReceiver
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.daemon.sensor import reading, running
from tests.names.hellos import line
from tests.policy.made import KEY
from tests.policy.test_layer import unpacked


@pytest.fixture
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers(1) as started:
        yield started


def loaded(reloader: Reloader, setup: Setup) -> ReloadResult:
    """What a reload came to."""
    until = time.monotonic() + 20
    while (result := reloader.step(setup)) is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    return result


def test_a_layer_stays_if_it_is_taken_up_and_goes_if_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text("{}\n")
    source = ConfigurationSource(path)
    setup, reloader = load_setup(source), Reloader(source, 1)
    heard: list[tuple[str, ...]] = []
    read_again: list[int] = []
    reloader.on_reload = lambda: read_again.append(1)
    for text, problems in (("best", 1), ("accepted", 0)):
        parcel = unpacked(tmp_path, "policy", policy_yaml=f"findings: {{least_grade: {text}}}\n")
        reloader.request_layer(ParcelLayer([parcel]), lambda found: heard.append(tuple(found)))
        result = loaded(reloader, setup)
        reloader.settle(result, result.problems)
        assert len(heard[-1]) == problems
        assert bool(reloader.source.layers) == (not problems)
        setup = result.setup or setup
    assert setup.config.findings.least_grade == "accepted"
    assert {each.refused for each in reloader.statuses.values()} == {0}  # of the sensor's own files nothing was refused
    assert not read_again
    reloader.request("all")
    result = loaded(reloader, setup)
    reloader.settle(result, result.problems)
    assert result.setup is not None
    assert result.setup.config.findings.least_grade == "accepted"  # a reload by hand keeps the parcels
    assert read_again == [1]


def test_what_is_taken_up_can_still_be_refused_by_what_runs(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text("{}\n")
    source = ConfigurationSource(path)
    setup, reloader = load_setup(source), Reloader(source, 1)
    heard: list[tuple[str, ...]] = []
    parcel = unpacked(tmp_path, "policy", policy_yaml="findings: {least_grade: accepted}\n")
    path.write_text("workers: 2\n")
    reloader.request_layer(ParcelLayer([parcel]), lambda found: heard.append(tuple(found)))
    result = loaded(reloader, setup)
    reloader.settle(result, result.problems)
    assert heard == [("workers: this takes effect only after a restart",)]
    assert not reloader.source.layers


def test_a_daemon_hears_what_other_sensors_share(brokers: MockBrokers, tmp_path: Path) -> None:
    now_ns = time.time_ns()
    shared = SharedKnowledge("edge-9", now_ns, (SharedAddress("203.0.113.7", (3333,), now_ns - 1, now_ns),))
    put(brokers.places, "minewatch.learnt.v1", [("edge-9", dumps(shared)), ("edge-9", b"junk")])
    policy = {"brokers": brokers.places, "transport": "tcp", "keys": [KEY.public.text], "share": True}
    with running(tmp_path, reading(tmp_path, policy=policy)) as sensor:
        sensor.ready()
        (socket,) = tmp_path.glob("*.sock")

        def messages() -> dict[str, Any]:
            found: dict[str, Any] = ask(socket)["policy"]["messages"]
            return found

        sensor.until(lambda: messages()["learnt_heard"] == 1 and messages()["learnt_unreadable"] == 1)
        assert sensor.end()[0] == 0


def test_a_clock_that_was_set_back_keeps_no_state_out_of_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text("{}\n")
    noted: list[int] = []
    ledger = SimpleNamespace(note_policies=lambda _, now_ns: noted.append(now_ns))
    reloader = Reloader(ConfigurationSource(path), 1)
    step = PolicyStep(None, None, reloader, cast(Ledger, ledger), Journal(), line())
    for number, now_ns in enumerate((100 * SECOND_NS, 102 * SECOND_NS, 50 * SECOND_NS)):
        its = PolicyState("policy", number + 1, "ab" * 32, "in_use", None, now_ns)
        step._receiver = cast(PolicyReceiver, SimpleNamespace(states=(its,), offer=None))
        step.look(now_ns)
    assert noted == [100 * SECOND_NS, 50 * SECOND_NS]
