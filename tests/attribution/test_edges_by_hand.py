"""Answers at the edges: the first of several, the port 0, the moment at which a row begins, the last day on which a
book is fresh; reckoned by hand.
"""

from __future__ import annotations

import pytest

from sensor.attribution.answer.borders import borders
from sensor.attribution.answer.connections import ask_about
from sensor.attribution.answer.explanation import MOST_CLAIMS
from sensor.attribution.answer.stretches import MOST_STRETCHES
from sensor.model.time import DAY_NS, SECOND_NS
from tests.attribution.conftest import Books
from tests.attribution.test_answers import COPPER, INVENTORY, NOW, row
from tests.attribution.test_answers import HEAD as CHINESE
from tests.attribution.test_answers_by_hand import connected
from tests.attribution.test_reasons_by_hand import ALL_DAY, HEAD, LEASES, loaded, with_words
from tests.attribution.test_stretches import BOOK, MINER, at, days, holder, mining

#: Two translators that compute whose a port is, each with two users; whose those are, a book behind them says.
TRANSLATORS = """kind: nat, inside: 100.64.0.1-100.64.0.2, outside: 192.0.2.1, first_port: 0, inside_vrf: cgn
kind: nat, inside: 100.64.1.1-100.64.1.2, outside: 192.0.2.2, first_port: 0, inside_vrf: cgn
kind: inventory, path: in.csv, vrf: cgn
kind: inventory, path: out.csv"""
INSIDE = """first,last,organisation
100.64.0.1,,Copper
100.64.0.2,,Tin
100.64.1.1,,Zinc
100.64.1.2,,Lead
"""


@pytest.mark.parametrize(
    ("address", "port", "name"),
    [
        ("192.0.2.1", 0, "Copper"),
        ("192.0.2.1", 60_000, "Tin"),
        ("192.0.2.2", 0, "Zinc"),
        ("192.0.2.2", 1, "Zinc"),
        ("192.0.2.2", 60_000, "Lead"),
    ],
)
def test_each_translator_leads_to_its_own_users_from_the_port_0_on(
    books: Books, address: str, port: int, name: str
) -> None:
    asked = books(TRANSLATORS, in_csv=INSIDE, out_csv="first,last,organisation\n192.0.2.99,,Iron\n")
    found = asked.answer(address, port, NOW)
    assert (found.result, holder(found)) == ("named", name)
    assert f"{address}/32 port {port} belongs to 100.64." in found.reasons[0]
    of_time = mining((port, "2026-03-02 08:00:00", "2026-03-02 09:00:00"), miner_ip=address)
    assert holder(asked.attribute(of_time).attribution) == name


@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.2"])
def test_without_a_port_a_translator_says_how_many_share_it(books: Books, address: str) -> None:
    asked = books(TRANSLATORS, in_csv=INSIDE, out_csv="first,last,organisation\n192.0.2.99,,Iron\n")
    found = asked.answer(address, None, NOW)
    assert (found.result, found.enterprise) == ("shared", None)
    assert with_words(found.reasons, "shared by 2 subscribers by computed ports; the port is not known")


@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.2"])
def test_a_book_that_names_another_than_the_translator_disagrees_with_it(books: Books, address: str) -> None:
    asked = books(TRANSLATORS, in_csv=INSIDE, out_csv=f"first,last,organisation\n{address},,Iron\n")
    found = asked.answer(address, 0, NOW)
    assert [claim.standing for claim in found.claims if claim.enterprise and claim.enterprise.name == "Iron"] == [
        "conflict"
    ]


@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.2"])
def test_who_is_behind_a_translator_changes_when_a_row_behind_it_ends(books: Books, address: str) -> None:
    head = "first,last,organisation,valid_from,valid_until\n"
    rows = "".join(
        f"100.64.{number}.1,,{name},{first},{last}\n"
        for number in (0, 1)
        for name, first, last in (("Copper", "2026-01-01", "2026-03-01"), ("Tin", "2026-03-03", "2026-12-31"))
    )
    asked = books(TRANSLATORS, in_csv=head + rows, out_csv="first,last,organisation\n192.0.2.99,,Iron\n")
    found = asked.attribute(mining((0, "2026-03-01 08:00:00", "2026-03-05 09:00:00"), miner_ip=address))
    assert [holder(one.attribution) for one in found.holders] == ["Copper", None, "Tin"]


