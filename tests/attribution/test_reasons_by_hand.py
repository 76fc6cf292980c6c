"""What of a decision is said, and as what each other claim stands beside it: one case for each word."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.attribution import Attributor
from sensor.attribution.answer.borders import borders
from sensor.attribution.answer.claims import NAME_ONLY
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from tests.attribution.conftest import Books
from tests.attribution.test_answers import COPPER, INVENTORY, NOW, TIN, row
from tests.attribution.test_answers import HEAD as CHINESE
from tests.attribution.test_stretches import BOOK, mining

HEAD = "first,last,organisation,address,vlan,port_first,port_last\n"
ALL_DAY = "2026-03-02 00:00:00,2026-03-03 00:00:00"
NARROW = "10.0.0.5,,Tin,,100,,\n"
WIDE = "10.0.0.0,10.0.0.255,Copper,,,,\n"


def loaded(books: Books, *rows: str) -> Attributor:
    return books(BOOK, book_csv=HEAD + "".join(rows))


def with_words(reasons: tuple[str, ...], words: str) -> list[str]:
    return [reason for reason in reasons if words in reason]


@pytest.mark.parametrize("rows", [(NARROW, WIDE), (WIDE, NARROW)])
def test_what_is_narrower_elsewhere_is_said_whichever_row_comes_first(books: Books, rows: tuple[str, ...]) -> None:
    found = loaded(books, *rows).answer("10.0.0.5", None, NOW, vlan=(5,))
    assert (found.result, found.enterprise) == ("conflict", None)
    assert with_words(found.reasons, "10.0.0.5/32, VLAN 100 of Tin (book.csv:")
    plain = loaded(books, *rows).answer("10.0.0.6", None, NOW, vlan=(5,))
    assert plain.result == "named"
    assert plain.reasons == (
        "10.0.0.0/24 is allocated to Copper",
        "the enterprise is known by its name alone, without a code: the weaker identity",
    )


def test_a_vlan_that_the_book_names_and_nobody_saw_is_said(books: Books) -> None:
    words = "the book names a VLAN"
    asked = loaded(books, NARROW)
    assert with_words(asked.answer("10.0.0.5", None, NOW).reasons, words)
    assert not with_words(asked.answer("10.0.0.5", None, NOW, vlan=(100,)).reasons, words)
    assert not with_words(loaded(books, WIDE).answer("10.0.0.5", None, NOW).reasons, words)
    disputed = loaded(books, NARROW, NARROW.replace("Tin", "Copper")).answer("10.0.0.5", None, NOW)
    assert disputed.result == "conflict"
    assert not with_words(disputed.reasons, words)


def test_each_row_has_its_own_premises(books: Books) -> None:
    asked = loaded(books, "10.0.0.1,,Copper,1 Quay,,,\n", "10.0.0.2,,Copper,2 Quay,,,\n", "10.0.0.3,,Copper,,,,\n")
    sites = [asked.answer(f"10.0.0.{last}", None, NOW).site for last in (1, 2, 3)]
    assert [site and site.address for site in sites] == ["1 Quay", "2 Quay", None]


def test_what_stands_beside_an_answer_agrees_is_wider_or_disagrees(books: Books) -> None:
    asked = books(
        "kind: inventory, path: a.csv\nkind: inventory, path: b.csv",
        a_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n{WIDE}",
        b_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n",
    )
    found = asked.answer("10.0.0.5", None, NOW)
    assert sorted(claim.standing for claim in found.claims) == ["agrees", "answer", "wider"]
    alone = books(
        "kind: inventory, path: a.csv\nkind: inventory, path: b.csv",
        a_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n",
        b_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n",
    )
    assert [claim.standing for claim in alone.answer("10.0.0.5", None, NOW).claims] == ["answer", "agrees"]
    by_port = loaded(books, "10.0.0.5,,Copper,,,0,999\n", "10.0.0.5,,Tin,,,0,1999\n", "10.0.0.5,,Lead,,,500,2999\n")
    found = by_port.answer("10.0.0.5", 400, NOW)
    assert found.enterprise is not None
    assert found.enterprise.name == "Copper"
    assert [claim.standing for claim in found.claims] == ["answer", "wider"]
    assert by_port.answer("10.0.0.5", 600, NOW).result == "conflict"  # neither 0-999 nor 500-2999 lies in the other


def test_premises_that_one_of_two_agreeing_books_has_are_no_difference(books: Books) -> None:
    for first, second, site in (("", "1 Quay", None), ("1 Quay", "", "1 Quay"), ("1 Quay", "2 Quay", None)):
        asked = books(
            "kind: inventory, path: a.csv\nkind: inventory, path: b.csv",
            a_csv=f"{HEAD}10.0.0.5,,Copper,{first},,,\n",
            b_csv=f"{HEAD}10.0.0.5,,Copper,{second},,,\n",
        )
        found = asked.answer("10.0.0.5", None, NOW)
        assert found.result == "named"
        assert (found.site and found.site.address) == site
        assert bool(with_words(found.reasons, "differ on the premises")) is (first != "" and second != "")


def test_a_row_is_narrower_by_range_or_by_ports_and_only_where_it_lies_in_the_other(books: Books) -> None:
    wanted = {
        ("10.0.0.5", (0, 999)): {("10.0.0.5", (0, 1_999)), ("10.0.0.5", None), ("10.0.0.4", (0, 999))},
        ("10.0.0.5", (0, 1_999)): {("10.0.0.5", None)},
        ("10.0.0.5", (500, 2_999)): {("10.0.0.5", None)},
        ("10.0.0.5", (1_000, 1_999)): {("10.0.0.5", (0, 1_999)), ("10.0.0.5", (500, 2_999)), ("10.0.0.5", None)},
        ("10.0.0.5", None): set(),
        ("10.0.0.4", (0, 999)): set(),
    }
    last = {"10.0.0.5": "10.0.0.5", "10.0.0.4": "10.0.0.7"}
    texts = ((first, "," if ports is None else f"{ports[0]},{ports[1]}") for first, ports in wanted)
    rows = [f"{first},{last[first]},Copper,,,{ports}\n" for first, ports in texts] * 2
    claims = loaded(books, *rows).claims
    found = {place: claims.claim(place) for place in range(len(rows))}
    kinds = {place: (claim.allocation.split("/")[0], claim.ports) for place, claim in found.items()}
    for inner, kind in kinds.items():
        assert {kinds[outer] for outer in kinds if claims.inside(inner, outer)} == wanted[kind]


def test_behind_a_translator_a_vlan_was_not_seen(books: Books) -> None:
    asked = books(
        f"kind: leases, format: nat-csv, path: nat.csv\n{BOOK}",
        nat_csv=f"outside,inside,begin,end\n192.0.2.9,10.0.0.5,{ALL_DAY}\n",
        book_csv=HEAD + NARROW,
    )
    found = asked.answer("192.0.2.9", 500, NOW, vlan=(7,))
    assert found.enterprise is not None
    assert with_words(found.reasons, "the book names a VLAN")


@pytest.mark.parametrize("dates", [("2024-01-01", "2026-01-01"), ("2026-01-01", "2024-01-01")])
def test_books_of_equal_weight_disagree_whichever_is_the_newer(books: Books, dates: tuple[str, str]) -> None:
    asked = books(
        "\n".join(f"kind: inventory, path: {name}.csv, as_of: {day}" for name, day in zip("ab", dates, strict=True)),
        a_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n",
        b_csv=f"{HEAD}10.0.0.5,,Tin,,,,\n",
    )
    found = asked.answer("10.0.0.5", None, NOW)
    assert (found.result, found.enterprise) == ("conflict", None)


@pytest.mark.parametrize(("many", "words"), [("64", "one of 64 subscribers"), ("", "one of several subscribers")])
def test_by_how_many_a_pool_is_used_is_said_as_the_book_has_it(books: Books, many: str, words: str) -> None:
    book = CHINESE + row("192.0.2.0", "192.0.2.255", "宽带公司", use="NAT地址池", many=many, code=TIN)
    found = books(INVENTORY, book_csv=book).answer("192.0.2.10", 1_500, NOW)
    assert (found.result, found.enterprise) == ("shared", None)
    assert words in found.reasons[0]


def test_an_identity_by_name_alone_is_said_and_one_by_code_is_not(books: Books) -> None:
    book = CHINESE + row("192.0.2.1", "192.0.2.1", "铜公司", code=COPPER) + row("192.0.2.2", "192.0.2.2", "无码公司")
    asked = books(INVENTORY, book_csv=book)
    words = "known by its name alone"
    by_code, by_name = (asked.answer(f"192.0.2.{last}", None, NOW) for last in (1, 2))
    assert not with_words(by_code.reasons, words)
    assert with_words(by_name.reasons, words)
    assert by_name.claims[0].strength == pytest.approx(by_code.claims[0].strength * NAME_ONLY, abs=1e-4)


def test_behind_a_translator_the_port_is_not_known(books: Books) -> None:
    asked = books(
        "kind: leases, format: nat-csv, path: nat.csv\nkind: leases, format: nat-csv, path: in.csv",
        nat_csv=f"outside,inside,begin,end\n192.0.2.9,10.0.0.5,{ALL_DAY}\n",
        in_csv="outside,first_port,last_port,account,begin,end\n"
        f"10.0.0.5,0,999,a1,{ALL_DAY}\n10.0.0.5,1000,1999,a2,{ALL_DAY}\n",
    )
    found = asked.answer("192.0.2.9", 500, NOW)
    assert (found.result, found.enterprise) == ("shared", None)
    assert with_words(found.reasons, "one of at least 2 subscribers; the port is not known")


def test_translators_that_lead_to_each_other_end_with_nobody(books: Books) -> None:
    loop = f"outside,inside,begin,end\n192.0.2.7,10.0.0.5,{ALL_DAY}\n10.0.0.5,192.0.2.7,{ALL_DAY}\n"
    asked = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=loop)
    found = asked.attribute(mining((5_000, "2026-03-02 08:00:00", "2026-03-02 09:00:00")))
    assert found.attribution is not None
    assert (found.attribution.result, found.attribution.enterprise) == ("shared", None)


def test_an_interface_is_part_of_the_point_of_live_traffic_alone(books: Books) -> None:
    asked = Attributor(loaded(books, WIDE).books, points=[("lo", None, "red")])
    for live, vrf in ((True, "red"), (False, "")):
        one = mining((5_000, "2026-03-02 08:00:00", "2026-03-02 09:00:00"))
        one.flows = [dataclasses.replace(flow, source="lo") for flow in one.flows]
        asked.attribute(one, live=live)
        assert [flow.vrf for flow in one.flows] == [vrf]


LEASES = "outside,first_port,last_port,account,begin,end\n"


def test_whose_a_leased_account_is_is_said_with_its_book(books: Books) -> None:
    asked = books(
        "kind: leases, format: nat-csv, path: nat.csv\nkind: inventory, preset: customers, path: who.csv",
        nat_csv=f"{LEASES}192.0.2.9,0,999,a1,{ALL_DAY}\n",
        who_csv="account,organisation\na1,Copper\n",
    )
    found = asked.answer("192.0.2.9", 500, NOW)
    assert found.reasons[0] == (
        "192.0.2.9/32, ports 0-999 was leased to subscriber a1, whose account is Copper's (who.csv:2)"
    )


def test_of_leases_of_other_ports_only_their_first_and_last_moment_cut(books: Books) -> None:
    first, second = "2026-03-02 10:00:00,2026-03-02 12:00:00", "2026-03-02 11:00:00,2026-03-02 13:00:00"
    rows = f"192.0.2.9,1000,1999,a1,{first}\n192.0.2.9,2000,2999,a2,{second}\n"
    asked = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=LEASES + rows)
    question = asked.question("192.0.2.9", 5_000, NOW, vlan=(), interface=None, vrf=None)
    assert question is not None
    first_ns, last_ns = borders(asked.claims, question, NOW - 2 * DAY_NS, NOW + 2 * DAY_NS)
    assert last_ns - first_ns == 3 * HOUR_NS + SECOND_NS  # the last second is the lease's


def test_what_is_no_address_is_counted_as_unknown(books: Books) -> None:
    asked = loaded(books, WIDE)
    assert asked.answer("nonsense", None, NOW).result == "unknown"
    assert asked.stats()["lookups_unknown"] == 1
