"""IPv4 (RFC 791), IPv6 (RFC 8200) and GRE (RFC 2784, 2890, 2637): three of the decoder's steps.

Nothing is remembered between frames but fragments, which `fragments` keeps.
"""

from __future__ import annotations

import struct

from sensor.reference.walk import ETHERTYPES, Layer, PeelResult, Walk

AUTHENTICATION, FRAGMENT = 51, 44
EXTENSIONS = frozenset(
    (0, 43, 60, 135)
)  # hop-by-hop, routing, destination options, mobility: RFC 8200 section 4, RFC 6275 section 6.1
PROTOCOLS = {6: Layer.TCP, 17: Layer.UDP, 4: Layer.IPV4, 41: Layer.IPV6, 47: Layer.GRE, 137: Layer.MPLS}

_IPV4 = struct.Struct(">BxHHHBBH4s4s")
_IPV6 = struct.Struct(">4xHBB16s16s")
_FRAGMENT = struct.Struct(">BxHI")
_GRE = struct.Struct(">HH")

GRE_CHECKSUM, GRE_ROUTING, GRE_KEY, GRE_SEQUENCE, GRE_ACKNOWLEDGEMENT = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080
GRE_PPP, GRE_ERSPAN_2, GRE_ERSPAN_3 = 0x880B, 0x88BE, 0x22EB


def raw_ip(walk: Walk) -> PeelResult:
    if walk.left() < 1:
        return "cut"
    version = walk.frame[walk.at] >> 4
    if version == 4:
        return ipv4(walk)
    return ipv6(walk) if version == 6 else "ip"


def ipv4(walk: Walk) -> PeelResult:
    at, left = walk.at, walk.left()
    if left and not 0x45 <= walk.frame[at] <= 0x4F:
        return "ip"  # version and header length stand in the first byte, however little was captured
    if left < 20:
        return "cut"
    first, total, identification, place, walk.ttl, protocol, _checksum, walk.src, walk.dst = _IPV4.unpack_from(
        walk.frame, at
    )
    header = (first & 0x0F) * 4
    total = total or left  # written by a card that segments for the host: the length is not known yet
    if total < header:
        return "ip"
    if left < header:
        return "cut"
    # RFC 1071: the one's complement sum is the header, as one big number, modulo 2^16-1.
    walk.bad_ip = bool(int.from_bytes(walk.frame[at : at + header], "big") % 0xFFFF)
    walk.counters["bad_ip_checksum"] += walk.bad_ip
    _enter(walk, header, total)
    if place & 0x3FFF:  # more fragments (0x2000), or an offset
        ignored = _reassemble(walk, identification, protocol, (place & 0x1FFF) * 8, bool(place & 0x2000))
        if ignored:
            return ignored
    # RFC 4302 section 2: of the extension headers only this one also stands behind IPv4.
    while protocol == AUTHENTICATION:
        following = _skip_header(walk, 4, 2)
        if following is None:
            return "cut"
        protocol = following
    return PROTOCOLS.get(protocol, "ip_protocol")


def ipv6(walk: Walk) -> PeelResult:
    at, left = walk.at, walk.left()
    if left and walk.frame[at] >> 4 != 6:
        return "ip"
    if left < 40:
        return "cut"
    following: int | None  # None once a header is cut
    walk.bad_ip = False
    length, following, walk.ttl, walk.src, walk.dst = _IPV6.unpack_from(walk.frame, at)
    _enter(walk, 40, length + 40 if length else left)
    while following not in PROTOCOLS:
        if following in EXTENSIONS:
            following = _skip_header(walk, 8, 1)
        elif following == AUTHENTICATION:
            following = _skip_header(walk, 4, 2)
        elif following == FRAGMENT:
            if walk.left() < 8:
                return "cut"
            following, place, identification = _FRAGMENT.unpack_from(walk.frame, walk.at)
            walk.at += 8
            if place & 0xFFF9:  # else an atomic fragment (RFC 6946): nothing to put together
                ignored = _reassemble(walk, identification, following, place & 0xFFF8, bool(place & 1))
                if ignored:
                    return ignored
        else:
            return "cut" if following is None else "ip_protocol"
    return PROTOCOLS[following]


def _skip_header(walk: Walk, unit: int, extra: int) -> int | None:
    """Go behind a header of the next protocol and its own length in units, less `extra`; None if it is cut."""
    if walk.left() < 8:  # the least such a header can have
        return None
    following, size = walk.frame[walk.at], (walk.frame[walk.at + 1] + extra) * unit
    if walk.left() < size:
        return None
    walk.at += size
    return following


def _enter(walk: Walk, header: int, total: int) -> None:
    """Go behind an IP header: what is past the total length is padding."""
    walk.wire_end = walk.at + total
    walk.end = min(walk.end, walk.wire_end)
    walk.at += header
    walk.ip_bytes = total


def _reassemble(walk: Walk, identification: int, protocol: int, offset: int, more: bool) -> str | None:
    """Go on with the whole payload if this fragment completes it; else the reason to ignore the frame."""
    if walk.end < walk.wire_end:
        return "fragment"
    key = (walk.src, walk.dst, identification, protocol, len(walk.src))
    whole = walk.fragments.add(walk.ts_ns, key, offset, more, walk.frame[walk.at : walk.end])
    if isinstance(whole, str):
        return whole
    walk.ip_bytes += len(whole.first) - walk.left()
    walk.go_on_in(whole.first)
    walk.other = whole.other if PROTOCOLS.get(protocol) is Layer.TCP else None
    return None


def gre(walk: Walk) -> PeelResult:
    if walk.left() < 4:
        return "cut"
    flags, protocol = _GRE.unpack_from(walk.frame, walk.at)
    version = flags & 7
    if version > 1 or flags & GRE_ROUTING:
        return "gre"
    size = 4
    if version == 1:
        # RFC 2637 section 4.1: the key is always there and holds payload length and call number.
        size += 4 + (4 if flags & GRE_SEQUENCE else 0) + (4 if flags & GRE_ACKNOWLEDGEMENT else 0)
    else:
        size += sum(4 for flag in (GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE) if flags & flag)
    if walk.left() < size:
        return "cut"
    walk.at += size
    if version == 1:
        return Layer.PPP if protocol == GRE_PPP and walk.at < walk.wire_end else "gre"
    if protocol == GRE_PPP:
        return Layer.PPP
    if protocol == GRE_ERSPAN_2:
        # draft-foschiano-erspan-03 section 4: type I has no sequence number and no header of its own.
        return _erspan(walk, 8 if flags & GRE_SEQUENCE else 0)
    if protocol == GRE_ERSPAN_3:
        if walk.left() < 12:
            return "cut"
        return _erspan(walk, 20 if walk.frame[walk.at + 11] & 1 else 12)
    return ETHERTYPES.get(protocol, "gre")


def _erspan(walk: Walk, header: int) -> PeelResult:
    if walk.left() < header:
        return "cut"
    walk.at += header
    return Layer.ETHERNET
