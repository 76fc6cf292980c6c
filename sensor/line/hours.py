"""Cuts events at the full hours of the packet clock: what follows an hour's mining is decided before the next begins.

A replay of a month steps its ledger as a daemon would have in that month, however fast it is read. Sans-IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sensor.model.events import Chunk, End, Event
from sensor.model.time import ANY_TIME, DAY_NS, HOUR_NS, PlausibleTime


class HourPart(NamedTuple):
    """Events of one hour."""

    over_ns: int | None  # all before this moment is in, and is to be decided first; None: no hour has ended
    events: list[Event]


class PacketHours:
    """The hour that the packets have come to. A clock that was set back by more than a day begins anew; less is
    disorder."""

    def __init__(self, plausible: PlausibleTime = ANY_TIME) -> None:
        self.plausible = plausible  # packets of other times are no clock
        self._hour_ns: int | None = None

    def parts(self, events: Iterable[Event]) -> Iterator[HourPart]:
        """The events, cut before the first of each new hour and after the end of each capture."""
        over_ns: int | None = None
        part: list[Event] = []
        for event in events:
            if isinstance(event, Chunk) and self.plausible.holds(event.ts_ns) and self._is_other(event.ts_ns):
                yield HourPart(over_ns, part)
                before_ns, self._hour_ns = self._hour_ns, event.ts_ns // HOUR_NS * HOUR_NS
                part, over_ns = [], None
                if before_ns is not None:
                    over_ns = self._hour_ns if self._hour_ns > before_ns else before_ns + HOUR_NS
            part.append(event)
            if isinstance(event, End):
                yield HourPart(over_ns, part)
                part, over_ns = [], None
        yield HourPart(over_ns, part)

    def _is_other(self, ts_ns: int) -> bool:
        hour_ns = self._hour_ns
        return hour_ns is None or ts_ns >= hour_ns + HOUR_NS or ts_ns < hour_ns - DAY_NS
