"""Decoding: scapy builds a frame of every link type and encapsulation, and the core must find the TCP segment in it.

The payload passes the opening `{`, so addresses, ports and VLANs stand in the Open event, and the bytes in the Chunk.
"""

from __future__ import annotations

import itertools
import logging
import struct
from ipaddress import ip_address

import pytest

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III  # noqa: E402
from scapy.contrib.geneve import GENEVE  # noqa: E402
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer  # noqa: E402
from scapy.contrib.mpls import MPLS  # noqa: E402
from scapy.contrib.tzsp import TZSP, TZSPTagEnd, TZSPTagPadding, TZSPTagRawRSSIByte  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP, IPOption_RR, fragment  # noqa: E402
from scapy.layers.inet6 import (  # noqa: E402
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    fragment6,
)
from scapy.layers.ipsec import AH  # noqa: E402
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, STP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether  # noqa: E402
from scapy.layers.ppp import HDLC, PPP, PPPoE  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402
from scapy.packet import Raw  # noqa: E402

from tests.core.captures import CLIENT, RAW_IPV4, SECOND, SERVER, T0, Talk, ipv4, timed, udp  # noqa: E402

PAYLOAD = b'{"x":1}\n'
V4, V6 = ("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")
ETHERNET = 1


def tcp(payload: bytes = PAYLOAD):
    return TCP(sport=40_000, dport=3_333, seq=77, ack=5, flags="PA") / Raw(payload)


# Without addresses scapy would ask the network for them.
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


def ether(**fields):
    return Ether(**MACS | fields)


def dot3():
    return Dot3(**MACS)


def ip4(**fields):
    return IP(src=V4[0], dst=V4[1], **fields)


def ip6(**fields):
    return IPv6(src=V6[0], dst=V6[1], **fields)


OUTER, OUTER6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8:ff::1", dst="2001:db8:ff::2")
PPTP = IP(src="192.0.2.1", dst="192.0.2.2", proto=47)
INNER, INNER6 = ip4() / tcp(), ip6() / tcp()


def tunnel(port: int):
    return ether() / OUTER / UDP(sport=50_000, dport=port)


GTP = GTP_U_Header(teid=7, gtp_type=255)

