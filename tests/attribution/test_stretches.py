"""Whose an address was while a finding lasted, stretch by stretch: each hour belongs to whom the books name for it."""

from __future__ import annotations

import dataclasses

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.attribution.answer import stretches
from sensor.model.attribution import Attribution
from sensor.model.finding import Finding
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books
from tests.ledger.made import finding, flow

HEAD = "first,last,organisation,valid_from,valid_until,port_first,port_last\n"
MINER = "192.0.2.7"
BOOK = "kind: inventory, path: book.csv"
NAT = """kind: leases, format: nat-csv, path: nat.csv
kind: inventory, preset: customers, path: who.csv"""
WHO = "account,organisation\na1,Copper\na2,Tin\n"


def at(text: str) -> int:
    return moment_ns(text, 0)[0]


def mining(*times: tuple[int, str, str], **changes: object) -> Finding:
    """A finding of connections: port, from, to (of the clock in UTC)."""
    flows = []
    for number, (port, begin, end) in enumerate(times):
        connection = flow(number, miner=MINER)
        connection.key = dataclasses.replace(connection.key, src_port=port)
        connection.first_ns, connection.last_ns = at(begin), at(end)
        flows.append(connection)
    return finding(1, tuple(flows), **changes)


def holder(answer: Attribution | None) -> str | None:
    assert answer is not None
    assert (answer.enterprise is not None) == (answer.result == "named")
    return answer.enterprise.name if answer.enterprise else None


def of(found: Finding, text: str) -> str | None:
    """Who is named at a moment of a finding."""
    return at_instant(found, at(text))


def at_instant(found: Finding, at_ns: int) -> str | None:
    if not found.holders:
        return holder(found.attribution)
    its = [one for one in found.holders if one.from_ns <= at_ns < one.to_ns]
    assert len(its) <= 1
    return holder(its[0].attribution) if its else None


def days(*rows: tuple[str, str, str]) -> str:
    return HEAD + "".join(f"{MINER},,{name},{begin},{end},,\n" for name, begin, end in rows)


def test_a_row_that_begins_under_a_running_miner_names_its_holder_from_then_on(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-03-02 10:30:00", "")))
    found = loaded.attribute(mining((5000, "2026-03-02 01:00:00", "2026-03-02 05:00:00")))
    border = loaded.answer(MINER, 5000, at("2026-03-02 04:00:00")).claims[0].valid_from_ns
    assert border is not None
    assert holder(found.attribution) == "Copper"
    assert [(one.from_ns, holder(one.attribution)) for one in found.holders] == [
        (at("2026-03-02 01:00:00"), None),
        (border, "Copper"),
    ]


def test_an_address_that_changes_hands_is_each_holders_in_its_time_and_in_all_nobodys(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "2026-03-02"), ("Tin", "2026-03-03", "")))
    found = loaded.attribute(mining((5000, "2026-03-01 00:00:00", "2026-03-05 00:00:00")))
    assert [holder(one.attribution) for one in found.holders] == ["Copper", "Tin"]
    assert found.holders[0].to_ns == found.holders[1].from_ns
    assert found.attribution is not None
    assert (found.attribution.result, found.attribution.enterprise) == ("conflict", None)
    for one in found.holders:
        assert holder(loaded.answer(MINER, 5000, one.from_ns)) == holder(one.attribution)


def test_a_row_that_ends_names_nobody_for_the_time_after_it(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "2026-03-02")))
    found = loaded.attribute(mining((5000, "2026-03-01 00:00:00", "2026-03-05 00:00:00")))
    assert [holder(one.attribution) for one in found.holders] == ["Copper", None]
    assert found.attribution is not None
    assert found.attribution.result == "unknown"
    assert "before, it was Copper" in found.attribution.reasons[0]


def test_a_gap_between_two_rows_of_one_holder_is_nobodys(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "2026-03-02"), ("Copper", "2026-03-05", "")))
    long = loaded.attribute(mining((5000, "2026-03-01 00:00:00", "2026-03-08 00:00:00")))
    assert [holder(one.attribution) for one in long.holders] == ["Copper", None, "Copper"]
    assert holder(long.attribution) == "Copper"
    two = mining((5000, "2026-03-01 00:00:00", "2026-03-01 01:00:00"), (5001, "2026-03-07 00:00:00", "2026-03-08"))
    assert of(loaded.attribute(two), "2026-03-04 00:00:00") is None
    assert [holder(one.attribution) for one in two.holders] == ["Copper", "Copper"]


