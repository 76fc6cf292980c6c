"""`Core`: sources in, events out.

Everything happens inside `poll`; it starts no thread, and looks at a clock only for interfaces.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

from sensor.model.events import End, Event
from sensor.model.limits import CoreLimits
from sensor.model.time import DAY_NS, SECOND_NS
from sensor.reference.candidates import Candidates
from sensor.reference.capture.bytestream import CaptureError
from sensor.reference.capture.capture_file import CaptureFile
from sensor.reference.capture.packet_socket import DELETED, FIGURES, SCHEME, Instruction, PacketSocket, wait_for
from sensor.reference.capture.records import Packet
from sensor.reference.counters import new_counters
from sensor.reference.decode import FrameDecoder
from sensor.reference.exclusions import Exclusions
from sensor.reference.listed import SentNames
from sensor.reference.lookups import DnsLookups
from sensor.reference.quic_hellos import QuicHellos
from sensor.reference.recorder import SessionRecorder
from sensor.reference.table import FlowSteps, FlowTable
from sensor.reference.tables import Tables

#: Packets taken from one interface before the next has its turn.
TURN_PACKETS = 256
LOOK_AFTER_S = 1.0
#: Packets further apart than this are of another stretch of time; stretches kept of one capture.
LEAP_NS, MAX_STRETCHES = DAY_NS, 64


class _OpenCapture:
    """The source at hand."""

    def __init__(self, capture: CaptureFile) -> None:
        self.capture = capture
        self.packets: Iterator[Packet] = capture.packets()
        self.count = 0
        self.timed = False  # whether a packet with a time has come
        self.stretches: list[tuple[int, int]] = []
        self.latest_ns = 0

    def note_time(self, ts_ns: int) -> None:
        """A packet's time: within the stretch at hand, or after a leap in another."""
        leaps = abs(ts_ns - self.latest_ns) > LEAP_NS
        self.latest_ns = ts_ns
        if not self.stretches or (leaps and len(self.stretches) < MAX_STRETCHES):
            self.stretches.append((ts_ns, ts_ns))
            return
        first_ns, last_ns = self.stretches[-1]
        self.stretches[-1] = (min(first_ns, ts_ns), max(last_ns, ts_ns))