#: name -> (link type, frame, VLANs); whether the innermost is IPv6 is told from the frame's name
FRAMES = {
    "ethernet": (1, ether() / INNER, ()),
    "ethernet v6": (1, ether() / INNER6, ()),
    "ethernet padding": (1, bytes(ether() / INNER) + b'{"padding"}', ()),
    "loopback little": (0, struct.pack("<I", 2) + bytes(INNER), ()),
    "loopback big": (0, struct.pack(">I", 2) + bytes(INNER), ()),
    "loopback openbsd": (108, struct.pack(">I", 2) + bytes(INNER), ()),
    **{f"loopback {family} v6": (0, struct.pack("<I", family) + bytes(INNER6), ()) for family in (10, 24, 28, 30)},
    "ppp": (9, PPP() / INNER, ()),
    "ppp v6": (9, PPP() / INNER6, ()),
    "ppp compressed": (9, b"\x21" + bytes(INNER), ()),
    "ppp compressed v6": (9, b"\x57" + bytes(INNER6), ()),
    "ppp hdlc": (50, HDLC() / PPP() / INNER, ()),
    "ppp hdlc bare": (50, PPP() / INNER, ()),
    "ppp in hdlc on link 9": (9, HDLC() / PPP() / INNER, ()),
    "ppp mpls": (9, b"\x02\x81" + bytes(MPLS(label=5, s=1) / INNER), ()),
    **{f"raw {link}": (link, INNER, ()) for link in (12, 14, 101, 228)},
    **{f"raw {link} v6": (link, INNER6, ()) for link in (12, 14, 101, 229)},
    "cooked": (113, CookedLinux(proto=0x0800) / INNER, ()),
    "cooked v6": (113, CookedLinux(proto=0x86DD) / INNER6, ()),
    "cooked vlan": (113, CookedLinux(proto=0x8100) / Dot1Q(vlan=7) / INNER, (7,)),
    "cooked v2": (276, CookedLinuxV2(proto=0x0800) / INNER, ()),
    "cooked v2 over v6": (276, CookedLinuxV2(proto=0x86DD) / INNER6, ()),
    "cisco hdlc": (104, b"\x0f\x00\x08\x00" + bytes(INNER), ()),
    "vlan": (1, ether() / Dot1Q(vlan=100, prio=5) / INNER, (100,)),
    "q in q": (1, ether() / Dot1AD(vlan=10) / Dot1Q(vlan=20) / INNER, (10, 20)),
    "vlan 9100": (1, ether(type=0x9100) / Dot1Q(vlan=10, type=0x9200) / Dot1Q(vlan=4_095) / INNER6, (10, 4_095)),
    "five vlans": (
        1, ether() / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / Dot1Q(vlan=4) / Dot1Q(vlan=5) / INNER,
        (1, 2, 3, 4),
    ),
    "snap": (1, dot3() / LLC() / SNAP(code=0x0800) / INNER, ()),
    "snap in vlan": (1, ether(type=0x8100) / Dot1Q(vlan=9, type=60) / LLC() / SNAP(code=0x0800) / INNER, (9,)),
    "mpls": (1, ether(type=0x8847) / MPLS(label=1, s=0) / MPLS(label=2, s=1) / INNER, ()),
    "mpls v6": (1, ether(type=0x8848) / MPLS(label=1, s=1) / INNER6, ()),
    "mpls control word": (
        1, bytes(ether(type=0x8847) / MPLS(label=1, s=1)) + bytes(4) + bytes(ether() / Dot1Q(vlan=3) / INNER), (3,),
    ),
    "mpls ethernet": (1, ether(type=0x8847) / MPLS(label=1, s=1) / ether(dst="ff:ff:ff:ff:ff:ff") / INNER, ()),
    "pppoe": (1, ether() / PPPoE(sessionid=1) / PPP() / INNER, ()),
    "pppoe v6": (1, ether() / Dot1Q(vlan=8) / PPPoE(sessionid=1) / PPP() / INNER6, (8,)),
    "ethernet in ethernet": (1, ether(type=0x6558) / ether() / INNER, ()),
    "ip options": (1, ether() / ip4(options=[IPOption_RR()]) / tcp(), ()),
    "ip in ip": (1, ether() / OUTER / INNER, ()),
    "6in4 v6": (1, ether() / OUTER / INNER6, ()),
    "4in6": (1, ether() / OUTER6 / INNER, ()),
    "6in6 v6": (1, ether() / OUTER6 / INNER6, ()),
    "mpls in ip": (1, ether() / IP(src="192.0.2.1", dst="192.0.2.2", proto=137) / MPLS(label=1, s=1) / INNER, ()),
    "ah": (1, ether() / ip4() / AH(nh=6, payloadlen=4, icv=bytes(12)) / tcp(), ()),
    "ah v6": (1, ether() / ip6() / AH(nh=6, payloadlen=4, icv=bytes(12)) / tcp(), ()),
    "extensions v6": (
        1,
        ether() / ip6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(12))]) / IPv6ExtHdrDestOpt()
        / IPv6ExtHdrRouting() / tcp(),
        (),
    ),
    "mobility v6": (1, ether() / ip6(nh=135) / Raw(b"\x06\x01" + bytes(14)) / tcp(), ()),
    "atomic fragment v6": (1, ether() / ip6() / IPv6ExtHdrFragment(id=9) / tcp(), ()),
    "gre": (1, ether() / OUTER / GRE() / INNER, ()),
    "gre v6": (1, ether() / OUTER6 / GRE() / INNER6, ()),
    "gre all fields": (
        1, ether() / OUTER
        / GRE(chksum_present=1, key_present=1, seqnum_present=1, key=1, sequence_number=2) / INNER, (),
    ),
    "gre ethernet": (1, ether() / OUTER / GRE(proto=0x6558) / ether() / Dot1Q(vlan=6) / INNER, (6,)),
    "gre mpls": (1, ether() / OUTER / GRE(proto=0x8847) / MPLS(label=1, s=1) / INNER, ()),
    "gre ppp": (1, ether() / OUTER / GRE(proto=0x880B) / PPP() / INNER, ()),
    "pptp": (1, ether() / PPTP / Raw(struct.pack(">HHHHII", 0x3081, 0x880B, 50, 1, 5, 6)) / PPP() / INNER, ()),
    "pptp without acknowledgement": (
        1, ether() / PPTP / Raw(struct.pack(">HHHHI", 0x3001, 0x880B, 50, 1, 5)) / PPP() / INNER, (),
    ),
    "erspan 1": (1, ether() / OUTER / GRE(proto=0x88BE) / Raw(bytes(ether() / INNER)), ()),
    "erspan 2": (1, ether() / OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II(vlan=5) / ether() / INNER, ()),
    "erspan 3": (1, ether() / OUTER / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(o=0) / ether() / INNER, ()),
    "erspan 3 with subheader": (
        1, ether() / OUTER / GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(o=1)
        / Raw(bytes(8) + bytes(ether() / INNER)), (),
    ),
    "vxlan": (1, tunnel(4_789) / VXLAN(vni=5) / ether() / INNER, ()),
    "vxlan linux v6": (1, tunnel(8_472) / VXLAN(vni=5) / ether() / Dot1Q(vlan=2) / INNER6, (2,)),
    "vxlan under vlan": (
        1, ether() / Dot1Q(vlan=1) / OUTER6 / UDP(dport=4_789) / VXLAN(vni=5) / ether() / Dot1Q(vlan=2) / INNER, (1, 2),
    ),
    "geneve": (1, tunnel(6_081) / GENEVE(proto=0x6558) / ether() / INNER, ()),
    "geneve options": (1, tunnel(6_081) / GENEVE(proto=0x6558, optionlen=2) / Raw(bytes(8)) / ether() / INNER, ()),
    "geneve ip": (1, tunnel(6_081) / GENEVE(proto=0x0800) / INNER, ()),
    "tzsp": (1, tunnel(37_008) / TZSP() / TZSPTagEnd() / ether() / INNER, ()),
    "tzsp for transmission v6": (
        1, tunnel(37_008) / TZSP(type=1) / TZSPTagEnd() / ether() / Dot1Q(vlan=9) / INNER6, (9,),
    ),
    "tzsp fields": (
        1, tunnel(37_008) / TZSP() / TZSPTagPadding() / TZSPTagRawRSSIByte(raw_rssi=40) / TZSPTagEnd()
        / ether() / INNER, (),
    ),
    "gtp-u": (1, tunnel(2_152) / GTP / INNER, ()),
    "gtp-u v6": (1, tunnel(2_152) / GTP / INNER6, ()),
    "gtp-u sequence": (1, tunnel(2_152) / GTP_U_Header(teid=7, gtp_type=255, S=1, seq=4) / INNER, ()),
    "gtp-u extension": (
        1, tunnel(2_152) / GTP_U_Header(teid=7, gtp_type=255, E=1, next_ex=0x85)
        / GTPPDUSessionContainer(type=1, QFI=3) / INNER, (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_the_segment_is_found_under_every_layer(engine, name):
    link, frame, vlans = FRAMES[name]
    frame = bytes(frame)
    result = engine.packets([(T0, frame)], link)
    ignored = {counter: count for counter, count in result.stats.items() if counter.startswith("ignored_") and count}
    assert not ignored
    source, destination = V6 if "v6" in name.split()[1:] or name == "cooked v2 over v6" or name == "vlan 9100" else V4
    opened = result.open
    assert (opened.orig_addr, opened.resp_addr) == (ip_address(source).packed, ip_address(destination).packed)
    assert (opened.proto, opened.orig_port, opened.resp_port, opened.vlans) == (6, 40_000, 3_333, vlans)
    assert result.stream(0) == PAYLOAD
    assert result.close.bytes == (len(bytes(INNER6 if len(opened.orig_addr) == 16 else INNER)) + extra_bytes(name), 0)
    assert result.stats["bad_ip_checksum"] == 0
    if name not in ("ah", "ah v6", "mobility v6"):  # scapy does not look past these for the addresses
        assert result.stats["bad_l4_checksum"] == result.close.bad_checksums == 0


def extra_bytes(name: str) -> int:
    """What the innermost IP packet has besides its plain header and the segment."""
    return {
        "ip options": 4,
        "ah": 24,
        "ah v6": 24,
        "extensions v6": 16 + 8 + 8,
        "mobility v6": 16,
        "atomic fragment v6": 8,
    }.get(name, 0)


LONG = b'{"id":1,"method":"login"}\n' * 8


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("family", [4, 6])
def test_fragments_in_any_order_make_the_datagram(engine, family, order):
    parts = (
        fragment(ip4(id=5) / tcp(LONG), 64)
        if family == 4
        else fragment6(ip6() / IPv6ExtHdrFragment(id=5) / tcp(LONG), 40 + 8 + 64)
    )
    frames = [bytes(ether() / Dot1Q(vlan=number) / part) for number, part in enumerate(parts)]
    assert len(frames) == 4
    result = engine.packets(timed([frames[number] for number in order]), ETHERNET)
    assert result.stream(0) == LONG
    assert (result.open.vlans, result.open.ts_ns) == ((order[-1],), T0 + 3_000_000)
    assert result.stats["ignored_fragment_held"] == 3
    assert result.stats["bad_l4_checksum"] == 0


def test_fragments_of_a_tunnel_are_put_together_before_it_is_opened(engine):
    whole = (
        IP(src="192.0.2.1", dst="192.0.2.2", id=8)
        / UDP(sport=1, dport=4_789)
        / VXLAN(vni=1)
        / ether()
        / ip4()
        / tcp(LONG)
    )
    result = engine.packets(timed([bytes(ether() / part) for part in fragment(whole, 96)]), ETHERNET)
    assert result.stream(0) == LONG


def place(offset: int, more: bool) -> int:
    return offset // 8 | (0x2000 if more else 0)


def v4_fragment(offset: int, more: bool, data: bytes, identification: int = 1) -> bytes:
    return ipv4(
        bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 6, data, identification=identification, place=place(offset, more)
    )


BODY = bytes(tcp(b"{" + b"abcdefgh" * 8))


def test_the_first_bytes_of_overlapping_fragments_win(engine):
    frames = [v4_fragment(0, True, BODY[:40]), v4_fragment(32, True, b"X" * 24), v4_fragment(48, False, BODY[48:])]
    assert engine.packets(timed(frames)).stream(0) == BODY[20:40] + b"X" * 16 + BODY[56:]


def test_datagrams_are_told_apart_by_identification(engine):
    frames = [v4_fragment(0, True, BODY[:40], 1), v4_fragment(40, False, BODY[40:], 2)]
    assert engine.packets(timed(frames)).stats["ignored_fragment_held"] == 2


@pytest.mark.parametrize(("wait_s", "whole"), [(30, True), (31, False)])
def test_fragments_wait_30_seconds(engine, wait_s, whole):
    frames = [(T0, v4_fragment(0, True, BODY[:40])), (T0 + wait_s * SECOND, v4_fragment(40, False, BODY[40:]))]
    assert bool(engine.packets(frames).chunks) == whole


def test_the_oldest_datagram_is_dropped_over_the_bounds(engine):
    first = [v4_fragment(0, True, BODY[:40], number) for number in range(3)]
    last = [v4_fragment(40, False, BODY[40:], number) for number in range(3)]
    result = engine.packets(timed([*first, *last[1:]]), fragments=2)
    assert result.stats["fragments_evicted"] == 1
    assert result.stats["segments"] == 2
    result = engine.packets(timed([*first, *last[1:]]), fragment_bytes=100)
    assert result.stats["fragments_evicted"] == 1
    assert result.stats["segments"] == 2


def test_payload_cut_by_the_snaplen_counts_in_full_on_the_wire(engine):
    talk = Talk()
    frame = talk.data(0, 0, b'{"x":1}\n' + bytes(92))
    result = engine.packets([(T0, frame[:48])])
    assert result.stream(0) == b'{"x":1}\n'
    assert result.close.bytes == (140, 0)
    assert result.stats["bytes"] == 48


def test_a_length_of_0_means_as_captured(engine):
    offloaded = ipv4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 6, bytes(tcp()), total=0)
    jumbo = bytes(ip6(plen=0) / tcp())
    for frame, link in [(offloaded, RAW_IPV4), (jumbo, 229)]:
        result = engine.packets([(T0, frame)], link)
        assert result.stream(0) == PAYLOAD
        assert result.close.bytes == (len(frame), 0)


UDP_PAYLOAD = bytes(97) + b"\x01\xc0" + b"tail"


def test_udp_payload_ends_where_its_length_field_says(engine):
    frame = bytes(
        ether() / ip4() / UDP(sport=5_000, dport=6_000, len=8 + len(UDP_PAYLOAD)) / Raw(UDP_PAYLOAD + b"trailer")
    )
    result = engine.packets([(T0, frame)], ETHERNET)
    assert result.stream(0) == UDP_PAYLOAD
    assert result.open.proto == 17
    assert not result.open.midstream


def test_a_udp_length_of_0_means_as_ip_says(engine):
    frame = bytes(ether() / ip4() / UDP(sport=5_000, dport=6_000, len=0, chksum=0) / Raw(UDP_PAYLOAD))
    assert engine.packets([(T0, frame + b"padding")], ETHERNET).stream(0) == UDP_PAYLOAD


@pytest.mark.parametrize(
    ("port", "payload"),
    [
        (4_789, b"\x00" * 97 + b"\x01\xc0"),  # no I flag
        (4_789, b"\x08\x00"),
        (6_081, b"\x40" + b"\x00" * 96 + b"\x01\xc0"),  # version 1
        (6_081, b"\x00\x00\x12\x34" + b"\x00" * 93 + b"\x01\xc0"),  # unknown protocol
        (6_081, b"\x3f\x00\x65\x58" + b"\x00" * 93 + b"\x01\xc0"),  # options beyond the end
        (2_152, b"\x30\x01" + b"\x00" * 95 + b"\x01\xc0"),  # an echo request
        (2_152, b"\x50\xff" + b"\x00" * 95 + b"\x01\xc0"),  # version 2
        (2_152, b"\x30\xff" + b"\x00" * 95 + b"\x01\xc0"),  # no IP inside
        (2_152, b"\x34\xff" + b"\x00" * 9 + b"\x85\x00" + b"\x00" * 84 + b"\x01\xc0"),  # an extension of length 0
    ],
)
def test_what_does_not_fit_a_tunnels_header_is_ordinary_udp(engine, port, payload):
    frame = udp(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), (5_000, port), payload)
    result = engine.packets([(T0, frame)])
    assert result.stats["segments"] == 1
    assert result.stream(0) == (payload if len(payload) > 98 else b"")