def test_one_hour_of_captures_dated_1970_is_nobodys_and_takes_nobodys_name(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2020-01-01", "")))
    found = mining(
        (5000, "1970-01-01 00:00:00", "1970-01-01 01:00:00"), (5001, "2026-03-02 00:00:00", "2026-03-02 09:00:00")
    )
    loaded.attribute(found)
    assert holder(found.attribution) == "Copper"
    assert of(found, "1970-01-01 00:30:00") is None
    assert of(found, "2026-03-02 00:00:00") == of(found, "2026-03-02 09:00:00") == "Copper"


def test_leases_of_a_port_that_change_hands_are_asked_for_by_time(books: Books) -> None:
    leases = "outside,first_port,last_port,account,begin,end\n"
    leases += f"{MINER},5000,5999,a1,2026-03-01 00:00:00,2026-03-02 00:00:00\n"
    leases += f"{MINER},5000,5999,a2,2026-03-02 00:00:00,2026-03-03 00:00:00\n"
    leases += f"{MINER},6000,6999,a1,2026-03-01 00:00:00,2026-03-03 00:00:00\n"
    loaded = books(NAT, nat_csv=leases, who_csv=WHO)
    first = loaded.answer(MINER, 5000, at("2026-03-01 12:00:00"))
    border = first.claims[0].valid_until_ns
    assert border is not None
    found = loaded.attribute(mining((5000, "2026-03-01 12:00:00", "2026-03-02 12:00:00")))
    assert found.holders[0].to_ns == border
    assert [holder(one.attribution) for one in found.holders] == ["Copper", "Tin"]
    assert found.holders[0].from_ns == at("2026-03-01 12:00:00"), "before, others may have had other ports"
    hours = (5000, "2026-03-02 06:00:00", "2026-03-02 12:00:00"), (6000, "2026-03-02 08:00:00", "2026-03-02 10:00:00")
    both = mining(*hours)
    loaded.attribute(both)
    names = [of(both, f"2026-03-02 {hour}:00:00") for hour in ("07", "09", "11")]
    assert names == ["Tin", None, "Tin"], "two subscribers at one time are nobody"


def test_an_account_that_is_given_on_under_a_lease_is_two_holders(books: Books) -> None:
    nat = f"outside,inside,account,begin,end\n{MINER},,a1,2024-01-01,2030-01-01\n"
    who = "account,organisation,valid_from,valid_until\na1,Copper,2024-01-01,2025-06-30\na1,Tin,2025-07-01,\n"
    loaded = books(NAT, nat_csv=nat, who_csv=who)
    found = loaded.attribute(mining((5000, "2025-06-01 00:00:00", "2025-08-01 00:00:00")))
    assert [holder(one.attribution) for one in found.holders] == ["Copper", "Tin"]


def test_ports_of_a_computed_translator_are_each_their_subscribers_in_their_own_time(books: Books) -> None:
    sources = f"kind: nat, inside: 100.64.0.1-100.64.0.14, outside: {MINER}, dynamic_factor: 2\n{BOOK}"
    book = "first,last,organisation,valid_from\n100.64.0.1,,Copper,2026-03-01\n100.64.0.2,,Tin,\n"
    loaded = books(sources, book_csv=book)
    found = mining((1024, "2026-02-27 00:00:00", "2026-03-02 00:00:00"), (5056, "2026-03-03", "2026-03-04"))
    loaded.attribute(found)
    assert [holder(one.attribution) for one in found.holders] == [None, "Copper", "Tin"]


def test_a_holder_is_known_from_when_on_its_row_holds_and_not_through_another_port(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "2026-01-31"), ("Tin", "2026-02-01", "")))
    found = loaded.attribute(mining((5000, "2026-03-02 00:00:00", "2026-03-02 01:00:00")))
    assert of(found, "2026-02-03 00:00:00") == "Tin"
    assert of(found, "2026-01-30 00:00:00") is None
    always = books(BOOK, book_csv=days(("Copper", "", "")))
    assert always.attribute(mining((5000, "2026-03-02 00:00:00", "2026-03-02 01:00:00"))).holders == ()
    leased = HEAD + f"{MINER},,Copper,2026-01-01,,,\n{MINER},,Tin,2026-02-01,2026-02-10,6000,6999\n"
    mixed = books(BOOK, book_csv=leased).attribute(mining((5000, "2026-03-02 00:00:00", "2026-03-02 01:00:00")))
    assert of(mixed, "2026-02-20 00:00:00") == "Copper"
    assert of(mixed, "2026-02-05 00:00:00") is None, "the ports were shared then, and which it was is not known"


