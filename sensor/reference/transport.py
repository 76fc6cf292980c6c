"""TCP (RFC 9293), UDP (RFC 768) and the tunnels in UDP: VXLAN (RFC 7348), Geneve (RFC 8926), GTP-U, TZSP.

The last steps of the decoder. A tunnel is recognised by its port and by a header that fits; without such a header the
datagram is ordinary UDP. GTP-U is that of 3GPP TS 29.281.
"""

from __future__ import annotations

import struct

from sensor.reference.walk import ETHERTYPES, MAX_VLANS, Layer, PeelResult, Segment, Walk

_TCP = struct.Struct(">HHIIBB")
_UDP = struct.Struct(">HHHH")

VXLAN_PORTS = frozenset((4789, 8472))  # IANA's, and Linux's from before it (drivers/net/vxlan)
GENEVE_PORT = 6081
GTP_U_PORT = 2152
TZSP_PORT = 37_008  # 0x9090, as RouterOS and Wireshark have it
L2TP_PORT = 1_701


def tcp(walk: Walk) -> PeelResult:
    at, wire_bytes = walk.at, walk.wire_end - walk.at
    if wire_bytes < 20:
        return "tcp"
    if walk.left() < 20:
        return "cut"
    src_port, dst_port, seq, ack, offset, flags = _TCP.unpack_from(walk.frame, at)
    header = (offset >> 4) * 4
    if header < 20 or header > wire_bytes:
        return "tcp"
    if walk.left() < header:
        return "cut"
    whole = walk.end == walk.wire_end
    return Segment(
        walk.ts_ns, walk.src, src_port, walk.dst, dst_port, 6, tuple(walk.vlans[:MAX_VLANS]), seq, ack, flags,
        walk.frame[at + header : walk.end], wire_bytes - header, walk.ip_bytes,
        walk.frame[at : walk.end] if whole else None,
        walk.frame[at + 20 : at + header], walk.ttl, walk.bad_ip, walk.mac,
    )  # fmt: skip


def tsval(segment: Segment) -> int | None:
    """The TSval of the timestamps option (RFC 7323 section 3.2), if a segment other than a reset carries one."""
    options = segment.options
    while options and options[0] and not segment.flags & 0x04:
        if options[0] == 1:  # RFC 9293 section 3.1: padding without a length
            options = options[1:]
            continue
        if len(options) < 2 or not 2 <= options[1] <= len(options):
            return None
        if options[0] == 8 and options[1] == 10:
            return int.from_bytes(options[2:6], "big")
        options = options[options[1] :]
    return None


def udp(walk: Walk) -> PeelResult:
    at, wire_bytes = walk.at, walk.wire_end - walk.at
    if wire_bytes < 8:
        return "udp"
    if walk.left() < 8:
        return "cut"
    src_port, dst_port, length, checksum = _UDP.unpack_from(walk.frame, at)
    length = length or wire_bytes  # RFC 2675 section 4: 0 in a jumbogram; offloading cards leave it 0 too
    if length < 8 or length > wire_bytes:
        return "udp"
    end = min(walk.end, at + length)
    inner = _tunnel(walk, dst_port, at + 8, end)
    if inner is not None:
        walk.end, walk.wire_end = end, at + length
        return inner
    whole = end == at + length and checksum != 0  # RFC 768: 0 means it was not computed
    return Segment(
        walk.ts_ns, walk.src, src_port, walk.dst, dst_port, 17, tuple(walk.vlans[:MAX_VLANS]), 0, 0, 0,
        walk.frame[at + 8 : end], length - 8, walk.ip_bytes, walk.frame[at:end] if whole else None,
        ttl=walk.ttl, bad_ip=walk.bad_ip, mac=walk.mac,
    )  # fmt: skip


def _tunnel(walk: Walk, port: int, at: int, end: int) -> Layer | None:
    """The layer in the tunnel, and the walk placed at it; None if this is no tunnel."""
    if end - at < 8:
        return None
    if port in VXLAN_PORTS:
        if not walk.frame[at] & 0x08:  # RFC 7348 section 5: the I flag
            return None
        walk.at = at + 8
        return Layer.ETHERNET
    if port == GENEVE_PORT:
        size = 8 + 4 * (
            walk.frame[at] & 0x3F
        )  # RFC 8926 section 3.4: version in the upper two bits, option length in the rest
        layer = ETHERTYPES.get(walk.frame[at + 2] << 8 | walk.frame[at + 3])
        if walk.frame[at] >> 6 or layer is None or end - at < size:
            return None
        walk.at = at + size
        return layer
    if port == GTP_U_PORT:
        inner = _gtp_payload(walk.frame, at, end)
        if inner is None or inner >= end or walk.frame[inner] >> 4 not in (4, 6):
            return None  # not a user's packet, or one that is not IP
        walk.at = inner
        return Layer.RAW_IP
    if port == TZSP_PORT:
        frame_at = _tzsp_frame(walk.frame, at, end)
        if frame_at is None:
            return None
        walk.at = frame_at
        return Layer.ETHERNET
    if port == L2TP_PORT:
        inner = _l2tp_payload(walk.frame, at, end)
        if inner is None:
            return None
        walk.at = inner
        return Layer.PPP
    return _elsewhere(walk, at, end)