def test_the_premises_of_a_claim_are_those_of_its_row(books: Books) -> None:
    asked = loaded(books, "10.0.0.1,,Copper,1 Quay,,,\n", "10.0.0.2,,Copper,2 Quay,,,\n", "10.0.0.3,,Copper,,,,\n")
    sites = [asked.answer(f"10.0.0.{last}", None, NOW).claims[0].site for last in (1, 2, 3)]
    assert [site and site.address for site in sites] == ["1 Quay", "2 Quay", None]


def test_a_name_without_a_code_counts_a_tenth_less(books: Books) -> None:
    book = CHINESE + row("192.0.2.1", "192.0.2.1", "铜公司", code=COPPER) + row("192.0.2.2", "192.0.2.2", "无码公司")
    asked = books(f"{INVENTORY}, strength: 0.98765", book_csv=book)
    by_code, by_name = (asked.answer(f"192.0.2.{last}", None, NOW).claims[0].strength for last in (1, 2))
    assert (by_code, by_name) == (0.98765, 0.8889)


def test_a_row_holds_from_its_first_moment_until_before_its_last(books: Books) -> None:
    asked = books(BOOK, book_csv=days(("Copper", "2026-03-02", "2026-03-04")))
    claim = next(claim for claim, _ in asked.others(MINER, None, at("2026-01-01 00:00:00")))
    assert claim.valid_from_ns is not None
    assert claim.valid_until_ns is not None
    for moment_ns, words in (
        (claim.valid_from_ns - 1, ["begins later"]),
        (claim.valid_from_ns, []),
        (claim.valid_until_ns - 1, []),
        (claim.valid_until_ns, ["ended before"]),
        (claim.valid_until_ns + 1, ["ended before"]),
    ):
        assert [why for _, why in asked.others(MINER, None, moment_ns)] == words


@pytest.mark.parametrize(("port", "words"), [(0, "port 0 is in no lease"), (None, "the port is not known")])
def test_the_port_0_is_a_port(books: Books, port: int | None, words: str) -> None:
    rows = f"192.0.2.9,1000,1999,a1,{ALL_DAY}\n192.0.2.9,2000,2999,a2,{ALL_DAY}\n"
    found = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=LEASES + rows).answer("192.0.2.9", port, NOW)
    assert found.result == "shared"
    assert with_words(found.reasons, words)


