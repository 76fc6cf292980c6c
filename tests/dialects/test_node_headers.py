"""Node protocols: a header that is right in part is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.nodes import StreamHead, read_datagram, read_tcp
from sensor.signatures import load

NODES = load().nodes


def heads(client: bytes, server: bytes = b"") -> tuple[StreamHead, StreamHead]:
    found = (StreamHead(), StreamHead())
    found[0].add(client)
    if server:
        found[0].flight = found[0].total
        found[1].add(server)
    return found


def protocols(client: bytes, server: bytes = b"") -> list[str]:
    return [one.name for one in NODES if read_tcp(one, heads(client, server)) is not None]


VERSION = bytes.fromhex("f9beb4d9") + b"version\0\0\0\0\0" + (85).to_bytes(4, "little") + bytes(20)
LEVIN = bytes.fromhex("01210101010101010a0000000000000001e9030000000000000100000001000000") + bytes(10)
AUTH = (400).to_bytes(2, "big") + b"\x04" + bytes(399)


def test_each_header_is_recognised() -> None:
    assert protocols(VERSION) == ["bitcoin-p2p"]
    assert protocols(LEVIN, LEVIN) == ["monero-levin"]
    assert protocols(AUTH, AUTH) == ["devp2p-rlpx"]


@pytest.mark.parametrize(
    "data", [VERSION[:19], VERSION[:4] + b"VERSION" + VERSION[11:], b"\xf9\xbe\xb4\xd8" + VERSION[4:]]
)
def test_a_bitcoin_header_must_be_whole(data: bytes) -> None:
    assert protocols(data) == []


def test_the_other_side_must_not_contradict() -> None:
    assert protocols(VERSION, b"HTTP/1.1 400\r\n") == []
    assert protocols(LEVIN, b"220 smtp") == []
    assert protocols(AUTH, b"\x15\x03\x01\x00\x02\x02\x28") == []
    assert protocols(AUTH + b"x", AUTH[:-1]) == []


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_survived(client: bytes, server: bytes) -> None:
    protocols(client, server)
    for one in NODES:
        read_datagram(one, client)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=33, max_size=400))
def test_mutated_headers_are_survived(noise: bytes) -> None:
    for header in (VERSION, LEVIN, AUTH):
        protocols(header[: len(noise) // 4] + noise, noise)
