"""What became of parcels goes the way of all reports: into the sensor's own ledger, over the wire, into the central
one; and is shown in metrics, status and answers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from exporters.forms import status as status_form
from exporters.forms.status_screen import screen
from sensor.answers.sensor_object import sensor_object
from sensor.daemon.configuration import load
from sensor.daemon.sandbox_needs import needed_paths, needed_ports
from sensor.daemon.troubles import troubles
from sensor.ledger import Ledger
from sensor.model.message import WireError
from sensor.model.policy import PolicyState
from sensor.model.status import Status
from sensor.model.wire import SensorReport, dumps, loads, schema
from tests.exporters.statuses import quiet
from tests.exporters.test_prometheus import series
from tests.ledger.test_central import NOW, Central, SensorLedger, rows
from tests.policy.made import KEY

SHA = "ab" * 32
IN_USE = PolicyState("signatures", 7, SHA, "in_use", None, NOW)
REFUSED = PolicyState("policy", 9, SHA, "refused", "load: policy.yaml:2: findings: x", NOW)
WITHDRAWN = PolicyState("tables", 3, SHA, "withdrawn", None, NOW)
ALL = (REFUSED, IN_USE, WITHDRAWN)


def report(*states: PolicyState) -> SensorReport:
    return SensorReport("edge-1", "run-1", NOW, policies=states)


def test_a_report_carries_them_exactly_and_one_without_them_says_nothing() -> None:
    assert loads(dumps(report(*ALL))) == report(*ALL)
    assert loads(dumps(report())).policies == ()
    assert loads(dumps(SensorReport("edge-1", "run-1", NOW))).policies is None
    assert "policies" not in dumps(SensorReport("edge-1", "run-1", NOW))
    Draft202012Validator(schema()).validate(json.loads(dumps(report(*ALL))))


@pytest.mark.parametrize(
    "given",
    [
        7,
        {},
        [7],
        [{}],
        [{"kind": "policy"}],
        ["x"],
        [{"kind": "p", "version": -1, "sha256": "", "state": "in_use", "reason": None, "at_ns": 1}],
        [{"kind": "p", "version": 1 << 64, "sha256": "", "state": "in_use", "reason": None, "at_ns": 1}],
        [{"kind": "P!", "version": 1, "sha256": "", "state": "in_use", "reason": None, "at_ns": 1}],
        [{"kind": "p", "version": 1, "sha256": "zz", "state": "in_use", "reason": None, "at_ns": 1}],
        [{"kind": "p", "version": 1, "sha256": "", "state": "eaten", "reason": None, "at_ns": 1}],
        [{"kind": "p", "version": 1, "sha256": "", "state": "in_use", "reason": "x" * 9_000, "at_ns": 1}],
        [{"kind": "p", "version": 1, "sha256": "", "state": "in_use", "reason": None, "at_ns": 1}] * 65,
    ],
)
def test_what_is_not_of_that_form_is_a_wire_error(given: object) -> None:
    message = {"v": 1, "sensor_id": "a", "run_id": "b", "sent_ns": 1, "policies": given}
    with pytest.raises(WireError, match="policies"):
        loads(json.dumps(message))


def test_a_field_that_a_later_release_adds_is_passed_over() -> None:
    later = {"kind": "p", "version": 1, "sha256": "", "state": "in_use", "reason": None, "at_ns": 1, "weather": "fair"}
    message = {"v": 1, "sensor_id": "a", "run_id": "b", "sent_ns": 1, "policies": [later]}
    assert loads(json.dumps(message)).policies == (PolicyState("p", 1, "", "in_use", None, 1),)


def test_the_centre_holds_what_the_sensors_own_ledger_holds(tmp_path: Path) -> None:
    sensor, central = SensorLedger(tmp_path, "edge-1"), Central(f"sqlite:///{tmp_path}/central.db")
    for states in ((IN_USE,), ALL, (WITHDRAWN,), ()):
        sensor.ledger.note_policies(states, NOW)
        queued = sensor.reports()
        central.take(queued)
        central.take(queued)  # twice is once
        assert rows(central.ledger) == rows(sensor.ledger)
        (its,) = central.ledger.reader.sensors()
        assert set(its.policies) == set(states)
    sensor.ledger.note_policies((), NOW)
    assert not sensor.reports()  # nothing is said of nothing
    central.ledger.close()


def test_what_is_said_of_a_renamed_sensor_goes_with_it(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db", sensor_id="edge-1")
    ledger.note_policies(ALL, NOW)
    ledger.rename_sensor("edge-1", "edge-2")
    (its,) = ledger.reader.sensors()
    assert (its.sensor_id, set(its.policies)) == ("edge-2", set(ALL))
    assert json.dumps(sensor_object(its)["policies"])
    ledger.close()


def of(*states: PolicyState, **more: object) -> Status:
    return replace(quiet(), policies=states, policy_messages={"taken": 2}, policy_refused={"policy": 4}, **more)  # type: ignore[arg-type]


def test_metrics_have_the_version_in_use_and_the_refused_by_kind() -> None:
    found = series(of(*ALL))
    versions = {dict(labels)["kind"]: value for (name, labels), value in found.items() if name == "policy_version"}
    assert versions == {"signatures": 7, "tables": 3, "books": 0, "policy": 0}
    assert found["policy_refused_total", frozenset({("kind", "policy")})] == 4
    assert not [name for name, _ in series(quiet()) if name.startswith("policy")]


def test_status_shows_each_parcel_and_why_one_was_refused() -> None:
    shown = screen(status_form.encode(of(*ALL), NOW))
    assert "policy      signatures 7 in use since " in shown
    assert "policy      policy 9 refused since " in shown
    assert ": load: policy.yaml:2: findings: x" in shown
    assert "no parcels are read: brokers are gone" in screen(
        status_form.encode(of(policy_trouble="brokers are gone"), NOW)
    )
    assert "policy" not in screen(status_form.encode(quiet(), NOW))


def test_a_refused_parcel_is_trouble_and_what_nobody_signed_is_not() -> None:
    unsigned = replace(REFUSED, version=0, sha256="")
    assert [trouble.key for trouble in troubles(of(REFUSED), quiet().start_ns)] == ["policy policy"]
    assert not list(troubles(of(unsigned), quiet().start_ns))
    assert [trouble.key for trouble in troubles(of(policy_trouble="x"), quiet().start_ns)] == ["policy"]


def test_the_sandbox_lets_the_sensor_read_its_keys_and_reach_the_brokers(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    policy = {
        "brokers": ["kafka.example.org:9095"],
        "tls": {"ca": "/t/ca.pem"},
        "sasl": {"username": "a", "password_file": "/p/password"},
        "keys": ["/k/policy.pub", KEY.public.text, "relative.pub"],
    }
    path.write_text(yaml.safe_dump({"policy": policy}))
    config = load(path, check_region=False)
    assert ("policy", "brokers", 0) in [key for key, port in needed_ports(config) if port == 9095]
    paths = {str(need.path) for need in needed_paths(config)}
    assert paths >= {"/t/ca.pem", "/p/password", "/k/policy.pub", f"{tmp_path}/relative.pub"}
    assert not any("ed25519" in path for path in paths)
