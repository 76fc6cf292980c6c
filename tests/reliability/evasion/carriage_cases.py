"""The session within VLANs, labels and tunnels, and on other links. What is not decoded must be counted."""

from __future__ import annotations

import struct

from tests.core.captures import checksum
from tests.reliability.evasion.case import Cases, Expected, of
from tests.reliability.evasion.session import session
from tests.reliability.evasion.wire import IPV4, IPV6, UDP, Carriage, ethernet, ipv4, ipv6

ROUTERS = bytes([192, 0, 2, 1, 192, 0, 2, 2])
ROUTERS6 = bytes.fromhex("20010db800000000000000000000000120010db8000000000000000000000002")
PPP = {IPV4: 0x0021, IPV6: 0x0057}


def vlan(*tags: int, kind: int = 0x8100) -> Carriage:
    def carry(packet: bytes, ethertype: int) -> bytes:
        for tag in reversed(tags):
            packet, ethertype = struct.pack("!HH", tag, ethertype) + packet, kind
        return ethernet(packet, ethertype)

    return carry


def mpls(*labels: int, control_word: bool = False) -> Carriage:
    def carry(packet: bytes, ethertype: int) -> bytes:
        if control_word:
            packet = bytes(4) + ethernet(packet, ethertype)
        stack = b"".join(
            struct.pack("!I", label << 12 | (place == len(labels) - 1) << 8 | 64) for place, label in enumerate(labels)
        )
        return ethernet(stack + packet, 0x8847)

    return carry


def gre(flags: int = 0, fields: bytes = b"", *, bridged: bool = False, six: bool = False) -> Carriage:
    def carry(packet: bytes, ethertype: int) -> bytes:
        if bridged:
            packet, ethertype = ethernet(packet, ethertype), 0x6558
        within = struct.pack("!HH", flags, ethertype) + fields + packet
        if flags & 0x8000:  # RFC 2784: the checksum is the first field
            within = within[:4] + struct.pack("!H", checksum(within)) + within[6:]
        return ethernet(ipv6(ROUTERS6, 47, within), IPV6) if six else ethernet(ipv4(ROUTERS, 47, within), IPV4)

    return carry


def udp(port: int, head: bytes, *, whole_frame: bool) -> Carriage:
    def carry(packet: bytes, ethertype: int) -> bytes:
        within = head + (ethernet(packet, ethertype) if whole_frame else packet)
        return ethernet(ipv4(ROUTERS, UDP, struct.pack("!HHHH", 51_000, port, 8 + len(within), 0) + within), IPV4)

    return carry


def in_ip(protocol: int, *, six: bool) -> Carriage:
    def carry(packet: bytes, _ethertype: int) -> bytes:
        return (
            ethernet(ipv6(ROUTERS6, protocol, packet), IPV6) if six else ethernet(ipv4(ROUTERS, protocol, packet), IPV4)
        )

    return carry


def pppoe(packet: bytes, ethertype: int) -> bytes:
    within = struct.pack("!H", PPP[ethertype]) + packet
    return ethernet(struct.pack("!BBHH", 0x11, 0, 9, len(within)) + within, 0x8864)


def l2tp(port: int) -> Carriage:
    """RFC 2661 section 3.1: a data message with a length, and PPP with address and control."""

    def carry(packet: bytes, ethertype: int) -> bytes:
        within = b"\xff\x03" + struct.pack("!H", PPP[ethertype]) + packet
        head = struct.pack("!HHHH", 0x4002, 8 + len(within), 5, 6)
        return udp(port, head + within, whole_frame=False)(b"", ethertype)

    return carry


def cooked(packet: bytes, ethertype: int) -> bytes:
    return struct.pack("!HHH8sH", 0, 1, 6, bytes(8), ethertype) + packet


def cooked2(packet: bytes, ethertype: int) -> bytes:
    return struct.pack("!HHIHBB8s", ethertype, 0, 3, 1, 0, 6, bytes(8)) + packet


VXLAN = struct.pack("!II", 0x08000000, 77 << 8)
GENEVE = struct.pack("!BBHI", 0, 0, 0x6558, 77 << 8)
GTP = struct.pack("!BBHI", 0x30, 0xFF, 0, 99)

CARRIAGES: dict[str, Carriage] = {
    "a VLAN": vlan(42),
    "two VLANs": vlan(42, 43),
    "three VLANs": vlan(1, 2, 3),
    "802.1ad": vlan(42, 43, kind=0x88A8),
    "one MPLS label": mpls(16),
    "three MPLS labels": mpls(16, 17, 18),
    "Ethernet over MPLS": mpls(16, control_word=True),
    "GRE": gre(),
    "GRE with a key": gre(0x2000, bytes(4)),
    "GRE with a key and a number": gre(0x3000, bytes(8)),
    "GRE with a checksum": gre(0x8000, bytes(4)),
    "GRE with frames": gre(bridged=True),
    "GRE over IPv6": gre(six=True),
    "VXLAN": udp(4789, VXLAN, whole_frame=True),
    "VXLAN at Linux's old port": udp(8472, VXLAN, whole_frame=True),
    "VXLAN at another port": udp(14_789, VXLAN, whole_frame=True),
    "Geneve": udp(6081, GENEVE, whole_frame=True),
    "GTP-U": udp(2152, GTP, whole_frame=False),
    "IP in IP": in_ip(4, six=False),
    "IPv4 in IPv6": in_ip(4, six=True),
    "PPPoE": pppoe,
    "L2TP": l2tp(1701),
    "L2TP at another port": l2tp(11_701),
}


def cases() -> Cases:
    for name, carry in CARRIAGES.items():
        yield of("carriage", name, session(), carry=carry)
    yield of("carriage", "IPv6", session(), six=True)
    yield of("carriage", "IPv6 in a VLAN", session(), carry=vlan(42), six=True)
    yield of("carriage", "IPv6 in IPv4", session(), carry=in_ip(41, six=False), six=True)
    yield of("carriage", "IPv6 in IPv6", session(), carry=in_ip(41, six=True), six=True)
    yield of("carriage", "IPv6 in PPPoE", session(), carry=pppoe, six=True)
    for options, name in ((0, "hop-by-hop options"), (60, "destination options")):
        yield of("carriage", f"IPv6 with {name}", session(), carry=extended(options), six=True)
    yield of("carriage", "IPv6 with two extension headers", session(), carry=extended(0, 60), six=True)
    yield of("link", "raw IP", session(), carry=lambda packet, _: packet, link=101)
    yield of("link", "raw IPv6", session(), carry=lambda packet, _: packet, six=True, link=101)
    yield of("link", "Linux cooked", session(), carry=cooked, link=113)
    yield of("link", "Linux cooked, version 2", session(), carry=cooked2, link=276)
    yield of("link", "BSD loopback", session(), carry=lambda packet, _: struct.pack("<I", 2) + packet, link=0)
    yield of("link", "one direction: the miner's", [one for one in session() if one.side == 0], Expected.SENT)
    yield of("link", "one direction: the pool's", [one for one in session() if one.side == 1], Expected.ANSWERED)


def extended(*kinds: int) -> Carriage:
    """RFC 8200 section 4: extension headers of eight bytes, padded."""

    def carry(packet: bytes, ethertype: int) -> bytes:
        following, rest = packet[6], packet[40:]
        for kind in reversed(kinds):
            rest, following = struct.pack("!BB", following, 0) + b"\x01\x04\0\0\0\0" + rest, kind
        head = packet[:4] + struct.pack("!HB", len(rest), following) + packet[7:40]
        return ethernet(head + rest, ethertype)

    return carry
