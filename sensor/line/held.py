"""What is held of all streams together, in bytes: bounded, and who is given up when it is too much.

Knows sizes of flows; ends no flow itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sensor.line.open_flow import OpenFlow

#: Bytes held of all streams together: unfinished lines, messages that are not read yet, readings. With the flow table
#: (250 MB), the ring (64 MB) and the program (170 MB) it stays well below the unit's MemoryMax of 2 GB.
MAX_HELD_BYTES = 128 << 20
#: What is left of it once room was made, so that making room is rare.
RELIEVED_PARTS = (7, 8)


class HeldStreams:
    """The bytes held of the open flows of one run."""

    __slots__ = ("_most_bytes", "held_bytes")

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.held_bytes = 0

    @property
    def is_too_much(self) -> bool:
        """Whether room must be made."""
        return self.held_bytes > self._most_bytes

    def greediest(self, flows: Mapping[int, OpenFlow]) -> Iterator[int]:
        """The flows to be given up until there is room, whoever takes them out: the greediest, the oldest of equals
        first, and those with shares last."""
        ranked = sorted(flows.items(), key=lambda item: (item[1].is_established, -item[1].held_bytes, item[0]))
        for number, _ in ranked:
            if self.held_bytes <= self._most_bytes * RELIEVED_PARTS[0] // RELIEVED_PARTS[1]:
                return
            yield number
