"""Which open flows are to be judged now: those with new messages; those that only begin when what is uncertain is due,
and of a flood of these only some.

Knows since when a flow waits, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sensor.line.attempts import FLOOD, INTERVAL_NS, MOST_JUDGED, MOST_OF_A_POOL, Beginner, Room
from sensor.line.open_flow import OpenFlow


class Waiting(NamedTuple):
    """A flow that only begins: since when it is somebody's, and how often one signed in."""

    since_ns: int
    sign_ins: int


class DueFlow(NamedTuple):
    """A flow to be judged as if it were this time."""

    number: int
    flow: OpenFlow
    at_ns: int


class TouchedFlows:
    """The open flows that have new messages since they were last judged."""

    def __init__(self) -> None:
        self._touched: dict[int, None] = {}
        self._beginnings: dict[int, Waiting] = {}  # oldest first
        self._room = Room(MOST_JUDGED, MOST_OF_A_POOL)
        self._crowded_ns: int | None = None  # when so many began at once that it was a flood

    @property
    def waiting(self) -> int:
        """Flows that only begin and will be judged."""
        return len(self._beginnings)

    def touch(self, number: int) -> None:
        """Something was said in a flow."""
        self._touched[number] = None

    def drop(self, number: int) -> None:
        """A flow has ended."""
        self._touched.pop(number, None)
        self._beginnings.pop(number, None)

    def due(self, flows: Mapping[int, OpenFlow], now_ns: int, wait_ns: int) -> Iterator[DueFlow]:
        """The flows to be judged by now. What only begins is not certain to be anything: it waits for so long, anew
        when one signs in, for then it is another finding."""
        for number in self._touched:
            flow = flows.get(number)
            waits = self._beginnings.get(number)
            if flow is None or (waits is not None and flow.is_beginning and waits.sign_ins == flow.sign_ins):
                continue
            self._beginnings.pop(number, None)
            if flow.is_beginning:
                self._beginnings[number] = Waiting(now_ns, flow.sign_ins)
            else:
                yield DueFlow(number, flow, now_ns if waits is None else waits.since_ns)
        self._touched.clear()
        if len(self._beginnings) > FLOOD:
            self._crowded_ns = now_ns
        while self._beginnings:
            number, waits = next(iter(self._beginnings.items()))
            if waits.since_ns + wait_ns > now_ns:
                break
            del self._beginnings[number]
            if self._has_room(number, flows[number], now_ns):
                yield DueFlow(number, flows[number], waits.since_ns)

    def _has_room(self, number: int, flow: OpenFlow, now_ns: int) -> bool:
        """Whether one that only begins is judged while it is open; of a flood others are counted when they end."""
        if self._crowded_ns is None or now_ns - self._crowded_ns >= INTERVAL_NS:
            return True
        opened = flow.opened
        ends = (opened.orig_addr.hex(), opened.resp_addr.hex(), opened.resp_port)
        return self._room.take(Beginner(opened.first_ns, *ends, number), now_ns)