def corrupted(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0x55]) + frame[at + 1 :]


def test_wrong_checksums_are_counted_and_the_bytes_used_where_none_is_right(engine):
    talk = Talk()
    frames = [corrupted(talk.data(0, 8 * number, PAYLOAD), 20 + 14) for number in range(4)]
    frames[0] = talk.data(1, 0, PAYLOAD)
    frames[1] = corrupted(frames[1], 8)  # time to live
    frames[3] = frames[3][:-1]  # cut: cannot be checked
    result = engine.packets(timed(frames))
    assert (result.stream(0), result.stream(1)) == (PAYLOAD, (PAYLOAD * 3)[:-1])
    assert (result.stats["bad_ip_checksum"], result.stats["bad_l4_checksum"], result.close.bad_checksums) == (1, 2, 2)


def test_a_udp_checksum_of_0_is_not_checked(engine):
    ports = (5_000, 6_000)
    frame = udp(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), ports, UDP_PAYLOAD)
    assert engine.packets([(T0, frame)]).stats["bad_l4_checksum"] == 0
    assert engine.packets([(T0, frame[:26] + bytes(2) + frame[28:])]).stats["bad_l4_checksum"] == 0
    assert engine.packets([(T0, corrupted(frame, 27))]).stats["bad_l4_checksum"] == 1


