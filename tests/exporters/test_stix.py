"""The bundle: valid STIX 2.1 by the library of its makers, the same for the same packets, and no person in it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.forms.stix import MOST_FLOWS, dumps, encode
from sensor.model.attribution import Attribution, Enterprise, Site
from sensor.model.finding import Finding
from tests.ledger.made import BEGAN, TEXT, finding, flow

PREMISES = Site("7 Old Street", "320508", "Gusu")
COMPANY = Enterprise("c1", "Example Foundry Ltd", "91320500MA1EXAMPLE", "university", None, "code", ("Foundry",))


def owned(number: int = 1, company: Enterprise | None = COMPANY, site: Site = PREMISES) -> Finding:
    answer = Attribution("10.0.0.1", 1, BEGAN, "named", company, site, (), ("a book says so",))
    return finding(number, attribution=answer)


def parsed(findings: list[Finding]) -> Any:
    return stix2.parse(dumps(encode(findings)), allow_custom=False)


def of_type(bundle: Any, kind: str) -> list[Any]:
    return [one for one in bundle.objects if one.type == kind]


def test_a_sighting_says_who_was_seen_where_and_with_what() -> None:
    bundle = parsed([owned()])
    objects = {one.id: one for one in bundle.objects}
    (sighting,) = of_type(bundle, "sighting")
    indicator, observed = objects[sighting.sighting_of_ref], objects[sighting.observed_data_refs[0]]
    assert "'198.51.100.9'" in indicator.pattern
    assert "dst_port = 3333" in indicator.pattern
    seen = [objects[one] for one in observed.object_refs]
    (traffic,) = [one for one in seen if one.type == "network-traffic"]
    assert objects[traffic.src_ref].value == "10.0.0.1"
    assert (objects[traffic.dst_ref].value, traffic.dst_port, traffic.protocols) == (
        "198.51.100.9",
        3333,
        ["ipv4", "tcp", "stratum-v1"],
    )
    company, place = (objects[one] for one in sighting.where_sighted_refs)
    assert (company.name, company.sectors, company.identity_class) == (
        "Example Foundry Ltd",
        ["education"],
        "organization",
    )
    assert (place.country, place.administrative_area, place.street_address) == ("CN", "Gusu", "7 Old Street")
    assert {(one.source_ref, one.target_ref) for one in of_type(bundle, "relationship")} == {(company.id, place.id)}
    assert sighting.confidence == 99


def test_every_reference_leads_to_an_object_of_the_bundle() -> None:
    bundle = json.loads(dumps(encode([owned(1), owned(2), finding(3)])))
    identifiers = [one["id"] for one in bundle["objects"]]
    assert len(identifiers) == len(set(identifiers))
    for one in bundle["objects"]:
        for name, value in one.items():
            if name.endswith(("_ref", "_refs")):
                assert set([value] if isinstance(value, str) else value) <= set(identifiers)


def test_observables_are_called_as_the_library_calls_them() -> None:
    six = dataclasses.replace(
        finding(2, (flow(2, miner="2001:db8::7"),)), miner_ip="2001:db8::7", last_ns=BEGAN + 10**10
    )
    for one in parsed([finding(1), six]).objects:
        if one.type in ("ipv4-addr", "ipv6-addr", "network-traffic"):
            again = {name: value for name, value in json.loads(one.serialize()).items() if name != "id"}
            assert stix2.parse(again).id == one.id


def test_order_does_not_matter_and_shared_objects_are_there_once() -> None:
    some = [owned(number) for number in range(5)]
    assert dumps(encode(some)) == dumps(encode(some[::-1]))
    bundle = parsed(some)
    assert [len(of_type(bundle, kind)) for kind in ("identity", "location", "indicator", "sighting")] == [2, 1, 1, 5]


def test_a_person_is_not_named() -> None:
    person = Enterprise("name:1", "Zhang San", None, "individual")
    text = dumps(encode([owned(company=person)]))
    assert "Zhang San" not in text
    assert "Old Street" not in text


def test_premises_without_a_division_are_no_location() -> None:
    assert of_type(parsed([owned(site=Site("somewhere", None))]), "location") == []


def test_no_finding_is_a_valid_bundle_too() -> None:
    assert [one.type for one in parsed([]).objects] == ["identity"]


def test_connections_are_bounded_and_all_are_counted() -> None:
    many = tuple(flow(number, began_s=number) for number in range(200))
    bundle = parsed([finding(1, many)])
    assert len(of_type(bundle, "network-traffic")) == MOST_FLOWS
    assert of_type(bundle, "observed-data")[0].number_observed == 200


@pytest.mark.parametrize("text", ["<script>", "'] OR [x:y = '", "\u202eabc\n\x00", "=cmd", ""])
def test_no_name_breaks_the_bundle(text: str) -> None:
    company = dataclasses.replace(COMPANY, name=text, enterprise_id=text, aliases=(text,))
    one = owned(company=company, site=Site(text, "320508", text))
    bundle = parsed([dataclasses.replace(one, login=text, dialect=text or "x", signature=text, reasons=(text,))])
    assert "OR [" not in of_type(bundle, "indicator")[0].pattern


@settings(max_examples=25, deadline=None)
@given(TEXT, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_any_text_and_time_gives_a_valid_bundle(text: str, one_ns: int, other_ns: int) -> None:
    first_ns, last_ns = sorted((one_ns, other_ns))
    link = dataclasses.replace(flow(1), first_ns=first_ns, last_ns=last_ns, dialect=text)
    odd = dataclasses.replace(owned(), flows=[link], first_ns=first_ns, last_ns=last_ns, login=text, finding_id=text)
    assert parsed([odd]).objects
