"""Subscribers behind one address: what is decided and done about one is not the others'."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sensor.attribution import Attributor, load_books
from sensor.daemon.configuration import load
from sensor.ledger import Ledger
from sensor.ledger.write.owners import MAX_SUBSCRIBERS
from sensor.model.finding import Finding
from sensor.model.summary import Case
from tests.ledger.mining import DAY, HOUR, MONDAY, mined
from tests.ledger.test_holders import MINER, clock

POOL = "first,last,use,users,organisation\n192.0.2.0,192.0.2.255,NAT,64,Carrier\n"
NAT = "outside,first_port,last_port,account,begin,end\n"
WHO = "account,organisation\n"


def books(folder: Path, leases: str = "", customers: str = "") -> Attributor:
    (folder / "pool.csv").write_text(POOL, encoding="utf-8")
    (folder / "nat.csv").write_text(NAT + leases, encoding="utf-8")
    (folder / "who.csv").write_text(WHO + customers + "z9,Other\n", encoding="utf-8")
    lines = [
        "{kind: inventory, path: pool.csv}",
        "{kind: leases, format: nat-csv, path: nat.csv}",
        "{kind: inventory, preset: customers, path: who.csv}",
    ]
    path = folder / "minewatch.yaml"
    path.write_text("attribution:\n  sources:\n" + "".join(f"    - {line}\n" for line in lines), encoding="utf-8")
    return load_books(load(path).attribution)


def lease(first_port: int, account: str, day: int, days: int = 1) -> str:
    begin, end = clock(MONDAY + day * DAY), clock(MONDAY + (day + days) * DAY)
    return f"{MINER},{first_port},{first_port + 999},{account},{begin},{end}\n"


def mining(login: str, port: int, day: int, days: float = 0.5) -> Finding:
    """Mining of a login from the beginning of a day on."""
    start = MONDAY + day * DAY
    made = mined(1, start, start + int(days * DAY), int(240 * days), miner=MINER, login=login)
    (flow,) = made.flows
    key = dataclasses.replace(flow.key, src_port=port, flow_id=flow.key.flow_id * 100_000 + port)
    flow = dataclasses.replace(flow, key=key, login=login)
    return dataclasses.replace(made, finding_id=f"finding-{login}", flows=[flow])


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db", run_id="first")


def named(cases: list[Case]) -> list[str | None]:
    return [case.enterprise.name if case.enterprise else None for case in cases]


def test_a_case_behind_a_translator_is_not_handed_on_to_the_next_subscriber(ledger: Ledger, tmp_path: Path) -> None:
    """The port changes hands each day: the first is of an account that no book has, the others' are known."""
    leases = lease(5000, "a0", 0) + lease(5000, "a1", 1) + lease(5000, "a2", 2)
    attributor = books(tmp_path, leases, "a1,Copper\na2,Tin\n")
    for day in range(3):
        run = Ledger.open(ledger.engine.url.render_as_string(), run_id=f"day-{day}")
        run.record([attributor.attribute(mining(f"wallet{day}.rig", 5500, day))], MONDAY + day * DAY + DAY)
        run.close()
    cases = ledger.reader.cases()
    assert named(cases) == [None, "Copper", "Tin"]
    assert [len(case.changes) for case in cases] == [1, 1, 1], "none was closed by another's"


def test_a_false_alarm_of_one_subscriber_does_not_mute_another(ledger: Ledger, tmp_path: Path) -> None:
    attributor = books(tmp_path)
    ledger.record([attributor.attribute(mining("museum.rig", 5500, 0))], MONDAY)
    (case,) = ledger.reader.cases()
    assert case.address == f"one of several behind {MINER}"
    ledger.set_case(case.case_id, "false-alarm", MONDAY + DAY, who="Li", why="an exhibit")
    assert ledger.reader.case_logins(case) == ["museum"]
    again = [attributor.attribute(mining(login, 5500, 2)) for login in ("museum.rig", "thief.rig")]
    ledger.record(again, MONDAY + 3 * DAY)
    muted = {one.finding.login: one.suppressed for one in ledger.reader.findings(MINER)}
    assert muted == {"museum.rig": f"false alarm: an exhibit (case {case.case_id})", "thief.rig": None}
    assert [one.state for one in ledger.reader.cases()] == ["false-alarm", "new"]
    period = ledger.reader.summary(MONDAY, MONDAY + 4 * DAY)
    assert [(line.shares, line.case_id) for line in period.lines] == [(120, 2)]


def test_one_subscribers_shares_do_not_keep_anothers_case_open(ledger: Ledger, tmp_path: Path) -> None:
    attributor = books(tmp_path)
    gone = attributor.attribute(mining("gone.rig", 5500, 0, 2))
    ledger.record([dataclasses.replace(gone, state="closed")], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 20 * DAY)
    for day in range(1, 20):
        ledger.record([attributor.attribute(mining("there.rig", 6500, 0, day))], MONDAY + day * DAY)
    ledger.review_cases(MONDAY + 19 * DAY)
    states = {login: case.state for case in ledger.reader.cases() for login in ledger.reader.case_logins(case)}
    assert states == {"gone": "closed", "there": "new"}


def test_a_customer_book_that_comes_later_names_the_very_subscriber(ledger: Ledger, tmp_path: Path) -> None:
    leases = lease(5000, "a1", 0, 5) + lease(6000, "a2", 0, 5)
    before = books(tmp_path, leases)
    told = [("one.rig", 5500), ("two.rig", 6500)]
    for hour in range(1, 25):
        found = [before.attribute(mining(login, port, 0, hour / 24)) for login, port in told]
        ledger.record(found, MONDAY + hour * HOUR)
    after = books(tmp_path, leases, "a1,Copper\n")
    for hour in range(25, 30):
        found = [after.attribute(mining(login, port, 0, hour / 24)) for login, port in told]
        ledger.record(found, MONDAY + hour * HOUR)
    period = ledger.reader.summary(MONDAY, MONDAY + 2 * DAY)
    shares = {}
    for line in period.lines:
        enterprise = period.sites[line.site_id].enterprise if line.site_id else None
        shares[enterprise.name if enterprise else None] = line.shares
    assert shares == {"Copper": 290, None: 290}
    assert sorted(map(str, named(ledger.reader.cases()))) == ["Copper", "None", "None"]


def test_subscribers_of_one_address_are_bounded(ledger: Ledger, tmp_path: Path) -> None:
    """A sender can make up as many logins as it likes."""
    attributor = books(tmp_path)
    made_up = [attributor.attribute(mining(f"login{number}", 5500, 0)) for number in range(3 * MAX_SUBSCRIBERS)]
    ledger.record(made_up, MONDAY)
    assert len(ledger.reader.cases()) == MAX_SUBSCRIBERS + 1
    period = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert sum(line.shares for line in period.lines) == 120 * len(made_up)
