"""What the headers of one direction tell of its sender besides payload. Rules: docs/border.md, "Path"."""

from __future__ import annotations

from sensor.model.events import PathFacts
from sensor.reference.assembler import WINDOW_BYTES, sequence_distance
from sensor.reference.flags import ACK, RST
from sensor.reference.tables import TCP
from sensor.reference.walk import Segment


class PathTrack:
    """A direction's facts so far, and what the next packet is compared with."""

    __slots__ = ("ack", "facts", "way")

    def __init__(self) -> None:
        self.facts = PathFacts(0, 0, 0, 0)
        self.ack: int | None = None  # the highest acknowledgement number seen
        self.way: tuple[int, bytes] | None = None

    def see(self, segment: Segment) -> None:
        """Take in a packet of the direction."""
        ttl, mac = self.way or (segment.ttl, segment.mac)
        self.way = (segment.ttl, segment.mac)
        advances, acked_bytes, ttl_changes, mac_changes = self.facts
        ttl_changes += ttl != segment.ttl
        mac_changes += mac != segment.mac
        if segment.proto == TCP and segment.flags & (ACK | RST) == ACK:
            if self.ack is None:
                self.ack = segment.ack
            ahead = sequence_distance(segment.ack, self.ack)
            if 0 < ahead <= WINDOW_BYTES:
                advances, acked_bytes, self.ack = advances + 1, acked_bytes + ahead, segment.ack
        self.facts = PathFacts(advances, acked_bytes, ttl_changes, mac_changes)