def test_checksums_of_flows_without_a_gate_are_not_computed(engine):
    frame = corrupted(Talk().data(0, 0, b"plain"), 34)
    assert engine.packets([(T0, frame)]).stats["bad_l4_checksum"] == 0


def deep(count: int) -> bytes:
    frame = ether(type=0x8100)
    for number in range(count):
        frame = frame / Dot1Q(vlan=number + 1)
    return bytes(frame / INNER)


SHORT_TCP = struct.pack(">HHIIBBHHH", 1, 2, 0, 0, 0x40, 0x10, 0, 0, 0)
IGNORED = {
    "link": [(147, b"anything"), (105, bytes(40)), (0, struct.pack("<I", 7) + bytes(40))],
    "ethertype": [
        (1, ether() / ARP()),
        (1, dot3() / LLC() / STP()),
        (1, ether() / Dot1Q(vlan=1, type=0x0806) / ARP()),
        (1, dot3() / LLC() / SNAP(OUI=0x00000C, code=0x2000) / Raw(bytes(40))),
        (113, CookedLinux(proto=0x0806) / ARP()),
        (276, CookedLinuxV2(proto=0x0806) / ARP()),
        (104, b"\x0f\x00\x80\x35" + bytes(20)),
    ],
    "ppp": [
        (9, b"\xc0\x21" + bytes(10)),
        (9, b"\x2d" + bytes(10)),
        (1, ether() / PPPoE() / PPP(proto=0xC021) / Raw(bytes(10))),
    ],
    "depth": [(1, deep(20)), (1, deep(60))],
    "cut": [
        (1, bytes(ether() / INNER)[:13]),
        (1, bytes(ether() / Dot1Q() / INNER)[:17]),
        (1, bytes(dot3() / LLC() / SNAP() / INNER)[:21]),
        (1, bytes(ether() / INNER)[: 14 + 19]),
        (1, bytes(ether() / ip4(options=[IPOption_RR()]) / tcp())[: 14 + 22]),
        (1, bytes(ether() / INNER)[: 34 + 19]),
        (1, bytes(ether() / ip4() / TCP(options=[("MSS", 1_460)]) / Raw(b"x"))[: 34 + 21]),
        (1, bytes(ether() / ip4() / UDP() / Raw(b"xxxx"))[: 34 + 7]),
        (1, bytes(ether() / INNER6)[: 14 + 39]),
        (1, bytes(ether() / ip6() / IPv6ExtHdrHopByHop() / tcp())[: 54 + 7]),
        (1, bytes(ether() / ip6() / IPv6ExtHdrFragment(m=1) / tcp())[: 54 + 7]),
        (1, bytes(ether() / ip4() / AH(nh=6, payloadlen=4, icv=bytes(12)) / tcp())[: 34 + 20]),
        (1, bytes(ether(type=0x8847) / MPLS(s=0) / MPLS(s=1))[: 14 + 6]),
        (1, bytes(ether(type=0x8847) / MPLS(s=1))),
        (1, bytes(ether() / PPPoE() / PPP())[: 14 + 5]),
        (1, bytes(ether() / OUTER / GRE(key_present=1) / INNER)[: 34 + 6]),
        (1, bytes(ether() / OUTER / GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II())[: 34 + 12]),
        (1, bytes(tunnel(4_789) / VXLAN(vni=5) / ether() / INNER)[: 42 + 8 + 10]),
        (0, b"\x02\x00"),
        (9, b""),
        (9, b"\xff\x03"),
        (9, b"\x00"),
        (101, b""),
        (113, bytes(15)),
        (276, bytes(19)),
        (104, bytes(3)),
    ],
    "gre": [
        (1, ether() / OUTER / GRE(proto=0x1234) / INNER),
        (1, ether() / OUTER / GRE(proto=0)),
        (1, ether() / OUTER / GRE(routing_present=1) / INNER),
        (1, ether() / OUTER / GRE(version=2) / INNER),
        (1, ether() / PPTP / Raw(struct.pack(">HHHHI", 0x2081, 0x880B, 0, 1, 6))),
        (1, ether() / PPTP / Raw(struct.pack(">HHHHI", 0x3001, 0x0800, 50, 1, 5)) / INNER),
    ],
    "ip": [
        (1, bytes(ether())[:12] + b"\x08\x00" + b"\x55" + bytes(40)),
        (1, bytes(ether())[:12] + b"\x08\x00" + b"\x44" + bytes(40)),
        (1, bytes(ether())[:12] + b"\x08\x00" + b"\x45\x00\x00\x13" + bytes(40)),
        (1, bytes(ether())[:12] + b"\x86\xdd" + b"\x45" + bytes(60)),
        (101, b"\x55" + bytes(40)),
        (228, INNER6),
        (229, b"\x45" + bytes(60)),
    ],
    "ip_protocol": [
        (228, ip4(proto=1) / Raw(bytes(8))),
        (228, ip4(proto=132) / Raw(bytes(20))),
        (229, ip6(nh=59)),
        (229, ip6(nh=58) / Raw(bytes(8))),
    ],
    "fragment": [
        (228, v4_fragment(0, True, b"x" * 20)),
        (228, v4_fragment(0, True, b"")),
        (228, v4_fragment(65_528, False, b"x" * 8)),
        (228, v4_fragment(0, True, b"x" * 64)[:60]),
        (229, ip6() / IPv6ExtHdrFragment(m=1, nh=6) / Raw(b"x" * 12)),
    ],
    "fragment_held": [
        (228, v4_fragment(0, True, b"x" * 16)),
        (229, ip6() / IPv6ExtHdrFragment(m=1, nh=6) / Raw(b"x" * 16)),
    ],
    "udp": [
        (228, ip4(proto=17) / Raw(bytes(7))),
        (228, ip4() / UDP(len=7) / Raw(bytes(8))),
        (228, ip4() / UDP(len=17) / Raw(bytes(8))),
    ],
    "tcp": [
        (228, ip4(proto=6) / Raw(bytes(19))),
        (228, ip4(proto=6) / Raw(SHORT_TCP)),
        (228, ip4(proto=6) / Raw(SHORT_TCP[:12] + b"\x60" + SHORT_TCP[13:])),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "number"), [(reason, number) for reason, frames in IGNORED.items() for number in range(len(frames))]
)
def test_every_reason_to_ignore_a_frame_is_counted(engine, reason, number):
    link, frame = IGNORED[reason][number]
    stats = engine.packets([(T0, bytes(frame))], link).stats
    assert {name: count for name, count in stats.items() if name.startswith("ignored_") and count} == {
        f"ignored_{reason}": 1
    }