def test_connections_that_are_no_longer_listed_are_asked_for_without_a_port(books: Books) -> None:
    book = HEAD + f"{MINER},,Copper,2026-01-01,2026-03-02,,\n{MINER},,Tin,2026-03-03,,5000,5999\n"
    loaded = books(BOOK, book_csv=book)
    found = mining((5000, "2026-03-05 00:00:00", "2026-03-06 00:00:00"), flow_count=300)
    found.first_ns = at("2026-03-01 00:00:00")
    loaded.attribute(found)
    names = [of(found, f"2026-03-0{day} 01:00:00") for day in (1, 4, 5)]
    assert names == ["Copper", None, "Tin"]


def test_stretches_are_bounded_and_the_newest_stay(books: Books) -> None:
    dates = [f"2026-0{1 + day // 28}-{1 + day % 28:02}" for day in range(100)]
    rows = [(("Copper", "Tin")[day % 2], date, date) for day, date in enumerate(dates)]
    loaded = books(BOOK, book_csv=days(*rows))
    found = loaded.attribute(mining((5000, "2026-01-01 00:00:00", "2026-04-10 00:00:00")))
    assert len(found.holders) == stretches.MOST_STRETCHES
    assert found.holders[-1].from_ns <= found.last_ns < found.holders[-1].to_ns


HOURS = st.integers(0, 40)
SPANS = st.tuples(HOURS, HOURS).map(sorted)
ROWS = st.tuples(SPANS, st.sampled_from(("Copper", "Tin", "Zinc")), st.sampled_from((None, 5000, 5001)))
FLOWS = st.tuples(SPANS, st.sampled_from((5000, 5001, 5002)))
BASE = "2026-03-02 00:00:00"


def clock(hour: int) -> str:
    return f"2026-03-{2 + hour // 24:02} {hour % 24:02}:00:00"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=8), flows=st.lists(FLOWS, min_size=1, max_size=5))
def test_at_every_moment_the_stretch_names_whom_the_books_name_then(
    books: Books, rows: list[tuple[list[int], str, int | None]], flows: list[tuple[list[int], int]]
) -> None:
    """Random books and random connections: a stretch says what each connection of that moment is answered."""
    lines = ["192.0.2.200,,Other,,,,\n"]
    for (begin, end), name, port in rows:
        lines.append(f"{MINER},,{name},{clock(begin)},{clock(end)},{port or ''},{port or ''}\n")
    loaded = books(BOOK, book_csv=HEAD + "".join(lines))
    found = mining(*((port, clock(begin), clock(end)) for (begin, end), port in flows))
    loaded.attribute(found)
    for quarter in range(41 * 4):
        at_ns = at(BASE) + quarter * 900_000_000_000
        present = [one for one in found.flows if one.first_ns <= at_ns <= one.last_ns]
        named = {holder(loaded.answer(MINER, one.key.src_port, at_ns)) for one in present}
        if present:
            assert at_instant(found, at_ns) == (named.pop() if len(named) == 1 else None)
        elif (name := at_instant(found, at_ns)) is not None:
            outside = not min(one.first_ns for one in found.flows) <= at_ns <= max(one.last_ns for one in found.flows)
            ports: tuple[int | None, ...] = (None,) if outside else tuple(one.key.src_port for one in found.flows)
            assert name in {holder(loaded.answer(MINER, port, at_ns)) for port in ports}
