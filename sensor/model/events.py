"""What crosses the border from a core to the line: five kinds of event about a flow, and the end of a source. Those of
encrypted sessions are in `sensor.model.encrypted`.

Both cores (the compiled one and the reference) build exactly these tuples, so their outputs compare with `==`.
Addresses and payload stay bytes; times are nanoseconds of the packet clock since the epoch. Per flow the order is Open
(Chunk | Hit | Shape)* Close. The meaning of every field is fixed in docs/border.md.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sensor.model.encrypted import AddressNamed, DnsAnswer, EncryptedEvent, NamelessSession

#: Direction of a chunk or hit: sent by the flow's originator, or by its responder.
ORIGINATOR = 0
RESPONDER = 1

Basis = Literal["syn", "port", "first-seen"]
CloseReason = Literal["fin", "rst", "idle", "evicted", "reused", "end"]


class Open(NamedTuple):
    """A flow passed a gate of the prefilter; its bytes follow as chunks."""

    flow: int  # unique within one core; never reused
    ts_ns: int  # of the packet that opened the gate
    proto: int  # 6 TCP, 17 UDP
    orig_addr: bytes  # 4 or 16 bytes
    orig_port: int
    resp_addr: bytes
    resp_port: int
    basis: Basis  # how the originator was told
    midstream: bool  # TCP without its SYN seen
    first_ns: int  # first packet of the flow
    vlans: tuple[int, ...]  # VLAN ids, outermost first, of the packet that opened the gate
    source: str  # name given to attach()
    packets: tuple[int, int] = (1, 1)  # so far, that of the gate included: of originator and responder


class Chunk(NamedTuple):
    """In-order bytes of one direction; `gap` bytes of the stream directly before them were never seen.

    One whose offset lies before the end of the one before it is a line of the other reading, where bytes of the stream
    contradicted each other: it is told besides, and its `gap` of 1 is of nothing.
    """

    flow: int
    ts_ns: int
    direction: int
    offset: int  # of data[0] in the direction's stream
    gap: int
    data: bytes
    base_seq: int = -1  # TCP sequence number (modulo 2^32) of offset 0 of this direction; -1: none, or not known
    ack_advances: int = 0  # of this direction by now: `PathFacts.ack_advances`
    acked_bytes: int = 0  # of this direction by now: `PathFacts.acked_bytes`


class Hit(NamedTuple):
    """A literal of the tables was seen (once per flow and literal)."""

    flow: int
    ts_ns: int
    direction: int
    offset: int  # of the literal's first byte
    literal: int  # index into Tables.literals


class Shape(NamedTuple):
    """A behaviour of the tables was recognised: first flights of known sizes. The bytes of those flights do not follow,
    later ones do.
    """

    flow: int
    ts_ns: int
    direction: int  # who sent the first flight
    shape: int  # index into Tables.flights
    score: float


class Clock(NamedTuple):
    """TCP timestamps (RFC 7323) of one direction while the gate was open: the first, and the first packet with the
    highest.
    """

    first_ns: int
    first_tsval: int
    last_ns: int
    last_tsval: int


class PathFacts(NamedTuple):
    """What the headers of one direction told of its sender while the gate was open.

    The acknowledgement numbers that a host sends move only when it receives: a sender that nobody answers can state one
    number, or has to make up answers. Packets of one host come by one way as a rule: each packet whose time to live or
    Ethernet source is not that of the direction's packet before it is counted.
    """

    ack_advances: int  # times the acknowledgement number moved forward
    acked_bytes: int  # by which it moved in all
    ttl_changes: int
    mac_changes: int


class Close(NamedTuple):
    """The flow left the table; totals are of the whole flow, from its first packet, per direction (originator,
    responder).
    """

    flow: int
    ts_ns: int  # the flow's last packet
    reason: CloseReason
    first_ns: int
    last_ns: int
    packets: tuple[int, int]
    bytes: tuple[int, int]  # IP bytes as on the wire
    gap_bytes: int  # stream bytes skipped by the assembler
    bad_checksums: int  # segments of this flow, from its Open on, with a wrong TCP or UDP checksum
    clocks: tuple[Clock | None, Clock | None] = (None, None)  # by direction; None: no timestamp was seen
    paths: tuple[PathFacts, PathFacts] = (PathFacts(0, 0, 0, 0), PathFacts(0, 0, 0, 0))  # by direction


class End(NamedTuple):
    """A source has been read to its end, or as far as it could be."""

    source: str
    packets: int
    error: str | None  # None: read to its end; otherwise what is wrong, in words
    offset: int  # where reading stopped: byte offset in the (decompressed) capture
    stretches: tuple[tuple[int, int], ...] = ()  # of a capture: first and last packet's time, anew after a leap of time


Event = Open | Chunk | Hit | Shape | Close | End | EncryptedEvent | NamelessSession | DnsAnswer | AddressNamed
