"""Answers at the last step of each way: proxies of many ends, a last moment, a conflict of all time, translators behind
translators, a single port.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest

from sensor.attribution import Attributor
from sensor.attribution.answer.claims import scope
from sensor.attribution.answer.decision import MOST_TRANSLATIONS
from tests.attribution.conftest import Books
from tests.attribution.test_answers import NOW, name
from tests.attribution.test_stretches import BOOK, MINER, at, days, holder, mining

NAT = "outside,first_port,last_port,inside,begin,end\n"
ALL_DAY = "2026-03-02 00:00:00,2026-03-03 00:00:00"


@pytest.mark.parametrize(
    ("clients", "named"),
    [
        (("203.0.113.9:4000",), "Copper"),
        (("203.0.113.9:6000",), "Tin"),
        (("203.0.113.9:4000", "203.0.113.9:4001"), None),
        (("203.0.113.9:4000", "203.0.113.9:6000"), None),
    ],
)
def test_an_end_behind_a_proxy_is_asked_for_with_its_port_only_where_there_is_a_single_one(
    books: Books, clients: tuple[str, ...], named: str | None
) -> None:
    leases = "outside,first_port,last_port,account,begin,end\n"
    leases += f"203.0.113.9,0,4999,a1,{ALL_DAY}\n203.0.113.9,5000,65535,a2,{ALL_DAY}\n"
    loaded = books(
        "kind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv",
        nat_csv=leases,
        who_csv="account,organisation\na1,Copper\na2,Tin\n",
    )
    begin, end = "2026-03-02 08:00:00", "2026-03-02 09:00:00"
    found = mining(*((5_000 + place, begin, end) for place in range(len(clients))))
    found.flows = tuple(
        dataclasses.replace(flow, client=client) for flow, client in zip(found.flows, clients, strict=True)
    )
    listed = Attributor(loaded.books, proxies=[f"{MINER}/32"])
    assert holder(listed.attribute(found).attribution) == named


def test_of_an_address_that_no_book_ever_had_nothing_is_told_of_before(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "")).replace(MINER, "192.0.2.99"))
    found = loaded.attribute(mining((5_000, "2026-03-01 00:00:00", "2026-03-05 00:00:00")))
    assert found.attribution is not None
    assert found.attribution.result == "unknown"
    assert not [reason for reason in found.attribution.reasons if "before" in reason]


def test_a_conflict_of_all_time_is_one_answer_without_stretches(books: Books) -> None:
    loaded = books(BOOK, book_csv=days(("Copper", "", ""), ("Tin", "", "")))
    found = loaded.attribute(mining((5_000, "2026-03-01 00:00:00", "2026-03-05 00:00:00")))
    assert found.attribution is not None
    assert (found.attribution.result, tuple(found.holders)) == ("conflict", ())


@pytest.mark.parametrize("before_ns", [0, 1, 2, 3, 1_000])
def test_a_holder_is_named_to_the_end_of_his_row_and_no_longer(books: Books, before_ns: int) -> None:
    """However shortly before it the last connection ended; a row of the same holder begins a day later."""
    loaded = books(BOOK, book_csv=days(("Copper", "2026-01-01", "2026-03-02"), ("Copper", "2026-03-04", "")))
    border = loaded.answer(MINER, None, at("2026-03-01 00:00:00")).claims[0].valid_until_ns
    assert border is not None
    found = mining((5_000, "2026-03-01 00:00:00", "2026-03-01 01:00:00"))
    found.flows[0].last_ns = border - before_ns
    loaded.attribute(found)
    named = [stretch for stretch in found.holders if holder(stretch.attribution) == "Copper"]
    assert named[0].to_ns == border


@pytest.mark.parametrize(("first", "last", "text"), [(4_000, 4_000, "port 4000"), (4_000, 4_999, "ports 4000-4999")])
def test_a_claim_tells_its_ports(books: Books, first: int, last: int, text: str) -> None:
    loaded = books(
        "kind: leases, format: nat-csv, path: nat.csv", nat_csv=f"{NAT}192.0.2.9,{first},{last},10.0.0.1,{ALL_DAY}\n"
    )
    (claim,) = loaded.answer("192.0.2.9", first, NOW).claims
    assert text in scope(claim).split(", ")


@pytest.mark.parametrize("translators", range(1, MOST_TRANSLATIONS + 3))
def test_so_many_translators_behind_each_other_are_followed_and_no_more(books: Books, translators: int) -> None:
    chain = [f"10.0.{place}.1" for place in range(translators + 1)]
    rows = "".join(f"{outer},{inner},{ALL_DAY}\n" for outer, inner in pairwise(chain))
    loaded = books(
        f"kind: leases, format: nat-csv, path: nat.csv\n{BOOK}",
        nat_csv="outside,inside,begin,end\n" + rows,
        book_csv=f"first,last,organisation\n{chain[-1]},,Copper\n",
    )
    answer = loaded.answer(chain[0], 4_000, NOW)
    assert name(answer) == ("Copper" if translators <= MOST_TRANSLATIONS else None)
