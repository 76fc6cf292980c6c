"""Frame -> segment, or the reason it is ignored: layers are peeled one by one until TCP or UDP.

This file is the walk itself and the link layers; IP and GRE are in `network`, TCP, UDP and what tunnels in UDP in
`transport`. Bytes are looked at only after their length has been checked; nothing here raises. Flows are not known
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sensor.model.limits import CoreLimits
from sensor.reference import network, transport
from sensor.reference.capture.capture_file import CaptureFile
from sensor.reference.counters import Counters, new_counters
from sensor.reference.exclusions import Exclusions
from sensor.reference.fragments import Fragments
from sensor.reference.walk import ETHERTYPES, Layer, PeelResult, Segment, Walk

MAX_LAYERS = 12
MAX_LENGTH_FIELD = 1500  # IEEE 802.3 clause 3.2.6: up to here the field is a length, not a type

#: www.tcpdump.org/linktypes.html
FIRST_LAYER = {
    0: Layer.LOOPBACK, 108: Layer.LOOPBACK, 1: Layer.ETHERNET, 9: Layer.PPP, 50: Layer.PPP, 12: Layer.RAW_IP,
    14: Layer.RAW_IP,
    101: Layer.RAW_IP, 228: Layer.IPV4, 229: Layer.IPV6, 113: Layer.COOKED, 276: Layer.COOKED_V2, 104: Layer.CISCO_HDLC,
}  # fmt: skip

#: The address families of the BSDs, Darwin and Windows (linktypes.html, LINKTYPE_NULL), as a little-endian number.
FAMILIES = {2: Layer.IPV4, 10: Layer.IPV6, 24: Layer.IPV6, 28: Layer.IPV6, 30: Layer.IPV6}
PPP_PROTOCOLS = {0x0021: Layer.IPV4, 0x0057: Layer.IPV6, 0x0281: Layer.MPLS}
SNAP = b"\xaa\xaa\x03\x00\x00\x00"  # RFC 1042: LLC for SNAP, organisation 0: an EtherType follows


def _ethernet(walk: Walk) -> PeelResult:
    if walk.left() < 14:
        return "cut"
    walk.mac = walk.frame[walk.at + 6 : walk.at + 12]
    walk.at += 14
    return _by_type(walk.frame, walk.at - 2)


def _vlan(walk: Walk) -> PeelResult:
    if walk.left() < 4:
        return "cut"
    walk.vlans.append((walk.frame[walk.at] << 8 | walk.frame[walk.at + 1]) & 0x0FFF)
    walk.at += 4
    return _by_type(walk.frame, walk.at - 2)


def _llc(walk: Walk) -> PeelResult:
    if walk.left() < 8:
        return "cut"
    if not walk.frame.startswith(SNAP, walk.at):
        return "ethertype"
    walk.at += 8
    return _by_type(walk.frame, walk.at - 2)


def _by_type(frame: bytes, at: int) -> PeelResult:
    number = frame[at] << 8 | frame[at + 1]
    return Layer.LLC if number <= MAX_LENGTH_FIELD else ETHERTYPES.get(number, "ethertype")


def _loopback(walk: Walk) -> PeelResult:
    if walk.left() < 4:
        return "cut"
    family = walk.frame[walk.at : walk.at + 4]
    walk.at += 4
    # The writer's byte order, which is not the file's.
    return FAMILIES.get(int.from_bytes(family, "little"), FAMILIES.get(int.from_bytes(family, "big"), "link"))


def _cooked(walk: Walk) -> PeelResult:
    """LINKTYPE_LINUX_SLL: the protocol type is the last two of 16 bytes."""
    if walk.left() < 16:
        return "cut"
    walk.at += 16
    return _by_type(walk.frame, walk.at - 2)


def _cooked_v2(walk: Walk) -> PeelResult:
    """LINKTYPE_LINUX_SLL2: the protocol type is the first two of 20 bytes."""
    if walk.left() < 20:
        return "cut"
    walk.at += 20
    return _by_type(walk.frame, walk.at - 20)


def _cisco_hdlc(walk: Walk) -> PeelResult:
    """RFC 1547 section 4.3.1: address, control, EtherType."""
    if walk.left() < 4:
        return "cut"
    walk.at += 4
    return _by_type(walk.frame, walk.at - 2)


def _ppp(walk: Walk) -> PeelResult:
    if walk.frame.startswith(b"\xff\x03", walk.at) and walk.left() >= 2:
        walk.at += 2  # RFC 1662 section 3.1: address and control, which may be compressed away
    if walk.left() < 1:
        return "cut"
    number = walk.frame[walk.at]
    if number & 1:  # RFC 1661 section 6.5: an odd first byte is a compressed protocol field
        walk.at += 1
        return PPP_PROTOCOLS.get(number, "ppp")
    if walk.left() < 2:
        return "cut"
    number = number << 8 | walk.frame[walk.at + 1]
    walk.at += 2
    return PPP_PROTOCOLS.get(number, "ppp")


def _pppoe(walk: Walk) -> PeelResult:
    """RFC 2516 section 4: 6 bytes, then the PPP protocol field."""
    if walk.left() < 6:
        return "cut"
    walk.at += 6
    return Layer.PPP


def _mpls(walk: Walk) -> PeelResult:
    """RFC 3032 section 2.1.

    4-byte entries, the last with the S bit; what is under them can only be guessed (RFC 4928 section 3).
    """
    bottom = False
    while not bottom:
        if walk.left() < 4:
            return "cut"
        bottom = bool(walk.frame[walk.at + 2] & 0x01)
        walk.at += 4
    if walk.left() < 1:
        return "cut"
    nibble = walk.frame[walk.at] >> 4
    if nibble == 4:
        return Layer.IPV4
    if nibble == 6:
        return Layer.IPV6
    if nibble == 0:  # RFC 4385 section 3: the pseudowire control word
        if walk.left() < 4:
            return "cut"
        walk.at += 4
    return Layer.ETHERNET


STEPS: dict[Layer, Callable[[Walk], PeelResult]] = {
    Layer.ETHERNET: _ethernet, Layer.VLAN: _vlan, Layer.LLC: _llc, Layer.LOOPBACK: _loopback, Layer.COOKED: _cooked,
    Layer.COOKED_V2: _cooked_v2, Layer.CISCO_HDLC: _cisco_hdlc, Layer.PPP: _ppp, Layer.PPPOE: _pppoe, Layer.MPLS: _mpls,
    Layer.RAW_IP: network.raw_ip, Layer.IPV4: network.ipv4, Layer.IPV6: network.ipv6, Layer.GRE: network.gre,
    Layer.TCP: transport.tcp, Layer.UDP: transport.udp,
}  # fmt: skip


class FrameDecoder:
    def __init__(self, limits: CoreLimits, counters: Counters) -> None:
        self._counters = counters
        self.fragments = Fragments(limits, counters)
        self.exclusions = Exclusions([], [])

    def decode(self, ts_ns: int, link: int, frame: bytes) -> Segment | None:
        """The segment of a frame; None when it is ignored. Either is counted."""
        found = self.peel(ts_ns, link, frame)
        if isinstance(found, str):
            self._counters["ignored_" + found] += 1
            return None
        if self.exclusions.match(found):
            self._counters["excluded"] += 1
            return None
        self._counters["segments"] += 1
        return found

    def peel(self, ts_ns: int, link: int, frame: bytes) -> Segment | str:
        """The segment of a frame, or the reason to ignore it."""
        outcome: PeelResult = FIRST_LAYER.get(link, "link")
        walk = Walk(ts_ns, frame, self.fragments, self._counters)
        peeled = 0
        while isinstance(outcome, Layer):
            # TCP and UDP are what is looked for, not a layer to be peeled off it.
            if peeled == MAX_LAYERS and outcome not in (Layer.TCP, Layer.UDP):
                return "depth"
            outcome = STEPS[outcome](walk)
            peeled += 1
        return outcome if isinstance(outcome, str) or walk.other is None else _with_other(outcome, walk, walk.other)


def _with_other(first: Segment, walk: Walk, payload: bytes) -> Segment:
    """A segment with its other reading, as far as that is one of the same flow."""
    walk.go_on_in(payload)
    other = transport.tcp(walk)
    if isinstance(other, Segment) and (other.src_port, other.dst_port) == (first.src_port, first.dst_port):
        return first._replace(other=other)
    return first


def segments(source: str) -> Iterator[tuple[int, bytes, Segment | str]]:
    """Each packet's link type, bytes, and segment or reason.

    What a test compares with another decoder, packet by packet.
    """
    decoder = FrameDecoder(CoreLimits(), new_counters())
    for ts_ns, link, frame in CaptureFile(source).packets():
        if ts_ns is not None and link is not None:
            yield link, frame, decoder.peel(ts_ns, link, frame)
