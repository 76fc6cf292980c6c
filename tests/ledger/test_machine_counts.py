"""Machines are "at least so many": never more than there are."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.ledger import Ledger
from sensor.ledger.read.machine_counts import Presence, at_least
from sensor.model.finding import Finding
from sensor.model.quantities import WatchedStretch
from sensor.model.summary import machines_by_address
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

POOL = "198.51.100.9"


@pytest.fixture
def ledger(tmp_path: object) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def at_one_pool(number: int, from_ns: int, to_ns: int, **changes: object) -> Finding:
    found = mined(number, from_ns, to_ns, 9, miner="10.0.0.9", pool_ip=POOL, **changes)
    return dataclasses.replace(found, active=(WatchedStretch(from_ns, to_ns, 0),))


def machines(ledger: Ledger, *findings: Finding) -> int:
    for found in findings:
        ledger.record([found], found.last_ns)
    return sum(line.machines for line in ledger.reader.summary(MONDAY, MONDAY + DAY).lines)


def test_a_connection_whose_login_was_not_seen_is_no_second_machine(ledger: Ledger) -> None:
    nameless = at_one_pool(2, MONDAY, MONDAY + HOUR, login=None, worker=None, workers=(), wallet=None)
    assert machines(ledger, at_one_pool(1, MONDAY, MONDAY + HOUR, machines_seen=4), nameless) == 4


def test_more_machines_without_a_login_than_with_one_are_so_many(ledger: Ledger) -> None:
    changes = {"login": None, "worker": None, "workers": (), "wallet": None, "machines_seen": 3}
    named, nameless = at_one_pool(1, MONDAY, MONDAY + HOUR), at_one_pool(2, MONDAY, MONDAY + HOUR, **changes)
    assert machines(ledger, named, nameless) == 3


def test_one_machine_under_two_logins_in_turn_is_one(ledger: Ledger) -> None:
    first = at_one_pool(1, MONDAY, MONDAY + HOUR, login="one.a")
    second = at_one_pool(2, MONDAY + HOUR, MONDAY + 2 * HOUR, login="two.a")
    assert machines(ledger, first, second) == 1


def test_two_logins_at_the_same_time_are_two(ledger: Ledger) -> None:
    first = at_one_pool(1, MONDAY, MONDAY + HOUR, login="one.a")
    second = at_one_pool(2, MONDAY, MONDAY + 2 * HOUR, login="two.a")
    assert machines(ledger, first, second) == 2


def test_a_machine_that_is_away_in_a_period_is_none_of_its_machines(ledger: Ledger) -> None:
    always = at_one_pool(1, MONDAY, MONDAY + 3 * DAY, login="one.a")
    away = at_one_pool(2, MONDAY, MONDAY + 3 * DAY, login="two.a")
    spans = (WatchedStretch(MONDAY, MONDAY + HOUR, 0), WatchedStretch(MONDAY + 2 * DAY, MONDAY + 3 * DAY, 0))
    for found in (always, dataclasses.replace(away, active=spans)):
        ledger.record([found], found.last_ns)
    days = [ledger.reader.summary(MONDAY + day * DAY, MONDAY + (day + 1) * DAY) for day in range(3)]
    assert [sum(line.machines for line in one.lines) for one in days][0::2] == [2, 2]
    assert max(line.machines for line in days[1].lines) == 1


def test_two_logins_that_take_turns_all_day_are_one() -> None:
    turns = {
        "a": [(hour * HOUR, (hour + 1) * HOUR) for hour in range(0, 24, 2)],
        "b": [(hour * HOUR, (hour + 1) * HOUR) for hour in range(1, 24, 2)],
    }
    group = [Presence(name, 1, True, spans[0][0], spans[-1][1]) for name, spans in turns.items()]
    assert at_least(group, turns) == 1
    assert at_least(group, {}) == 2


def test_machines_that_changed_hands_or_have_no_known_holder_are_no_more(ledger: Ledger) -> None:
    def held(number: int, hours: tuple[int, int], **changes: object) -> Finding:
        return at_one_pool(number, MONDAY + hours[0] * HOUR, MONDAY + hours[1] * HOUR, **changes)

    nameless = {"login": None, "worker": None, "workers": (), "wallet": None, "machines_seen": 2}
    findings = (
        held(1, (0, 9), **nameless),
        held(2, (6, 12), login="one.a", attribution=owned(1)),
        held(3, (7, 12), login="two.a", attribution=owned(2)),
    )
    assert machines(ledger, *findings) == 4
    summary = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert [total.machines for total in summary.totals()] == [2]
    assert sum(machines_by_address(summary.lines).values()) == 2


def test_who_only_looks_or_watches_is_no_machine(ledger: Ledger) -> None:
    for number, activity in enumerate(("attempt", "observer", "probe"), 1):
        ledger.record([at_one_pool(number, MONDAY, MONDAY + HOUR, activity=activity)], MONDAY + HOUR)
    assert ledger.reader.summary(MONDAY, MONDAY + DAY).lines == ()
    assert ledger.reader.cases() == []
    assert len(ledger.reader.findings(activity="observer")) == 1


def test_what_was_reported_as_mining_and_only_watches_is_said_once_more(ledger: Ledger) -> None:
    was = dataclasses.replace(at_one_pool(1, MONDAY, MONDAY + HOUR, activity="mining"), state="updated")
    proved = dataclasses.replace(was, activity="observer", last_ns=MONDAY + 2 * HOUR)
    later = dataclasses.replace(proved, last_ns=MONDAY + 3 * HOUR)
    events = [
        record
        for found, reason in ((was, {}), (proved, {was.finding_id: "x"}), (later, {was.finding_id: "x"}))
        for record in ledger.record([found], found.last_ns, reason)
    ]
    assert [record.activity for record in events if isinstance(record, Finding)][:2] == ["mining", "observer"]
