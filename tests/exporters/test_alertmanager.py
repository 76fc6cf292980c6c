"""A real Alertmanager takes findings as alerts that stay while they are open and end when they close."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from exporters.forms.alert import encode, time_text
from exporters.kinds.alertmanager import Config, Sender
from sensor.model.evidence import Grade
from tests.delivery.receivers import HttpReceiver, alertmanager, alerts, eventually
from tests.exporters.test_eve import NODE
from tests.ledger.made import SECOND, finding

RECENT = time.time_ns() - 600 * SECOND


def recent(number: int = 1, **changes: Any) -> Any:
    return finding(number, first_ns=RECENT, last_ns=RECENT + 60 * SECOND, **changes)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as url:
        yield url


def active(url: str, finding_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = alerts(url)  # type: ignore[assignment]
    return [alert for alert in found if alert["labels"]["finding_id"] == finding_id]


def test_an_open_finding_is_an_alert_and_a_closed_one_none(url: str) -> None:
    sender = Sender(Config(url=url, labels={"sensor": "edge-1"}))
    sender.send([recent(1, state="opened"), NODE])
    eventually(lambda: len(active(url, "finding-1")) == 1)
    (alert,) = active(url, "finding-1")
    assert alert["labels"] == {
        "alertname": "CryptocurrencyMining",
        "sensor": "edge-1",
        "finding_id": "finding-1",
        "miner": "10.0.0.1",
        "dialect": "stratum-v1",
        "grade": "accepted",
        "severity": "critical",
    }
    assert alert["annotations"]["summary"] == "10.0.0.1 mines BTC sha256d at 198.51.100.9:3333"
    assert alert["startsAt"].startswith(time_text(RECENT)[:19])
    sender.send([recent(1, state="updated"), recent(1, state="closed")])
    eventually(lambda: active(url, "finding-1") == [])


def test_a_grade_that_rises_ends_the_alert_of_the_lower_one(url: str) -> None:
    sender = Sender(Config(url=url))
    sender.send([recent(2, state="opened", grade=Grade.BEHAVES)])
    eventually(lambda: [one["labels"]["severity"] for one in active(url, "finding-2")] == ["warning"])
    sender.send([recent(2, grade=Grade.VERIFIED)])
    eventually(lambda: [one["labels"]["severity"] for one in active(url, "finding-2")] == ["critical"])


def test_an_alert_ends_by_itself_when_nobody_repeats_it_and_lives_on_when_somebody_does(url: str) -> None:
    dying, living = Sender(Config(url=url, resend_s=1.0)), Sender(Config(url=url, resend_s=60.0))
    dying.send([recent(3, state="opened")])
    living.send([recent(4, state="opened")])
    eventually(lambda: len(active(url, "finding-3")) == 1)
    eventually(lambda: active(url, "finding-3") == [])
    assert len(active(url, "finding-4")) == 1


def test_hostile_text_is_taken(url: str) -> None:
    Sender(Config(url=url)).send([recent(5, state="opened", login='\ud800"\x00\n{{ .Labels }}', agent="\x1b[31m")])
    eventually(lambda: len(active(url, "finding-5")) == 1)


def test_labels_do_not_follow_what_changes_with_every_update() -> None:
    one = finding(state="opened")
    other = dataclasses.replace(
        one, state="updated", last_ns=one.last_ns + SECOND, flow_count=9, login="x", coin="XMR", jobs=3
    )
    assert encode(one, 0, {})["labels"] == encode(other, 0, {})["labels"]


def test_an_alert_that_is_open_ends_ahead_of_now_and_a_closed_one_with_its_last_packet() -> None:
    receiver = HttpReceiver()
    sender = Sender(Config(url=receiver.url, resend_s=30.0), clock=lambda: 1_800_000_000.0)
    sender.send([finding(1, state="opened"), finding(2, state="closed")])
    receiver.close()
    ((_, body),) = receiver.taken
    assert [alert["endsAt"] for alert in json.loads(body)] == [
        time_text(1_800_000_120 * SECOND),
        time_text(finding(2).last_ns),
    ]


def test_nodes_alone_are_not_posted() -> None:
    receiver = HttpReceiver()
    Sender(Config(url=receiver.url)).send([NODE])
    receiver.close()
    assert receiver.asked == 0