class Core:
    def __init__(self, tables: Tables, limits: CoreLimits) -> None:
        self._limits = limits
        self._counters = new_counters()
        self._events: deque[Event] = deque()
        self._decoder = FrameDecoder(limits, self._counters)
        self._candidates = Candidates(tables, limits, self._counters, self._events)
        self._names = SentNames(tables.names, self._events)
        numbers = self._candidates.numbers
        self._recorder = SessionRecorder(limits, self._counters, self._events, numbers, self._names)
        self._lookups = DnsLookups(limits, self._counters, self._events, self._names)
        self._quic = QuicHellos(limits, self._counters, self._events, numbers, self._names)
        steps = FlowSteps(self._lookups, self._quic, self._recorder, self._candidates)
        self._table = FlowTable(limits, self._counters, steps, self._decoder.fragments)
        self._waiting: deque[CaptureFile] = deque()
        self._reading: _OpenCapture | None = None
        self._last_ns: int | None = None
        self._read_source_bytes = 0  # of the sources read to their end
        self._finishing = self._ended = self._closed = False
        self._interfaces: list[PacketSocket] = []
        self._figures: dict[str, dict[str, int]] = {}
        self._looked_after_s = 0.0
        self._listens: bool | None = None  # to interfaces; None until something is attached

    def attach(
        self,
        source: str,
        *,
        full: Literal["drop", "wait"] = "wait",  # noqa: ARG002
        promiscuous: bool = True,
        ring_bytes: int = 0,
        snaplen: int = 0,
        filter: Sequence[Instruction] = (),
        cpus: Sequence[int] = (),  # noqa: ARG002
    ) -> None:
        """Open a source now.

        `full` and `cpus` change nothing: reading happens only when there is room, in the thread that polls. A plain
        socket has no ring: `ring_bytes` is how much the kernel holds for it, 0 as much as it likes.
        """
        if self._finishing or self._closed:
            raise RuntimeError("attach after finish or close")
        if self._listens not in (None, source.startswith(SCHEME)):
            raise CaptureError(source, "captures and interfaces do not share a core")
        if not source.startswith(SCHEME):
            self._waiting.append(CaptureFile(source))
            self._listens = False
            return
        figures = self._figures.get(source.removeprefix(SCHEME)) or dict.fromkeys(FIGURES, 0)
        self._interfaces.append(
            PacketSocket(
                source,
                figures,
                promiscuous=promiscuous,
                ring_bytes=ring_bytes,
                snaplen=snaplen,
                instructions=filter,
            )
        )
        self._figures[source.removeprefix(SCHEME)] = figures
        self._listens = True

    def poll(self, max_events: int, timeout_ms: int) -> list[Event]:
        """Read until `max_events` are there or the sources are done; interfaces are read for `timeout_ms` at most."""
        if self._interfaces:
            self._listen(max_events, timeout_ms / 1000)
        while len(self._events) < max_events and self._read_source(max_events):
            pass
        if self._finishing and not self._ended and not self._busy() and len(self._events) < max_events:
            self._table.end()
            self._ended = True
        return [self._events.popleft() for _ in range(min(max_events, len(self._events)))]

    def _listen(self, max_events: int, seconds: float) -> None:
        """One round over the interfaces, or as many as the time allows until there is an event."""
        until = time.monotonic() + seconds
        while self._interfaces and len(self._events) < max_events:
            wait_for(
                self._interfaces,
                0 if self._events or self._finishing else max(0.0, min(0.05, until - time.monotonic())),
            )
            taken = sum(self._take_turn(interface) for interface in self._interfaces)
            self._counters["ticks"] += 1
            self._table.tick(self._last_ns if taken and self._last_ns else time.time_ns())
            if self._finishing and not taken:
                for interface in self._interfaces:
                    interface.look_after()
                    self._end_interface(interface, None)
                self._interfaces = []
            elif time.monotonic() - self._looked_after_s >= LOOK_AFTER_S:
                self._look_after()
            if not taken and (self._events or time.monotonic() >= until):
                return

    def _take_turn(self, interface: PacketSocket) -> int:
        count = 0
        self._name_source(interface.source)
        for ts_ns, link, frame in interface.take(TURN_PACKETS):
            count += 1
            self._count(frame)
            self._last_ns = ts_ns
            self._decode(ts_ns, link, frame)
        return count

    def _name_source(self, source: str) -> None:
        self._candidates.source = self._recorder.source = self._lookups.source = self._quic.source = source

    def _look_after(self) -> None:
        self._looked_after_s = time.monotonic()
        gone = [interface for interface in self._interfaces if not interface.look_after()]
        self._interfaces = [interface for interface in self._interfaces if interface not in gone]
        for interface in gone:
            while self._take_turn(interface):
                pass
            interface.look_after()
            self._end_interface(interface, DELETED)

    def _end_interface(self, interface: PacketSocket, error: str | None) -> None:
        self._events.append(End(interface.source, interface.figures["packets"], error, 0))
        interface.close()

    def _read_source(self, max_events: int) -> bool:
        """Read on in the source at hand, or the next; false if there is none."""
        if self._reading is None:
            if not self._waiting:
                return False
            self._reading = _OpenCapture(self._waiting.popleft())
            self._name_source(self._reading.capture.source)
        reading, events = self._reading, self._events
        for packet in reading.packets:
            self._take(reading, packet)
            if len(events) >= max_events:
                return True
        capture = reading.capture
        events.append(End(capture.source, reading.count, capture.error, capture.offset, tuple(reading.stretches)))
        self._read_source_bytes += capture.source_bytes
        self._reading = None
        return True

    def _take(self, reading: _OpenCapture, packet: Packet) -> None:
        ts_ns, link, frame = packet
        reading.count += 1
        self._count(frame)
        if ts_ns is None or link is None:
            self._counters["ignored_interface"] += 1
            return
        if not reading.timed:
            reading.timed = True
            self._end_unless_continued(ts_ns)
        self._last_ns = ts_ns
        reading.note_time(ts_ns)
        self._decode(ts_ns, link, frame)

    def _count(self, frame: bytes) -> None:
        self._counters["packets"] += 1
        self._counters["bytes"] += len(frame)

    def _decode(self, ts_ns: int, link: int, frame: bytes) -> None:
        segment = self._decoder.decode(ts_ns, link, frame)
        if segment is not None:
            self._table.take(segment)
            if segment.other is not None:
                self._table.take(segment.other)

    def _end_unless_continued(self, ts_ns: int) -> None:
        """End all flows unless this capture goes on where the last one stopped, as a rotated capture does."""
        last_ns = self._last_ns
        if last_ns is not None and not 0 <= ts_ns - last_ns <= self._limits.candidate_timeout_s * SECOND_NS:
            self._table.end()

    def finish(self) -> None:
        self._finishing = True
        for interface in self._interfaces:
            interface.stop()

    def exclude(self, networks: list[tuple[bytes, int]], ports: list[int]) -> None:
        self._decoder.exclusions = Exclusions(networks, ports)

    def dismiss(self, flow: int) -> None:
        self._table.dismiss(flow)

    def interfaces(self) -> dict[str, dict[str, int]]:
        return {name: dict(figures) for name, figures in self._figures.items()}

    def _busy(self) -> bool:
        return bool(self._reading or self._waiting or self._interfaces)

    @property
    def finished(self) -> bool:
        return self._ended and not self._events

    def replace(self, tables: Tables) -> None:
        self._candidates.tables = tables
        self._names.listed = tables.names

    def stats(self) -> dict[str, int]:
        reading = self._reading.capture.source_bytes if self._reading else 0
        return self._counters | {
            "flows": len(self._table),
            "candidates": len(self._candidates),
            "thin_flows": len(self._recorder),
            "source_bytes": self._read_source_bytes + reading,
            "last_packet_ns": self._last_ns or 0,
            **{
                f"kernel_{name}": sum(figures[name] for figures in self._figures.values())
                for name in ("received", "dropped", "freezes")
            },
        }

    def close(self) -> None:
        """Stop reading and drop everything."""
        if self._reading is not None:
            self._reading.capture.close()
        for capture in self._waiting:
            capture.close()
        for interface in self._interfaces:
            interface.close()
        self._waiting.clear()
        self._interfaces = []
        self._events.clear()
        self._reading = None
        self._closed = True
