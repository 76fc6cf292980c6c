"""`Core`: sources in, events out. Everything happens inside `poll`; it starts no thread and looks at no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

from sensor.events import End, Event
from sensor.reference.candidates import Candidates
from sensor.reference.capture import Capture, Packet
from sensor.reference.counters import new_counters
from sensor.reference.decode import FrameDecoder
from sensor.reference.flow import SECOND_NS
from sensor.reference.table import FlowTable
from sensor.reference.tables import Limits, Tables


class _Reading:
    """The source at hand."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.packets: Iterator[Packet] = capture.packets()
        self.count = 0
        self.timed = False  # whether a packet with a time has come


class Core:
    def __init__(self, tables: Tables, limits: Limits) -> None:
        self._limits = limits
        self._counters = new_counters()
        self._events: deque[Event] = deque()
        self._decoder = FrameDecoder(limits, self._counters)
        self._candidates = Candidates(tables, limits, self._counters, self._events)
        self._table = FlowTable(limits, self._counters, self._candidates, self._decoder.fragments)
        self._waiting: deque[Capture] = deque()
        self._reading: _Reading | None = None
        self._last_ns: int | None = None
        self._read_source_bytes = 0  # of the sources read to their end
        self._finishing = self._ended = self._closed = False

    def attach(self, source: str, *, full: Literal["drop", "wait"] = "wait") -> None:  # noqa: ARG002
        """Open a capture now and queue it for reading. `full` changes nothing: reading happens only when there is room."""
        if self._finishing or self._closed:
            raise RuntimeError("attach after finish or close")
        self._waiting.append(Capture(source))

    def poll(self, max_events: int, timeout_ms: int) -> list[Event]:  # noqa: ARG002
        """Read until `max_events` are there or the sources are done; the time is not bounded, as files do not make one wait."""
        while len(self._events) < max_events and self._read_source(max_events):
            pass
        if self._finishing and not self._ended and self._reading is None and not self._waiting and len(self._events) < max_events:
            self._table.end()
            self._ended = True
        return [self._events.popleft() for _ in range(min(max_events, len(self._events)))]

    def _read_source(self, max_events: int) -> bool:
        """Read on in the source at hand, or the next; false if there is none."""
        if self._reading is None:
            if not self._waiting:
                return False
            self._reading = _Reading(self._waiting.popleft())
            self._candidates.source = self._reading.capture.source
        reading, events = self._reading, self._events
        for packet in reading.packets:
            self._take(reading, packet)
            if len(events) >= max_events:
                return True
        capture = reading.capture
        events.append(End(capture.source, reading.count, capture.error, capture.offset))
        self._read_source_bytes += capture.source_bytes
        self._reading = None
        return True

    def _take(self, reading: _Reading, packet: Packet) -> None:
        ts_ns, link, frame = packet
        reading.count += 1
        self._counters["packets"] += 1
        self._counters["bytes"] += len(frame)
        if ts_ns is None or link is None:
            self._counters["ignored_interface"] += 1
            return
        if not reading.timed:
            reading.timed = True
            self._end_unless_continued(ts_ns)
        self._last_ns = ts_ns
        segment = self._decoder.decode(ts_ns, link, frame)
        if segment is not None:
            self._table.take(segment)

    def _end_unless_continued(self, ts_ns: int) -> None:
        """A rotated capture goes on where the last file stopped; anything else is another time or place, and its flows are not these."""
        last_ns = self._last_ns
        if last_ns is not None and not 0 <= ts_ns - last_ns <= self._limits.candidate_timeout_s * SECOND_NS:
            self._table.end()

    def finish(self) -> None:
        self._finishing = True

    @property
    def finished(self) -> bool:
        return self._ended and not self._events

    def replace(self, tables: Tables) -> None:
        self._candidates.tables = tables

    def stats(self) -> dict[str, int]:
        reading = self._reading.capture.source_bytes if self._reading else 0
        return self._counters | {
            "flows": len(self._table),
            "candidates": len(self._candidates),
            "source_bytes": self._read_source_bytes + reading,
            "last_packet_ns": self._last_ns or 0,
        }

    def close(self) -> None:
        """Stop reading and drop everything."""
        if self._reading is not None:
            self._reading.capture.close()
        for capture in self._waiting:
            capture.close()
        self._waiting.clear()
        self._events.clear()
        self._reading = None
        self._closed = True
