"""A daemon in its sandbox and the centre: what is published is taken up beside the line, what cannot be loaded is
refused with a reason that the centre sees, and a restart needs no broker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sensor.cli.main import main
from sensor.model.policy import PolicyState
from tests.collect.brokers import MockBrokers, mock_brokers, put
from tests.collect.test_group import Member, until
from tests.daemon.sensor import Sensor, reading, running
from tests.policy.made import FOREIGN, KEY, POLICY, POOLS, parcel

TOPIC = "minewatch.policy.v1"


@pytest.fixture(autouse=True)
def quick_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own brokers do not answer what a topic is configured with."""
    monkeypatch.setattr("sensor.policy.topic.ASK_S", 0.5)


@pytest.fixture
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers(1) as started:
        yield started


def policy_of(brokers: MockBrokers) -> dict[str, Any]:
    return {"brokers": brokers.places, "transport": "tcp", "keys": [KEY.public.text]}


def at_centre(centre: Path, *words: str) -> int:
    """Run `minewatch policy`."""
    return main(["policy", *words, "-c", str(centre / "centre.yaml")])


def states(member: Member) -> dict[tuple[str, str], PolicyState]:
    """What the central ledger has of the one sensor, by kind and state."""
    found = [state for sensor in member.ledger.reader.sensors() for state in sensor.policies]
    return {(state.kind, state.state): state for state in found}


def said(sensor: Sensor, text: str) -> None:
    sensor.until(lambda: text in sensor.said)


def test_a_parcel_is_taken_up_a_broken_one_is_refused_and_the_centre_knows_both(
    brokers: MockBrokers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    centre, edge = tmp_path / "centre", tmp_path / "edge"
    centre.mkdir()
    edge.mkdir()
    KEY.write(centre / "policy.key")
    (centre / "centre.yaml").write_text(
        f"ledger: {{url: 'sqlite:///{centre}/central.db'}}\n"
        f"policy: {{brokers: {brokers.places}, transport: tcp, keys: [policy.key.pub]}}\n"
    )
    key = ("--key", str(centre / "policy.key"))
    put(brokers.places, TOPIC, [("junk", b"junk")])
    kafka = {"brokers": brokers.places, "transport": "tcp", "topic": "reports"}
    config = reading(edge, policy=policy_of(brokers), exporters={"kafka": kafka}, journal={"level": "info"})
    member = Member(f"sqlite:///{centre}/central.db", brokers, "reports")
    try:
        with running(edge, config) as sensor:
            sensor.ready()
            assert "sandbox" in sensor.said
            (centre / "policy.yaml").write_bytes(POLICY["policy.yaml"])
            assert at_centre(centre, "publish", "--kind", "policy", *key, str(centre / "policy.yaml")) == 0
            said(sensor, "policy: policy 1 is in use, 1 files")
            (centre / "pools.yaml").write_bytes(POOLS)
            assert at_centre(centre, "publish", "--kind", "tables", *key, str(centre / "pools.yaml")) == 0
            said(sensor, "policy: tables 1 is in use")
            broken = parcel(2, files={"policy.yaml": b"findings:\n  least_grade: best\n"})
            put(brokers.places, TOPIC, [("policy/all", broken), ("policy/all", parcel(9, key=FOREIGN))])
            said(sensor, "policy: policy 2 is refused: policy: policy 2: policy.yaml:2: findings.least_grade")
            until(lambda: ("policy", "refused") in states(member) and ("tables", "in_use") in states(member), member)
            until(lambda: "policy.yaml:2" in str(states(member)["policy", "refused"].reason), member)
            assert states(member)["policy", "in_use"].version == 1
            capsys.readouterr()
            assert at_centre(centre, "show") == 0
            shown = capsys.readouterr().out
            assert "tables/all 1: 1 of 1 sensors have it" in shown
            assert "policy/all: no sensor takes it: key: signed with the key" in shown
            assert sensor.end()[0] == 0
        brokers.stop()  # and the next start needs none
        with running(edge, config) as sensor:
            sensor.ready()
            said(sensor, "policy: policy 1 in use, as before the start")
            assert "own 1 row" in sensor.said  # the table of the parcel
            sensor.end()
    finally:
        brokers.go_on()
        member.close()


def test_a_parcel_that_cannot_be_loaded_any_more_does_not_keep_the_sensor_from_starting(
    brokers: MockBrokers, tmp_path: Path
) -> None:
    put(brokers.places, TOPIC, [("tables/all", parcel(1, kind="tables", files={"pools.yaml": POOLS}))])
    config = reading(tmp_path, policy=policy_of(brokers))
    with running(tmp_path, config) as sensor:
        sensor.ready()
        said(sensor, "policy: tables 1 is in use")
        assert sensor.end()[0] == 0
    own = tmp_path / "own.yaml"
    own.write_bytes(POOLS.replace(b"suffix", b"sufix"))
    with running(tmp_path, config | {"signatures": {"files": ["own.yaml"]}}) as sensor:
        assert sensor.process.wait(20) == 78  # a mistake of its own still does
    dialect = (Path(__file__).parents[2] / "signatures" / "dialects" / "kaspa.yaml").read_bytes()
    clash = parcel(1, kind="signatures", files={"mine.yaml": dialect})
    put(brokers.places, TOPIC, [("signatures/all", clash)])
    with running(tmp_path, config) as sensor:
        sensor.ready()
        said(sensor, "policy: signatures 1 is refused: ")
        assert "is already taken by" in sensor.said
        time.sleep(1)
        assert sensor.end()[0] == 0
