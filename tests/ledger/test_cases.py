"""The case loop: opened by certain findings, moved by people along allowed ways, closed by silence, opened again by
relapse."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.cases import silence
from sensor.cases import states as cases
from sensor.cases.states import FOLLOWS, OPEN, STATES, CaseError
from sensor.ledger import Ledger
from sensor.model.evidence import Grade
from sensor.model.summary import Case
from sensor.model.time import SECOND_NS as SECOND
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned, told


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def only(ledger: Ledger) -> Case:
    (case,) = ledger.reader.cases()
    return case


def put(ledger: Ledger, number: int, from_ns: int, hours: int, **changes: object) -> None:
    ledger.record(list(told(number, from_ns, from_ns + hours * HOUR, HOUR, 20, **changes)), from_ns)


def listen(ledger: Ledger, from_ns: int, days: float) -> int:
    """The sensor listens; what time it is then. Cases are reviewed every six hours."""
    to_ns = from_ns + int(days * DAY)
    for at in range(from_ns, to_ns, 6 * HOUR):
        ledger.add_coverage(at, at + 6 * HOUR)
        ledger.review_cases(at + 6 * HOUR)
    return to_ns


def test_every_state_is_reachable_and_named_and_no_way_leads_nowhere() -> None:
    assert set(FOLLOWS) == set(STATES) == set(cases.NAMES)
    assert {after for ways in FOLLOWS.values() for after in ways} == set(STATES) - {"new"}
    assert all("closed" in FOLLOWS[state] for state in OPEN)
    for state in STATES:
        assert (
            cases.parse_state(state)
            == cases.parse_state(cases.NAMES[state])
            == cases.parse_state(state.upper().replace("-", " "))
            == state
        )


@pytest.mark.parametrize("before", STATES)
def test_a_case_goes_only_where_it_can_and_says_where_that_is(before: str) -> None:
    for after in STATES:
        if after in FOLLOWS[before]:
            cases.check_move(before, after)
        else:
            with pytest.raises(CaseError, match="it can go to"):
                cases.check_move(before, after)
    with pytest.raises(CaseError, match="is no state of a case"):
        cases.parse_state("solved")


def test_the_loop_is_gone_through_with_who_when_and_why(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 5, attribution=owned(1))
    for step, state in enumerate(("notified", "under-check", "rectifying", "re-check", "closed")):
        ledger.set_case(1, state, MONDAY + (step + 1) * DAY, who="Li", why=f"step {step}")
    case = only(ledger)
    assert [one.state for one in case.changes] == ["new", "notified", "under-check", "rectifying", "re-check", "closed"]
    assert [one.at_ns for one in case.changes[1:]] == [MONDAY + step * DAY for step in range(1, 6)]
    assert case.changes[2].who == "Li"
    assert case.changes[2].why == "step 1"
    with pytest.raises(CaseError, match="closed cannot go to notified"):
        ledger.set_case(1, "notified", MONDAY + 9 * DAY, who="Li", why="")
    with pytest.raises(CaseError, match="there is no case 7"):
        ledger.set_case(7, "notified", MONDAY, who="Li", why="")
    assert len(only(ledger).changes) == 6


def test_one_case_for_a_site_and_one_for_an_address_of_nobody(ledger: Ledger) -> None:
    for number, owner in ((1, owned(1)), (2, owned(1)), (3, owned(2)), (4, None), (5, None)):
        put(ledger, number, MONDAY, 2, attribution=owner)
    assert [(one.site_id, one.address) for one in ledger.reader.cases()] == [
        (1, None),
        (2, None),
        (None, "10.0.4.1"),
        (None, "10.0.5.1"),
    ]
    assert ledger.reader.case_addresses(ledger.reader.cases()[0]) == ["10.0.1.1", "10.0.2.1"]


def test_weak_or_muted_findings_open_no_case(ledger: Ledger) -> None:
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 0, grade=Grade.BEHAVES)], MONDAY)
    ledger.record([mined(2, MONDAY, MONDAY + HOUR, 5)], MONDAY, {"finding-2": "allowed: research"})
    assert ledger.reader.cases() == []
    ledger.record([mined(1, MONDAY, MONDAY + 2 * HOUR, 5, grade=Grade.SPEAKS)], MONDAY)
    assert only(ledger).address == "10.0.1.1"


def test_an_address_whose_owner_becomes_known_takes_its_case_along(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 2)
    ledger.set_case(1, "notified", MONDAY + DAY, who="Li", why="letter")
    put(ledger, 1, MONDAY + 2 * DAY, 2, attribution=owned(4))
    case = only(ledger)
    assert (case.case_id, case.site_id, case.address, case.state) == (1, 1, None, "notified")
    put(ledger, 2, MONDAY, 2)
    put(ledger, 2, MONDAY + 2 * DAY, 2, attribution=owned(4))
    assert [(one.case_id, one.state) for one in ledger.reader.cases()] == [(1, "notified"), (2, "closed")]
    assert "goes on as case 1" in ledger.reader.cases()[1].changes[-1].why


def test_a_step_that_is_awaited_too_long_is_overdue(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 2)
    case = only(ledger)
    days = cases.DUE_DAYS["new"]
    assert not case.overdue(case.since_ns + days * DAY)
    assert case.overdue(case.since_ns + days * DAY + 1)
    ledger.set_case(1, "closed", MONDAY + DAY, who="Li", why="gone")
    assert only(ledger).due_ns is None


def test_silence_closes_a_case_and_states_the_probability(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 60)
    end = listen(ledger, MONDAY + 60 * HOUR, 4)
    assert only(ledger).state == "new"
    listen(ledger, end, 8)
    case = only(ledger)
    assert case.state == "closed"
    needed = silence.hours_needed(silence.history_of(dict.fromkeys(range(60), 20)))
    closed_h = (case.since_ns - MONDAY) / HOUR - 60
    assert needed <= closed_h <= needed + 6
    assert case.changes[-1].who == cases.SENSOR
    assert "with probability" in case.changes[-1].why


def test_silence_says_nothing_where_nobody_listened(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 60)
    assert ledger.review_cases(MONDAY + 400 * DAY) == []
    assert only(ledger).state == "new"


def test_a_site_where_one_of_many_still_mines_is_not_silent(ledger: Ledger) -> None:
    for number in range(1, 4):
        put(ledger, number, MONDAY, 40, attribution=owned(1))
    put(ledger, 4, MONDAY, 20 * 24, attribution=owned(1))
    listen(ledger, MONDAY, 20)
    assert only(ledger).state == "new"


def test_mining_again_is_a_relapse_and_told_once(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 60)
    listen(ledger, MONDAY + 60 * HOUR, 12)
    put(ledger, 1, MONDAY + 30 * DAY, 5)
    assert [one.state for one in only(ledger).changes] == ["new", "closed", "relapsed"]
    assert "mining again" in only(ledger).changes[-1].why
    ledger.set_case(1, "closed", MONDAY + 31 * DAY, who="Li", why="seen off")
    ledger.close()


def test_a_session_of_a_moment_is_no_relapse(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 60)
    listen(ledger, MONDAY + 60 * HOUR, 12)
    miner = only(ledger).address
    ledger.record([mined(2, MONDAY + 30 * DAY, MONDAY + 30 * DAY + SECOND, 1, miner=miner)], MONDAY + 30 * DAY)
    assert [one.state for one in only(ledger).changes] == ["new", "closed"]
    ledger.record([mined(3, MONDAY + 31 * DAY, MONDAY + 31 * DAY + HOUR, 9, miner=miner)], MONDAY + 31 * DAY)
    assert only(ledger).state == "relapsed"


def test_what_was_seen_before_it_was_closed_is_no_relapse(tmp_path: Path) -> None:
    for _ in range(2):  # the second time, the same packets are replayed
        ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
        put(ledger, 1, MONDAY, 60)
        listen(ledger, MONDAY + 60 * HOUR, 12)
        ledger.close()
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert [one.state for one in only(ledger).changes] == ["new", "closed"]
    quiet = mined(1, MONDAY + 40 * DAY, MONDAY + 40 * DAY + HOUR, 0)  # asks, and sends nothing
    ledger.record([quiet], MONDAY)
    assert only(ledger).state == "closed"


def test_a_false_alarm_mutes_what_follows_and_says_why(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, 2, attribution=owned(1))
    ledger.set_case(1, "false-alarm", MONDAY + DAY, who="Li", why="a museum's exhibit")
    put(ledger, 2, MONDAY + 2 * DAY, 2, attribution=owned(1))
    (entry,) = ledger.reader.findings("10.0.2.1")
    assert entry.suppressed == "false alarm: a museum's exhibit (case 1)"
    assert ledger.reader.open_findings() == []
    assert only(ledger).state == "false-alarm"
    (entry, *_) = (entry for entry in ledger.reader.findings() if entry.suppressed)
    assert ledger.reader.suppressions([entry.finding.finding_id, "none"]) == {
        entry.finding.finding_id: entry.suppressed
    }
    ledger.set_case(1, "under-check", MONDAY + 4 * DAY, who="Li", why="it was none")
    put(ledger, 2, MONDAY + 5 * DAY, 2, attribution=owned(1))
    assert [one.suppressed for one in ledger.reader.findings("10.0.2.1")] == [None]


@pytest.mark.parametrize(("seconds", "shares", "opens"), [(1, 1, False), (29, 9, False), (30, 1, True), (599, 0, False),
                                                          (600, 0, True)])  # fmt: skip
def test_a_session_of_a_moment_opens_no_case(ledger: Ledger, seconds: int, shares: int, opens: bool) -> None:
    """Three forged packets are a session, and so is a test of a pool's latency."""
    ledger.record([mined(1, MONDAY, MONDAY + seconds * SECOND, shares)], MONDAY)
    assert bool(ledger.reader.cases()) is opens
