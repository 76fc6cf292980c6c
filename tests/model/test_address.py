"""An address has one form, however it is written: RFC 5952 for IPv6, and IPv4 where IPv6 only carries it."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.address import canonical, canonical_if_address, of_bytes, parse_endpoint, parse_network

SPELLINGS = {
    "2001:DB8:5:1:0:0:0:17": "2001:db8:5:1::17",
    "2001:0db8:0005:0001:0000:0000:0000:0017": "2001:db8:5:1::17",
    " [2001:db8:5:1::17] ": "2001:db8:5:1::17",
    "fe80::1%eth0": "fe80::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::FFFF:C000:201": "192.0.2.1",
    "0:0:0:0:0:ffff:192.0.2.1": "192.0.2.1",
    "192.0.2.1": "192.0.2.1",
    "64:ff9b::192.0.2.1": "64:ff9b::c000:201",
}


@pytest.mark.parametrize(("spelling", "form"), SPELLINGS.items())
def test_every_spelling_has_one_form(spelling: str, form: str) -> None:
    assert canonical(spelling) == form
    assert canonical_if_address(spelling) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.300",
        "192.0.2",
        "192.000.002.001",
        "2001:db8::1::2",
        "2001:db8::g",
        "pool.example",
        "%eth0",
        "[",
        "[]",
    ],
)
def test_what_is_no_address_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        canonical(text)
    assert canonical_if_address(text) == text


@given(st.binary(min_size=16, max_size=16) | st.binary(min_size=4, max_size=4))
def test_bytes_and_all_spellings_agree(data: bytes) -> None:
    address = ipaddress.ip_address(data)
    assert canonical(address.exploded.upper()) == canonical(str(address)) == of_bytes(data)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::FFFF:0:0/96", "0.0.0.0/0"),
        ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
        ("2001:DB8:5:1:0:0:0:17", "2001:db8:5:1::17/128"),
    ],
)
def test_networks_have_one_form(text: str, form: str) -> None:
    assert str(parse_network(text)) == form


@pytest.mark.parametrize("text", ["2001:db8::1/32", "192.0.2.0/33", "192.0.2.0/", "x/8", "::ffff:192.0.2.1/120"])
def test_what_is_no_network_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.1:3333", "192.0.2.1", 3333),
        ("[2001:DB8:0::1]:3333", "2001:db8::1", 3333),
        ("[::ffff:192.0.2.1]:3333", "192.0.2.1", 3333),
        ("::ffff:192.0.2.1", "192.0.2.1", None),
        ("2001:DB8::1", "2001:db8::1", None),
    ],
)
def test_an_address_with_its_port(text: str, address: str, port: int | None) -> None:
    assert parse_endpoint(text) == (address, port)


@pytest.mark.parametrize(
    "text", ["192.0.2.1:", "192.0.2.1:x", "pool.example:3333", "2001:db8::1]:33", "192.0.2.1:99999"]
)
def test_what_is_no_endpoint_is_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_endpoint(text)
