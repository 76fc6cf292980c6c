"""One encrypted session: its directions' places among the records, segments held behind a hole, hellos collected. Says
what it found; what becomes of that is the recorder's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sensor.model.encrypted import EncryptedEvent, SealedRecord
from sensor.model.time import SECOND_NS
from sensor.reference.assembler import SEQUENCE_MASK
from sensor.reference.hello_collector import MAX_COLLECTED_BYTES, HelloCollector, Reading
from sensor.reference.record_place import (
    ALERT,
    APPLICATION_DATA,
    HANDSHAKE,
    HEADER_BYTES,
    MIN_OPENING_LENGTH,
    OPENING_BYTES,
    RecordPlace,
    is_chain,
    is_opening,
    read_header,
)

MAX_HELD, MAX_HELD_BYTES, HELD_SEGMENT_BYTES = 4, 16_384, 64
BATCH_RECORDS = 16  # records that leave together
YOUNG_BYTES, RECORD_BYTES = 256, 8  # what a session that is not judged weighs, and each of its records past a batch
KEPT_BYTES = 640  # what a beginning weighs that is kept back
PATIENCE_NS = 10 * SECOND_NS
#: How far before the end of a direction without its place nothing is looked for.
SEEN_BYTES = 65_536


class StreamPiece(NamedTuple):
    """A segment's payload, of which the first bytes were captured."""

    seq: int
    wire_bytes: int
    payload: bytes
    ts_ns: int


class Opened:
    """The trial is over."""


class Withdrawn:
    """The session was on trial, and is none."""


class Resynchronised:
    """A direction found its place again."""


class SideReading(NamedTuple):
    side: int
    reading: Reading


#: A record's direction is its side here, and its type may be any.
Finding = Opened | Withdrawn | Resynchronised | SideReading | SealedRecord


