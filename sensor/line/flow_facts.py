"""What a flow is called: its key as evidence names it, a stable number, and the Community ID. Pure functions of
addresses and times.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

from sensor.dialects.conversation import PLAIN, Carriage
from sensor.model.address import of_bytes
from sensor.model.events import Clock, Close, Open, PathFacts
from sensor.model.flow import FlowKey
from sensor.model.text import endpoint_text
from sensor.model.trace import StreamRange

TCP = 6
UDP = 17
#: Numbers of JSON are exact up to here in every consumer (IEEE 754 doubles).
FLOW_ID_BITS = 53


@dataclass(slots=True)
class FlowFacts:
    """A finished flow: where it went and what of it was seen."""

    opened: Open
    first_ns: int
    last_ns: int
    packets: tuple[int, int]
    gap_bytes: int
    seen_bytes: int
    seen: tuple[int, int] = (0, 0)  # stream bytes that were read, by direction
    missed: tuple[int, int] = (0, 0)  # stream bytes that the capture lost between them, by direction
    carriage: Carriage = PLAIN
    clocks: tuple[Clock | None, Clock | None] = (None, None)  # by direction
    ranges: tuple[StreamRange | None, StreamRange | None] = (None, None)  # what was seen of the streams, by direction
    ended: bool = False  # by the ends themselves: it cannot go on
    fell_silent: bool = False  # nothing came for so long that the flow was given up
    acks: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
    """By direction: the times that its acknowledgement numbers moved forward, and bytes by which they did, by now."""
    paths: tuple[PathFacts, PathFacts] | None = None  # by direction; None: the flow is still open


def facts(
    opened: Open, closed: Close | None, last_ns: int, seen: tuple[int, int], missed: tuple[int, int]
) -> FlowFacts:
    """The facts of a flow; without a Close (it is still open, or the run ended first) what its chunks show."""
    if closed is None:
        visible = [
            packets or seen[side] or missed[side] or opened.midstream for side, packets in enumerate(opened.packets)
        ]
        packets = (
            int(bool(visible[0])),
            int(bool(visible[1])),
        )  # a handshake without a packet of one side: it is not captured
        return FlowFacts(opened, opened.first_ns, last_ns, packets, sum(missed), sum(seen), seen, missed)
    totals = (closed.first_ns, closed.last_ns, closed.packets, closed.gap_bytes)
    return FlowFacts(
        *(opened, *totals, sum(seen), seen, missed),
        clocks=closed.clocks,
        ended=closed.reason in ("fin", "rst", "reused"),
        fell_silent=closed.reason == "idle",
        paths=closed.paths,
    )


def flow_key(opened: Open, source_direction: int, first_ns: int) -> FlowKey:
    """The flow's name with the given direction's sender first."""
    ends = [(opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port)]
    source, destination = ends[source_direction], ends[1 - source_direction]
    return FlowKey(
        src_ip=address_text(source[0]),
        src_port=source[1],
        dest_ip=address_text(destination[0]),
        dest_port=destination[1],
        proto="UDP" if opened.proto == UDP else "TCP",
        flow_id=flow_id(opened, first_ns),
        community_id=community_id(opened.proto, source, destination),
    )


def proxy_of(opened: Open, asked_by: int | None, transport: str) -> str | None:
    """The end of the flow that carries for others: the one asked, or the one that put a PROXY header first."""
    if asked_by is None:
        return None
    ends = [(opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port)]
    address, port = ends[asked_by if transport.startswith("proxy-") else 1 - asked_by]
    return endpoint_text(address_text(address), port)


def address_text(address: bytes) -> str:
    """An address as text; anything but 4 or 16 bytes in hex."""
    return of_bytes(address) if len(address) in (4, 16) else address.hex()


def is_host(address: bytes) -> bool:
    """Whether a host may have an address: none has one of this network, of a group or of broadcast (RFC 1122 section
    3.2.1.3), the unspecified one or a group's of IPv6 (RFC 4291 sections 2.5.2 and 2.7). A sender may write any."""
    if len(address) == 4:
        return address[0] != 0 and not 224 <= address[0] < 240 and address != b"\xff" * 4
    return any(address) and address[0] != 0xFF


def flow_id(opened: Open, first_ns: int) -> int:
    """A number for the flow, the same at every replay: from both ends, the protocol and the first packet's time."""
    ends = sorted([(opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port)])
    text = b"".join(struct.pack("!B", len(addr)) + addr + struct.pack("!H", port) for addr, port in ends)
    digest = hashlib.sha1(text + struct.pack("!Bq", opened.proto, first_ns), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - FLOW_ID_BITS)


def community_id(proto: int, source: tuple[bytes, int], destination: tuple[bytes, int]) -> str:
    """Community ID v1 with seed 0 (corelight/community-id-spec): SHA-1 over both ends in order, lower address and
    port first.
    """
    low, high = sorted([source, destination])
    data = struct.pack("!H", 0) + low[0] + high[0] + struct.pack("!BBHH", proto, 0, low[1], high[1])
    return "1:" + base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


def stable_id(*parts: object) -> str:
    """A short identifier that is the same at every replay."""
    text = "\0".join("" if part is None else f"={part}" for part in parts)
    return hashlib.sha1(text.encode("utf-8", "backslashreplace"), usedforsecurity=False).hexdigest()[:20]