@pytest.mark.parametrize(("older_s", "said"), [(180 * 86_400, False), (180 * 86_400 + 1, True), (200 * 86_400, True)])
def test_a_book_is_old_after_180_days(books: Books, older_s: int, said: bool) -> None:
    asked = books(f"{BOOK}, as_of: 2026-03-01", book_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n")
    as_of_ns = asked.books.books[0].as_of_ns
    assert as_of_ns is not None
    reasons = asked.answer("10.0.0.5", None, as_of_ns + older_s * SECOND_NS).reasons
    assert with_words(reasons, "days older") == (
        [f"the book is {older_s // 86_400} days older than what was seen"] if said else []
    )
    assert older_s * SECOND_NS // DAY_NS == older_s // 86_400


def test_sixteen_claims_are_shown_and_the_rest_is_counted(books: Books) -> None:
    assert MOST_CLAIMS == 16
    rows = "".join(f"10.0.0.0,10.0.0.{31 + number},Copper,,,,\n" for number in range(45))
    found = books(BOOK, book_csv=HEAD + rows).answer("10.0.0.5", None, NOW)
    assert len(found.claims) == 16
    assert found.reasons[-1] == "29 more claims are not shown"


def test_of_many_stretches_the_newest_64_are_told(books: Books) -> None:
    assert MOST_STRETCHES == 64
    begin = at("2026-01-01 00:00:00")
    clock = [f"2026-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(80)]
    turns = [("Copper" if number % 2 else "Tin", day, day) for number, day in enumerate(clock)]
    found = books(BOOK, book_csv=days(*turns)).attribute(mining((5_000, "2026-01-01 00:00:00", "2026-03-20 00:00:00")))
    assert len(found.holders) == 64
    assert found.holders[0].from_ns > begin


def test_until_when_the_last_holder_was_it_is_said_after_several(books: Books) -> None:
    """Copper, then Copper elsewhere, then nobody: the third stretch is the last."""
    rows = f"{MINER},,Copper,1 Quay,2026-03-01,2026-03-02\n{MINER},,Copper,2 Quay,2026-03-03,2026-03-04\n"
    head = "first,last,organisation,address,valid_from,valid_until\n"
    found = books(BOOK, book_csv=head + rows).attribute(mining((5_000, "2026-03-01 12:00:00", "2026-03-06 00:00:00")))
    assert [holder(one.attribution) for one in found.holders] == ["Copper", "Copper", None]
    assert found.attribution is not None
    assert "no book speaks of the time since 2026-03-0" in found.attribution.reasons[0]
    assert (found.attribution.result, found.attribution.enterprise) == ("unknown", None)


def test_the_oldest_date_of_the_books_is_told_in_seconds(books: Books) -> None:
    asked = loaded(books, "10.0.0.5,,Copper,,,,\n")
    asked.books.books[0].as_of_ns = 1_500_000_000
    assert asked.stats()["oldest_book_timestamp_seconds"] == 1.5
    asked.books.books.clear()
    assert asked.stats()["oldest_book_timestamp_seconds"] == 0.0


def test_what_one_holder_had_in_two_connections_is_one_stretch_behind_that_of_another(books: Books) -> None:
    asked = books(BOOK, book_csv=days(("Tin", "2026-03-01", "2026-03-01"), ("Copper", "2026-03-02", "2026-03-02")))
    found = asked.attribute(
        mining(
            (5_000, "2026-03-01 08:00:00", "2026-03-01 09:00:00"),
            (5_001, "2026-03-02 08:00:00", "2026-03-02 09:00:00"),
            (5_002, "2026-03-02 10:00:00", "2026-03-02 11:00:00"),
        )
    )
    assert [holder(one.attribution) for one in found.holders] == ["Tin", "Copper"]
    assert found.holders[1].from_ns > found.holders[0].from_ns


def test_leases_of_other_ports_cut_where_a_group_of_them_begins_and_ends(books: Books) -> None:
    times = ("10:00:00,12:00:00", "11:00:00,13:00:00", "15:00:00,16:30:00", "16:00:00,17:00:00", "20:00:00,21:00:00")
    rows = "".join(
        f"192.0.2.9,{1_000 * number},{1_000 * number + 999},a{number},2026-03-02 {first},2026-03-02 {last}\n"
        for number, (first, last) in enumerate((each.split(",") for each in times), 1)
    )
    asked = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=LEASES + rows)
    question = asked.question("192.0.2.9", 9_000, NOW, vlan=(), interface=None, vrf=None)
    assert question is not None
    found = borders(asked.claims, question, NOW - 2 * DAY_NS, NOW + 2 * DAY_NS)
    assert [at_ns % DAY_NS // (60 * SECOND_NS) for at_ns in found] == [
        (found[0] % DAY_NS // (60 * SECOND_NS)) + minutes for minutes in (0, 180, 300, 420, 600, 660)
    ]


def test_rows_of_the_seen_point_cut_and_those_of_another_do_not(books: Books) -> None:
    head = "first,last,organisation,vlan,valid_from,valid_until\n"
    rows = "10.0.0.5,,Tin,200,2026-02-01,\n10.0.0.5,,Copper,,2026-03-01,\n10.0.0.5,,Zinc,100,2026-04-01,\n"
    asked = books(f"{BOOK}\nkind: inventory, path: other.csv, vrf: red", book_csv=head + rows,
                  other_csv=head + "10.0.0.5,,Iron,,2026-05-01,\n")  # fmt: skip
    for vlan in ((), (100,)):
        question = asked.question("10.0.0.5", None, NOW, vlan=vlan, interface=None, vrf="")
        assert question is not None
        assert len(borders(asked.claims, question, NOW - 400 * DAY_NS, NOW + 400 * DAY_NS)) == 3


@pytest.mark.parametrize("rows", [(",,100", ",,"), (",,", ",,100")])
def test_of_one_range_the_row_with_a_vlan_is_the_narrower(books: Books, rows: tuple[str, str]) -> None:
    head = "first,last,organisation,address,vlan\n"
    asked = books(BOOK, book_csv=head + "".join(f"10.0.0.5,,Tin{end}\n" for end in rows))
    (tagged,) = [row for row in (0, 1) if asked.claims.claim(row).vlan == 100]
    assert asked.claims.inside(tagged, 1 - tagged)
    assert not asked.claims.inside(1 - tagged, tagged)


def test_a_wider_range_of_few_ports_is_not_the_narrower(books: Books) -> None:
    asked = loaded(books, "10.0.0.0,10.0.0.255,Copper,,,1000,1999\n", "10.0.0.5,,Tin,,,,\n")
    (wide,) = [row for row in (0, 1) if asked.claims.claim(row).ports]
    assert not asked.claims.narrower(wide, 1 - wide)
    assert asked.claims.narrower(1 - wide, wide)


def test_books_that_were_given_one_strength_disagree(books: Books) -> None:
    strengths = [f"kind: inventory, path: {name}.csv, strength: 0.7" for name in "ab"]
    found = books("\n".join(strengths), a_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n", b_csv=f"{HEAD}10.0.0.5,,Tin,,,,\n")
    assert found.answer("10.0.0.5", None, NOW).result == "conflict"


def test_of_books_that_are_believed_less_the_strongest_is_named(books: Books) -> None:
    sources = "\n".join(
        f"kind: inventory, path: {name}.csv, strength: {by}" for name, by in zip("abc", (0.9, 0.6, 0.5), strict=True)
    )
    asked = books(
        sources,
        a_csv=f"{HEAD}10.0.0.5,,Copper,,,,\n",
        b_csv=f"{HEAD}10.0.0.5,,Tin,,,,\n",
        c_csv=f"{HEAD}10.0.0.5,,Zinc,,,,\n",
    )
    found = asked.answer("10.0.0.5", None, NOW)
    assert holder(found) == "Copper"
    assert with_words(found.reasons, "says otherwise") == ["b.csv:2 says otherwise, and is believed less"]


def test_a_finding_without_connections_is_asked_for_with_its_last_moment() -> None:
    assert ask_about(connected(first_ns=50, last_ns=71), live=False)[0][1:] == (50, 72)


def test_a_narrower_range_of_any_vlan_is_not_within_a_wider_one_of_a_single_vlan(books: Books) -> None:
    asked = loaded(books, "10.0.0.0,10.0.0.255,Copper,,100,,\n", "10.0.0.5,,Tin,,,,\n")
    (tagged,) = [row for row in (0, 1) if asked.claims.claim(row).vlan == 100]
    assert not asked.claims.inside(1 - tagged, tagged)


def test_through_other_ports_than_a_row_has_is_said_of_any_port(books: Books) -> None:
    asked = books(BOOK, book_csv="first,last,organisation,port_first,port_last\n192.0.2.7,,Copper,1000,1999\n")
    assert [why for _, why in asked.others("192.0.2.7", 5_000, NOW)] == ["through other ports"]


def test_a_holder_is_named_until_another_book_names_somebody_else(books: Books) -> None:
    rows = days(("Copper", "2026-03-01", ""), ("Tin", "2026-03-05", ""))
    found = books(BOOK, book_csv=rows).attribute(mining((5_000, "2026-03-02 08:00:00", "2026-03-02 09:00:00")))
    (only,) = found.holders
    assert holder(only.attribution) == "Copper"
    assert at("2026-03-04 00:00:00") < only.to_ns <= at("2026-03-05 00:00:00")