def _elsewhere(walk: Walk, at: int, end: int) -> Layer | None:
    """VXLAN with nothing but its number, L2TP with its length, at a port that says nothing.

    An IP packet that fills them is in it.
    """
    data = walk.frame[at:end]
    if int.from_bytes(walk.frame[at - 4 : at - 2], "big") != walk.end - at + 8:
        return None  # cut, or padded
    if data.startswith(b"\x08\0\0\0"):
        if data[7] or not _fills(data[20:22], data[22:]):
            return None
        walk.at = at + 8
        return Layer.ETHERNET
    if data[0] not in (0x40, 0x48) or data[1] != 0x02 or int.from_bytes(data[2:4], "big") != len(data):
        return None
    inner = _l2tp_payload(walk.frame, at, end)
    if inner is None:
        return None
    following = walk.frame[inner:end].removeprefix(b"\xff\x03")
    kind = {b"\x00\x21": b"\x08\x00", b"\x00\x57": b"\x86\xdd"}.get(following[:2], b"")
    if not _fills(kind, following[2:]):
        return None
    walk.at = inner
    return Layer.PPP


def _fills(ethertype: bytes, packet: bytes) -> bool:
    """Whether the bytes are exactly one IP packet of that type."""
    if ethertype == b"\x08\x00":
        return len(packet) >= 20 and packet[0] >> 4 == 4 and int.from_bytes(packet[2:4], "big") == len(packet)
    if ethertype == b"\x86\xdd":
        return len(packet) >= 40 and packet[0] >> 4 == 6 and int.from_bytes(packet[4:6], "big") + 40 == len(packet)
    return False


def _l2tp_payload(frame: bytes, at: int, end: int) -> int | None:
    """Where the PPP frame is, of a data message of version 2 (RFC 2661 section 3.1)."""
    flags = frame[at] << 8 | frame[at + 1]
    if flags & 0x8000 or flags & 0x000F != 2:
        return None
    header = 6 + (2 if flags & 0x4000 else 0) + (4 if flags & 0x0800 else 0)
    if flags & 0x0200:
        if at + header + 2 > end:
            return None
        header += 2 + int.from_bytes(frame[at + header : at + header + 2], "big")
    inner = at + header
    return inner if inner < end else None


def _tzsp_frame(frame: bytes, at: int, end: int) -> int | None:
    """Where the mirrored frame begins.

    Behind version 1, a packet received or to be sent, of Ethernet, and fields up to the end mark.
    """
    if frame[at] != 1 or frame[at + 1] > 1 or frame[at + 2 : at + 4] != b"\x00\x01":
        return None
    at += 4
    while at < end:
        kind = frame[at]
        if kind == 1:
            return at + 1
        if kind and at + 1 >= end:
            return None
        at += 2 + frame[at + 1] if kind else 1
    return None


def _gtp_payload(frame: bytes, at: int, end: int) -> int | None:
    """Where the user's packet begins; None if this is not a G-PDU (TS 29.281 section 5.1), which carries one."""
    flags = frame[at]
    if flags >> 4 != 0x3 or frame[at + 1] != 255:  # version 1, protocol type GTP
        return None
    at += 8
    if not flags & 0x07:
        return at
    if end - at < 4:
        return None
    following = frame[at + 3] if flags & 0x04 else 0  # without the E flag the byte is not to be read
    at += 4
    while following:  # section 5.2.1: length in 4-byte units, content, next type
        size = frame[at] * 4 if at < end else 0
        if not size or end - at < size:
            return None
        following = frame[at + size - 1]
        at += size
    return at


def checksum_fits(segment: Segment) -> bool:
    """Whether the checksum over pseudo-header and `checked` is right.

    RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1.
    """
    data = segment.checked
    if data is None:
        return True
    # One's complement: the sum is the bytes as one big number modulo 2^16-1, wherever in a word the addresses lie.
    pseudo = segment.src + segment.dst + struct.pack(">II", len(data), segment.proto)
    return int.from_bytes(pseudo + data + bytes(len(data) & 1), "big") % 0xFFFF == 0
