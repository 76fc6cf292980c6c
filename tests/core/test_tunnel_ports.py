"""L2TP at its port; VXLAN and L2TP at any other, where what is in them fits to the byte."""

from __future__ import annotations

import struct

import pytest

from tests.core.captures import CLIENT, SERVER, T0, Talk, timed, udp

TALK = Talk()
SIX = Talk(addresses=(bytes(15) + b"\x01", bytes(15) + b"\x02"))
PAYLOAD = b'{"id":1}\n'


def vxlan(packet: bytes, head: bytes = b"\x08\0\0\0\0\0\x4d\0", kind: bytes = b"\x08\0") -> bytes:
    return head + bytes(12) + kind + packet


def l2tp(packet: bytes, flags: int = 0x4002, fields: bytes = b"", ppp: bytes = b"\xff\x03\x00\x21") -> bytes:
    rest = struct.pack(">HH", 5, 6) + fields + ppp + packet
    length = struct.pack(">H", 4 + len(rest)) if flags & 0x4000 else b""
    return struct.pack(">H", flags) + length + rest


INNER, INNER6 = TALK.data(0, 0, PAYLOAD), SIX.data(0, 0, PAYLOAD)
FOUND = {
    "L2TP": (1_701, l2tp(INNER)),
    "L2TP without a length": (1_701, l2tp(INNER, 0x0002)),
    "L2TP with sequence numbers": (1_701, l2tp(INNER, 0x4802, bytes(4))),
    "L2TP with an offset": (1_701, l2tp(INNER, 0x4202, b"\0\x02zz")),
    "L2TP without address and control": (1_701, l2tp(INNER, ppp=b"\x00\x21")),
    "L2TP of IPv6": (1_701, l2tp(INNER6, ppp=b"\x00\x57")),
    "L2TP elsewhere": (11_701, l2tp(INNER)),
    "L2TP elsewhere, of IPv6": (11_701, l2tp(INNER6, ppp=b"\xff\x03\x00\x57")),
    "VXLAN elsewhere": (14_789, vxlan(INNER)),
    "VXLAN elsewhere, of IPv6": (14_789, vxlan(INNER6, kind=b"\x86\xdd")),
}
ORDINARY = {
    "a control message": (1_701, l2tp(INNER, 0xC002)),
    "another version": (1_701, l2tp(INNER, 0x4003)),
    "L2TP elsewhere without a length": (11_701, l2tp(INNER, 0x0002)),
    "L2TP elsewhere of another length": (11_701, l2tp(INNER) + b"x"),
    "VXLAN elsewhere with a reserved bit": (14_789, vxlan(INNER, b"\x08\0\0\0\0\0\x4d\x01")),
    "VXLAN elsewhere with a byte too many": (14_789, vxlan(INNER + b"x")),
    "VXLAN elsewhere of ARP": (14_789, vxlan(INNER, kind=b"\x08\x06")),
    "eight bytes": (14_789, b"\x08\0\0\0\0\0\0\0"),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("workers", [1, 3])
def test_the_segment_in_the_tunnel_is_found(engine, name, workers):
    port, datagram = FOUND[name]
    result = engine.packets(timed([udp(CLIENT, SERVER, (51_000, port), datagram)]), workers=workers)
    assert (result.open.proto, result.stream(0)) == (6, PAYLOAD)


@pytest.mark.parametrize("name", ORDINARY)
def test_what_does_not_fit_is_an_ordinary_datagram(engine, name):
    port, datagram = ORDINARY[name]
    result = engine.packets([(T0, udp(CLIENT, SERVER, (51_000, port), datagram))])
    assert (result.of(type(None)), result.stats["segments"], result.stats["candidates_opened"]) == ([], 1, 0)


@pytest.mark.parametrize("length", [7, 60_000])
def test_a_tunnel_in_a_datagram_of_an_impossible_length_is_none(engine, length):
    frame = udp(CLIENT, SERVER, (51_000, 8_472), vxlan(INNER))
    result = engine.packets(timed([frame[:24] + struct.pack(">H", length) + frame[26:]]))
    assert (result.stats["ignored_udp"], result.stats["segments"]) == (1, 0)
