"""Deterministic mapping: its own inverse over its whole range, and the example that the RFC prints."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sensor.attribution import AttributionError
from sensor.attribution.formats.rfc7422 import PORTS, Mapping
from sensor.attribution.index.ranges import number
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books


def value(text: str) -> int:
    return number(text)[1]


def test_the_example_of_the_rfc() -> None:
    """Section 2: the 14 hosts of 198.51.100.0/28 behind 192.0.2.1, dynamic factor 2, system ports reserved.

    4032 ports each.
    """
    mapping = Mapping(value("198.51.100.1"), 14, value("192.0.2.1"), 1, dynamic_factor=2)
    assert mapping.block == 4032
    assert mapping.outside(value("198.51.100.1")) == (value("192.0.2.1"), range(1024, 5056))
    assert mapping.outside(value("198.51.100.2")) == (value("192.0.2.1"), range(5056, 9088))
    assert mapping.inside(value("192.0.2.1"), 9087) == value("198.51.100.2")
    for port in (0, 1023, 57_472, 65_535):  # reserved, and the dynamic range 57472-65535
        assert mapping.inside(value("192.0.2.1"), port) is None
    assert mapping.inside(value("192.0.2.1"), 57_471) == value("198.51.100.14")


mappings = st.builds(
    dict,
    inside_first=st.integers(0, 1 << 31),
    inside_count=st.integers(1, 300),
    outside_first=st.integers(0, 1 << 31),
    outside_count=st.integers(1, 20),
    dynamic_factor=st.integers(0, 8),
    first_port=st.integers(0, 4_096),
    algorithm=st.sampled_from(["sequential", "staggered"]),
)


@settings(max_examples=30, deadline=None)
@given(mappings, st.data())
def test_outside_and_inside_undo_each_other_over_the_whole_range(
    parameters: dict[str, object], data: st.DataObject
) -> None:
    mapping = Mapping(**parameters)  # type: ignore[arg-type]
    assume(mapping.ratio * mapping.outside_count < 1 << 16)
    owned = 0
    for inside in range(mapping.inside_first, mapping.inside_first + mapping.inside_count):
        found = mapping.outside(inside)
        assert found is not None
        outside, ports = found
        assert len(ports) == mapping.block
        assert mapping.first_port <= ports[0] <= ports[-1] < PORTS
        assert 0 <= outside - mapping.outside_first < mapping.outside_count
        owned += len(ports)
        for port in (ports[0], ports[-1], data.draw(st.sampled_from(ports))):
            assert mapping.inside(outside, port) == inside
    everything = [
        mapping.inside(mapping.outside_first + pool, port)
        for pool in range(min(3, mapping.outside_count))
        for port in range(0, PORTS, 7)
    ]
    for inside in filter(None, everything):
        assert mapping.outside(inside) is not None
    if mapping.outside_count == 1:  # every port has one owner, or none
        assert sum(mapping.inside(mapping.outside_first, port) is not None for port in range(PORTS)) == owned


def test_addresses_outside_the_range_have_no_owner() -> None:
    mapping = Mapping(100, 10, 500, 2)
    assert [mapping.outside(inside) for inside in (99, 110)] == [None, None]
    assert [mapping.inside(outside, 2_000) for outside in (499, 502)] == [None, None]


@pytest.mark.parametrize("parameters", [(1, 0, 1, 1), (1, 1, 1, 0), (1, 70_000, 1, 1)])
def test_parameters_that_do_not_fit_are_refused(parameters: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"there must be|no port is left"):
        Mapping(*parameters)


def test_a_computed_translator_names_the_holder_of_the_inside_address_and_without_a_port_nobody(books: Books) -> None:
    sources = """kind: nat, inside: 100.64.0.1-100.64.0.14, outside: 192.0.2.1, dynamic_factor: 2, inside_vrf: cgn
        kind: inventory, path: book.csv, vrf: cgn"""
    loaded = books(sources, book_csv="first,last,organisation\n100.64.0.1,,铜公司\n100.64.0.2,,锡公司\n")
    now = moment_ns("2026-03-02", 0)[0]
    answers = [loaded.answer("192.0.2.1", port, now) for port in (1024, 5055, 5056, 9088, 60_000, None)]
    names = [answer.enterprise.name if answer.enterprise else answer.result for answer in answers]
    assert names == ["铜公司", "铜公司", "锡公司", "unknown", "shared", "shared"]
    assert "100.64.0.2 by computation (RFC 7422)" in loaded.answer("192.0.2.1", 5056, now).reasons[0]
    with pytest.raises(AttributionError, match="no port is left"):
        books("kind: nat, inside: 10.0.0.0/8, outside: 192.0.2.1")