def test_what_fails_inside_a_tunnel_counts_by_its_own_reason(engine):
    frames = [
        tunnel(4_789) / VXLAN(vni=1) / ether() / ARP(),
        tunnel(2_152) / GTP / Raw(b"\x41" * 40),
        ether() / OUTER / ip4(proto=1),
    ]
    stats = engine.packets(timed([bytes(frame) for frame in frames]), ETHERNET).stats
    assert (stats["ignored_ethertype"], stats["ignored_ip"], stats["ignored_ip_protocol"]) == (1, 1, 1)


def test_an_uncounted_reason_does_not_exist(engine):
    names = {name.removeprefix("ignored_") for name in engine.packets([]).stats if name.startswith("ignored_")}
    assert names == set(IGNORED) | {"interface"}  # that one is test_capture's


def test_fragments_expire_with_the_sweep_whatever_time_others_have(engine):
    whole = Talk().data(0, 0, b"x" * 40)
    first = ipv4(CLIENT, SERVER, 6, whole[20:60], identification=5, place=0x2000)
    last = ipv4(CLIENT, SERVER, 6, whole[60:], identification=5, place=5)
    ahead = ipv4(CLIENT, SERVER, 6, whole[20:60], identification=9, place=0x2000)
    other = Talk(ports=(50_000, 80)).data(0, 0, b"y")
    times = [(10_000, ahead), (0, other), (0, first), (40, other), (1, last)]
    result = engine.packets([(T0 + at_s * SECOND, frame) for at_s, frame in times])
    assert (result.stats["segments"], result.stats["ignored_fragment_held"]) == (2, 3)
