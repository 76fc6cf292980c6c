"""A condition of the sensor leaves as what it is: in the event file, by syslog, by webhook, and as nobody's alert."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from exporters.forms.event import dumps, encode
from exporters.forms.metrics import StatusCollector
from exporters.kinds import alertmanager, eve, webhook
from exporters.kinds.syslog import Config, message_format
from sensor.model.condition import CAUSES, Condition
from sensor.model.record import event_id
from tests.delivery.receivers import HttpReceiver
from tests.exporters.statuses import quiet
from tests.exporters.test_eve import VALIDATOR
from tests.exporters.test_syslog import MESSAGE

BEGUN = Condition("0" * 20, "emergency", "begun", "edge-1", 10**18, 10**18, dict.fromkeys(CAUSES, 1))
OVER = Condition("0" * 20, "emergency", "over", "edge-1", 10**18, 10**18 + 5 * 10**9, {"flows": 70_000})


@pytest.mark.parametrize("condition", [BEGUN, OVER])
def test_the_event_is_valid_and_names_no_connection(condition: Condition) -> None:
    event = json.loads(dumps(encode(condition)))
    VALIDATOR.validate(event)
    assert list(event) == ["timestamp", "event_type", "event_id", "condition"]
    assert event["condition"]["causes"] == condition.causes
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**event, "src_ip": "192.0.2.7"})


def test_the_event_file_has_both(tmp_path: Path) -> None:
    eve.Sender(eve.Config(path=str(tmp_path / "eve.json"))).send([BEGUN, OVER])
    lines = [json.loads(line) for line in (tmp_path / "eve.json").read_text().splitlines()]
    assert [line["condition"]["state"] for line in lines] == ["begun", "over"]


def test_syslog_has_a_notice_that_collectors_can_filter_by() -> None:
    found = MESSAGE.fullmatch(message_format(Config(host="localhost", facility="local0")).encode(OVER))
    assert found
    assert (int(found["pri"]) % 8, found["id"]) == (5, b"condition")
    assert b'condition="emergency" state="over"' in found[0]


def test_a_webhook_posts_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret that nobody guesses")
    receiver = HttpReceiver()
    webhook.Sender(webhook.Config(url=receiver.url, secret_file=str(secret))).send([BEGUN])
    receiver.close()
    assert receiver.asked == 1
    assert json.loads(webhook.encode(BEGUN))["event_id"] == event_id(BEGUN)


def test_it_is_no_alert() -> None:
    receiver = HttpReceiver()
    alertmanager.Sender(alertmanager.Config(url=receiver.url)).send([BEGUN, OVER])
    receiver.close()
    assert receiver.asked == 0


def test_the_metric_stands_at_zero_for_every_cause_before_anything_happens() -> None:
    (family,) = [one for one in StatusCollector(quiet).collect() if one.name == "minewatch_emergency"]
    assert {sample.labels["of"]: sample.value for sample in family.samples} == dict.fromkeys(CAUSES, 0)
