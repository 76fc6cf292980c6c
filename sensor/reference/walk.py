"""What the steps of the decoder share.

Where they stand in a frame, which layers there are, and the segment they end in.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from sensor.reference.counters import Counters
from sensor.reference.fragments import Fragments

MAX_VLANS = 4


class Layer(Enum):
    ETHERNET = auto()
    VLAN = auto()
    LLC = auto()
    LOOPBACK = auto()
    COOKED = auto()
    COOKED_V2 = auto()
    CISCO_HDLC = auto()
    PPP = auto()
    PPPOE = auto()
    MPLS = auto()
    RAW_IP = auto()
    IPV4 = auto()
    IPV6 = auto()
    GRE = auto()
    TCP = auto()
    UDP = auto()


#: IANA, IEEE 802 numbers; 0x9100 and 0x9200 are the Q-in-Q types from before IEEE 802.1ad.
ETHERTYPES = {
    0x0800: Layer.IPV4, 0x86DD: Layer.IPV6, 0x8100: Layer.VLAN, 0x88A8: Layer.VLAN, 0x9100: Layer.VLAN,
    0x9200: Layer.VLAN,
    0x8847: Layer.MPLS, 0x8848: Layer.MPLS, 0x8864: Layer.PPPOE, 0x6558: Layer.ETHERNET,
}  # fmt: skip


class Segment(NamedTuple):
    """A TCP segment or UDP datagram, as far as it was captured."""

    ts_ns: int
    src: bytes
    src_port: int
    dst: bytes
    dst_port: int
    proto: int
    vlans: tuple[int, ...]
    seq: int  # TCP only, as the next two
    ack: int
    flags: int
    payload: bytes  # captured
    wire_bytes: int  # of payload; at least what was captured
    ip_bytes: int  # total length of the innermost packet
    #: The transport header and payload for the checksum; None where it cannot be checked.
    checked: bytes | None
    options: bytes = b""  # of the TCP header
    ttl: int = 0  # of the innermost IP packet (IPv6: hop limit)
    bad_ip: bool = False  # the checksum of the innermost IPv4 header is wrong
    mac: bytes = bytes(6)  # source of the innermost Ethernet header; zero without one
    other: Segment | None = None  # of a datagram whose fragments contradict each other: its other reading


class Walk:
    """A position in a frame.

    `end` is where the captured bytes of the layer at hand end, `wire_end` where they would on the wire.
    """

    __slots__ = (
        "at",
        "bad_ip",
        "counters",
        "dst",
        "end",
        "fragments",
        "frame",
        "ip_bytes",
        "mac",
        "other",
        "src",
        "ts_ns",
        "ttl",
        "vlans",
        "wire_end",
    )

    def __init__(self, ts_ns: int, frame: bytes, fragments: Fragments, counters: Counters) -> None:
        self.ts_ns = ts_ns
        self.frame = frame
        self.fragments = fragments
        self.counters = counters
        self.at = 0
        self.end = self.wire_end = len(frame)
        self.vlans: list[int] = []
        self.src = self.dst = b""
        self.ip_bytes = 0
        self.ttl = 0
        self.bad_ip = False
        self.mac = bytes(6)
        self.other: bytes | None = None  # of a TCP segment put together from fragments: its other reading

    def go_on_in(self, whole: bytes) -> None:
        """Go on in a payload that was put together."""
        self.frame, self.at = whole, 0
        self.end = self.wire_end = len(whole)

    def left(self) -> int:
        return self.end - self.at


#: The next layer, or the segment, or the reason to ignore the frame.
PeelResult = Layer | Segment | str
