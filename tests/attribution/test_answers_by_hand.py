"""What is asked of connections, how several answers become one, and the words of an explanation, reckoned by hand."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.attribution.answer.claims import scope
from sensor.attribution.answer.connections import (
    Asked,
    AskedTime,
    ask_about,
    carried_for,
    ended_before,
    merge_answers,
)
from sensor.attribution.answer.explanation import MOST_CLAIMS
from sensor.model.attribution import Attribution, Claim, Enterprise, HolderStretch, Site
from sensor.model.finding import Finding
from sensor.model.observation import ObservationPoint
from tests.attribution.conftest import Books
from tests.attribution.test_stretches import BOOK, at
from tests.ledger.made import finding, flow

NOW = at("2026-03-02 08:00:00")
HEAD = "first,last,organisation,port_first,port_last\n"
COPPER, TIN = (Enterprise(name, name, None, None) for name in ("Copper", "Tin"))
HERE, THERE = Site("1 Quay", None), Site("2 Quay", None)


def connected(*flows: tuple[int, int, int, tuple[int, ...], str], **changes: object) -> Finding:
    """A finding of connections: port, first and last moment, VLANs, interface."""
    connections = []
    for port, first_ns, last_ns, vlans, source in flows:
        connection = flow(port)
        key = dataclasses.replace(connection.key, src_port=port)
        connections.append(
            dataclasses.replace(connection, key=key, first_ns=first_ns, last_ns=last_ns, vlans=vlans, source=source)
        )
    return dataclasses.replace(
        finding(1, tuple(connections)) if connections else finding(1), flows=connections, **changes
    )


def answer(result: str, enterprise: Enterprise | None = None, site: Site | None = None, *claims: Claim) -> Attribution:
    return Attribution("192.0.2.7", 5, 9, result, enterprise, site, claims, (f"{result}.",))  # type: ignore[arg-type]


def claim(place: str, **more: object) -> Claim:
    return dataclasses.replace(Claim("inventory", place, None, 1.0, "192.0.2.0/24", "answer", ""), **more)


# What is asked.


def test_each_connection_is_asked_for_with_its_port_at_its_place_and_time() -> None:
    found = connected((5_000, 100, 200, (7,), "eth1"), (6_000, 150, 120, (), "eth1"), flow_count=2, first_ns=100)
    assert ask_about(found, live=True) == [
        AskedTime(Asked(5_000, (7,), "eth1"), 100, 201),
        AskedTime(Asked(6_000, (), "eth1"), 150, 151),
    ]
    assert [time.asked.interface for time in ask_about(found, live=False)] == [None, None]


def test_time_of_connections_that_are_not_listed_is_asked_for_at_each_place_without_a_port() -> None:
    listed = (5_000, 100, 200, (7,), "eth1"), (6_000, 150, 300, (7,), "eth1"), (7_000, 90, 300, (8,), "eth2")
    found = connected(*listed, flow_count=4, first_ns=50)
    assert ask_about(found, live=True)[3:] == [
        AskedTime(Asked(None, (7,), "eth1"), 50, 90),
        AskedTime(Asked(None, (8,), "eth2"), 50, 90),
    ]
    assert len(ask_about(dataclasses.replace(found, flow_count=3), live=True)) == 3
    assert len(ask_about(dataclasses.replace(found, first_ns=90), live=True)) == 3


def test_a_finding_without_connections_is_asked_for_at_its_point() -> None:
    found = connected(first_ns=50, last_ns=70, point=ObservationPoint("eth1", (7,)))
    assert ask_about(found, live=True) == [AskedTime(Asked(None, (7,), "eth1"), 50, 71)]
    assert ask_about(found, live=False) == [AskedTime(Asked(None, (7,), None), 50, 71)]
    moment = connected(first_ns=50, last_ns=50, point=None)
    assert ask_about(moment, live=True) == [AskedTime(Asked(None, (), None), 50, 51)]


# Several answers as one.


def test_answers_of_one_party_are_one_and_its_premises_only_if_they_are_the_same() -> None:
    same = merge_answers([answer("named", COPPER, HERE), answer("named", COPPER, HERE)])
    assert (same.result, same.enterprise, same.site, same.port, same.at_ns) == ("named", COPPER, HERE, 5, 9)
    apart = merge_answers([answer("named", COPPER, HERE), answer("named", COPPER, THERE)])
    assert (apart.result, apart.enterprise, apart.site, apart.reasons) == ("named", COPPER, None, ("named.",))


@pytest.mark.parametrize(
    ("answers", "result", "words"),
    [
        ([answer("named", TIN), answer("named", COPPER)], "conflict", "different holders (Copper, Tin)"),
        ([answer("named", TIN), answer("shared")], "shared", "lead to Tin and nobody known"),
        ([answer("unknown"), answer("shared")], "shared", "lead to nobody known"),
    ],
)
def test_answers_of_several_parties_name_nobody(answers: list[Attribution], result: str, words: str) -> None:
    found = merge_answers(answers)
    assert (found.result, found.enterprise, found.site, found.port) == (result, None, None, None)
    assert words in found.reasons[0]
    assert found.reasons[1:] == answers[0].reasons


def test_a_claim_of_several_answers_is_shown_once_and_so_many_at_most() -> None:
    many = [claim(f"book.csv:{line}") for line in range(MOST_CLAIMS)]
    found = merge_answers([answer("named", COPPER, None, *many), answer("named", COPPER, None, many[0], claim("b:1"))])
    assert list(found.claims) == many
    one = claim("b:1")
    others = [claim("b:2"), claim("b:1", ports=(1, 2)), claim("b:1", valid_from_ns=3), claim("b:1", standing="wider")]
    assert len(merge_answers([answer("named", COPPER, None, one, *others, one)]).claims) == 5


def test_of_a_holder_that_no_book_has_any_more_the_last_words_are_said() -> None:
    last = HolderStretch(NOW, NOW + 1, answer("unknown", None, None, claim("b:2")))
    found = ended_before(last, answer("named", COPPER, None, claim("b:1")))
    assert found.result == "unknown"
    assert found.reasons == (
        "no book speaks of the time since 2026-03-02 08:00:00 UTC; before, it was Copper",
        "unknown.",
    )
    assert [one.place for one in found.claims] == ["b:2", "b:1"]
    assert ended_before(last, answer("shared")) is last.attribution


def test_whom_a_proxy_states_is_said_and_nobody_is_named() -> None:
    found = answer("named", COPPER, HERE)
    carried_for(found, ["a:1", "b:2", "c:3", "d:4"])
    assert (found.result, found.enterprise, found.site) == ("shared", None, None)
    assert found.reasons[0].startswith("a proxy at this address carried for a:1, b:2, c:3, as it says itself")


def test_a_claim_says_what_it_is_of() -> None:
    assert scope(claim("b:1")) == "192.0.2.0/24"
    assert scope(claim("b:1", ports=(5, 9), vrf="red", vlan=0, interface="eth1")) == (
        "192.0.2.0/24, ports 5-9, VRF red, VLAN 0, interface eth1"
    )
    assert scope(claim("b:1", ports=(9, 9))) == "192.0.2.0/24, port 9"


# The words of an explanation.


@pytest.mark.parametrize(("more", "said"), [(0, []), (1, ["1 more claims are not shown"])])
def test_claims_beyond_a_bound_are_counted(books: Books, more: int, said: list[str]) -> None:
    rows = "".join(f"10.0.0.0,10.0.{wide}.255,Firm {wide},,\n" for wide in range(MOST_CLAIMS + more))
    found = books(BOOK, book_csv=HEAD + rows).answer("10.0.0.5", None, NOW)
    assert found.enterprise is not None
    assert found.enterprise.name == "Firm 0"
    assert len(found.claims) == MOST_CLAIMS
    assert [reason for reason in found.reasons if "not shown" in reason] == said


def test_of_many_that_disagree_three_are_listed(books: Books) -> None:
    names = [f"book{number}" for number in range(5)]
    loaded = books(
        "\n".join(f"kind: inventory, path: {name}.csv" for name in names),
        **{f"{name}_csv": f"{HEAD}192.0.2.0,192.0.2.255,Firm {name},,\n" for name in names},
    )
    found = loaded.answer("192.0.2.7", None, NOW)
    assert found.result == "conflict"
    (said,) = [reason for reason in found.reasons if "disagree" in reason]
    assert said.count(".csv") == 4
    assert [one.standing for one in found.claims] == ["conflict"] * 5


LEASES = "outside,first_port,last_port,account,begin,end\n"
DAY = "2026-03-02 00:00:00,2026-03-03 00:00:00"


@pytest.mark.parametrize(
    ("accounts", "port", "words"),
    [
        (2, None, "one of at least 2 subscribers; the port is not known"),
        (1, None, "one of at least 1 subscriber; the port is not known"),
        (2, 0, "one of at least 2 subscribers; port 0 is in no lease of that time"),
        (1, 9, "one of at least 1 subscriber; port 9 is in no lease of that time"),
    ],
)
def test_by_how_many_an_address_is_shared_is_said(books: Books, accounts: int, port: int | None, words: str) -> None:
    rows = "".join(f"192.0.2.9,{1000 * number},{1000 * number + 999},a{number},{DAY}\n" for number in (1, 2)[:accounts])
    loaded = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=LEASES + rows)
    found = loaded.answer("192.0.2.9", port, NOW)
    assert (found.result, found.enterprise) == ("shared", None)
    assert found.reasons[0] == f"the address was shared by port: {words}"


def test_why_a_row_does_not_answer_is_said(books: Books) -> None:
    loaded = books(BOOK, book_csv=f"{HEAD}192.0.2.7,,Copper,1000,1999\n")
    assert [why for _, why in loaded.others("192.0.2.7", 0, NOW)] == ["through other ports"]
    assert [why for _, why in loaded.others("192.0.2.7", None, NOW)] == ["through some ports only"]
    assert [why for _, why in loaded.others("192.0.2.7", 65_536, NOW)] == ["through some ports only"]
    assert [why for _, why in loaded.others("192.0.2.7", 1500, NOW)] == []