class SealedSession:
    def __init__(self, number: int, *, midstream: bool = False, is_noise: bool = False) -> None:
        self.number = number
        self.midstream = midstream
        self.is_noise = is_noise  # headers are encrypted, and what a segment brings stands for a record
        self.on_trial = not midstream and not is_noise
        self.is_judged = False
        self.first_ns: int | None = None  # of its first record
        self.minute_ns = 0  # since when `minute_records` counts
        self.minute_records = 0
        self.records = [0, 0]  # of all types
        self.counts = [0, 0]  # handed on
        self.resynchronised = 0
        self.waiting: list[SealedRecord] = []  # to be handed on
        self.beginning: list[EncryptedEvent] = []  # of its beginning, not told so far
        self.weight_bytes = 0  # by the recorder's books
        self._places = (RecordPlace(), RecordPlace())
        self._collectors = (HelloCollector(waits=self.on_trial), HelloCollector(waits=self.on_trial))
        self._held: tuple[list[StreamPiece], list[StreamPiece]] = ([], [])

    def begin_at(self, side: int, seq: int) -> None:
        """A side begins with the byte of that number, unless it has a place or had one."""
        if self._places[side].next is None and not self.midstream:
            self._places[side].put(seq)

    @property
    def is_tls(self) -> bool:
        """Whether it is TLS for certain."""
        return not self.on_trial and not self.is_noise

    def weigh(self) -> int:
        """What it counts in the pool."""
        held = sum(len(piece.payload) + HELD_SEGMENT_BYTES for side in self._held for piece in side)
        collected = sum(len(collector.buffer) for collector in self._collectors)
        more = max(0, len(self.waiting) - BATCH_RECORDS)
        young = 0 if self.is_judged else YOUNG_BYTES + RECORD_BYTES * more
        return held + collected + young + (KEPT_BYTES if self.beginning else 0)

    def stop_collecting(self) -> list[Finding]:
        return self._give_up(0) + self._give_up(1)

    def take(self, side: int, piece: StreamPiece, room: Callable[[], int]) -> list[Finding]:
        """A segment of a side; `room` says for how many bytes more there is room in the pool."""
        found = self.close_late(piece.ts_ns)
        if not self._places[side].is_placed:
            return found + self._find_place(side, piece)
        if self._reaches(side, piece.seq):
            return found + self._walk(side, piece) + self._walk_held(side, piece.ts_ns)
        held = self._held[side]
        held.append(piece._replace(payload=b"") if self.is_noise else piece)
        size = len(held[-1].payload)
        if len(held) > MAX_HELD or size > MAX_HELD_BYTES or (self.is_judged and size + HELD_SEGMENT_BYTES > room()):
            found += self._close(side)
        return found

    def close_late(self, ts_ns: int) -> list[Finding]:
        """Close the holes behind which a segment has waited for too long."""
        found: list[Finding] = []
        for side in (0, 1):
            if self._held[side] and ts_ns - min(piece.ts_ns for piece in self._held[side]) >= PATIENCE_NS:
                found += self._close(side)
        return found

    def close_all(self) -> list[Finding]:
        return self._close(0) + self._close(1)

    def _give_up(self, side: int) -> list[Finding]:
        return [SideReading(side, reading) for reading in self._collectors[side].give_up()]

    def _reaches(self, side: int, seq: int) -> bool:
        """Whether what begins at `seq` can be walked: it was seen in part, is next, or begins inside the record at hand
        or right behind it, of which nothing is collected."""
        place = self._places[side]
        ahead = place.ahead(seq)
        collects = self._collectors[side].is_on and place.content_type == HANDSHAKE
        return ahead <= 0 or (ahead <= place.left and not collects)

    def _walk_held(self, side: int, ts_ns: int) -> list[Finding]:
        """Walk what was held and is reached by now."""
        found: list[Finding] = []
        held, place = self._held[side], self._places[side]
        while held and place.is_placed:
            nearest = min(held, key=lambda piece: place.ahead(piece.seq))
            if not self._reaches(side, nearest.seq):
                break
            held.remove(nearest)
            found += self._walk(side, nearest._replace(ts_ns=ts_ns))
        return found

    def _close(self, side: int) -> list[Finding]:
        """Walk all that is held, whatever is missing."""
        found: list[Finding] = []
        place = self._places[side]
        pieces = sorted(self._held[side], key=lambda piece: place.ahead(piece.seq))
        self._held[side].clear()
        for piece in pieces:
            if place.is_placed and not self._reaches(side, piece.seq):
                if self.on_trial:
                    return [*found, Withdrawn()]
                if self.is_noise:
                    place.put(piece.seq)
                    found.append(Resynchronised())
                found += self._give_up(side)
                if not self._reaches(side, piece.seq):
                    found += self._lose(side, piece.seq)
            found += self._walk(side, piece) if place.is_placed else self._find_place(side, piece)
        return found

    def _lose(self, side: int, end: int) -> list[Finding]:
        self._places[side].lose(end)
        return [Withdrawn()] if self.on_trial else self._give_up(side)

    def _find_place(self, side: int, piece: StreamPiece) -> list[Finding]:
        """A direction without its place: this segment may be it."""
        place = self._places[side]
        end = (piece.seq + piece.wire_bytes) & SEQUENCE_MASK
        if place.next is not None and -SEEN_BYTES <= place.ahead(piece.seq) < 0:
            place.next = max(end, place.next, key=place.ahead)
            return []
        opens = (
            self._collectors[side].is_untouched and len(piece.payload) >= OPENING_BYTES and is_opening(piece.payload)
        )
        if not opens and not is_chain(piece.payload, piece.wire_bytes):
            place.lose(end)
            return []
        found = [] if opens else self._give_up(side)
        if place.put(piece.seq):
            found.append(Resynchronised())
        return found + self._walk(side, piece)

    def _walk(self, side: int, piece: StreamPiece) -> list[Finding]:
        place, found = self._places[side], list[Finding]()
        payload, wire_bytes, ahead = piece.payload, piece.wire_bytes, place.ahead(piece.seq)
        end = (piece.seq + wire_bytes) & SEQUENCE_MASK
        if ahead > 0:
            place.pass_over(ahead)
        elif -ahead >= wire_bytes:
            return found
        else:
            payload, wire_bytes = payload[-ahead:], wire_bytes + ahead
        place.next = end
        if self.is_noise:
            return [self._record(side, APPLICATION_DATA, wire_bytes, piece.ts_ns)]
        cut = wire_bytes - len(payload)
        while payload:
            if place.left:
                body, payload = payload[: place.left], payload[place.left :]
                place.pass_over(len(body))
                found += self._read_body(side, body, piece.ts_ns)
            else:
                payload = place.add_to_header(payload)
                if len(place.header) == HEADER_BYTES:
                    found += self._begin_record(side, piece.ts_ns, end)
            if not place.is_placed or (found and isinstance(found[-1], Withdrawn)):
                return found
        return found + self._pass_cut(side, cut, end) if cut else found

    def _pass_cut(self, side: int, cut: int, end: int) -> list[Finding]:
        """The end of a segment that was not captured."""
        place = self._places[side]
        if self.on_trial:
            return [Withdrawn()]
        if cut > place.left:
            return self._lose(side, end)
        place.pass_over(cut)
        return self._give_up(side) if place.content_type == HANDSHAKE else []

    def _begin_record(self, side: int, ts_ns: int, end: int) -> list[Finding]:
        place = self._places[side]
        header = read_header(place.header)
        if header is None:
            return self._lose(side, end)
        place.left = header.length
        if self.on_trial:
            if header.content_type != HANDSHAKE or header.length < MIN_OPENING_LENGTH:
                return [Withdrawn()]
            place.stashed = True
            return []
        readings = self._collectors[side].begin_record(header.content_type)
        return [
            *(SideReading(side, reading) for reading in readings),
            self._record(side, header.content_type, header.length, ts_ns),
        ]

    def _record(self, side: int, content_type: int, length: int, ts_ns: int) -> SealedRecord:
        place = self._places[side]
        gap = place.gap and content_type in (ALERT, APPLICATION_DATA)
        place.gap = place.gap and not gap
        return SealedRecord(ts_ns, side, content_type, length, gap)

    def _read_body(self, side: int, body: bytes, ts_ns: int) -> list[Finding]:
        place, found = self._places[side], list[Finding]()
        if place.stashed:
            place.stashed = False
            if self.on_trial:
                if body[0] not in (1, 2):
                    return [Withdrawn()]
                self.on_trial = False
                found.append(Opened())
            found.append(self._record(side, HANDSHAKE, place.left + len(body), ts_ns))
        if place.content_type == HANDSHAKE:
            room = MAX_COLLECTED_BYTES - len(self._collectors[1 - side].buffer)
            found += (SideReading(side, reading) for reading in self._collectors[side].feed(body, room))
        return found
