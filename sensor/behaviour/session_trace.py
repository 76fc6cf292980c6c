"""One encrypted session as far as it was seen: its records in bounded room, and what each look at it gave.

It is looked at after fixed times, or at its end before them, and at each as far as it went by then: the result does not
depend on when the events came. Sans-IO; knows no addresses and no names.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sensor.behaviour.block_beat import BlockBeat, beats_of
from sensor.behaviour.dialect_lengths import DialectLengths
from sensor.behaviour.grammar import LOOKS_S, GrammarResult, look_at_any
from sensor.behaviour.overhead import CHACHA_OVERHEAD, GCM_OVERHEAD, TLS_1_3_OVERHEAD, RecordOverhead, overhead
from sensor.behaviour.trace import Trace, trace_of
from sensor.model.encrypted import APPLICATION_DATA, Records, ServerHello
from sensor.model.time import SECOND_NS

#: Records kept of a session, the first: later looks see no more of it. A thin one has that many after 34 minutes at the
#: soonest, most after days.
MAX_RECORDS = 4_096
#: A record: its time, its direction, its length. What a session takes besides, with what its looks gave.
RECORD_BYTES, SESSION_BYTES = 11, 2_048
#: A session that lost records within its first so many is read as one that was joined behind them.
BEGINNING = 16
#: After all times of packets.
LAST_NS = (1 << 63) - 1
#: What encryption may add where no hello said so: p pays for each that is tried. Other suites are rare, and those of
#: CBC have no lengths to be read.
POSSIBLE_OVERHEADS = (TLS_1_3_OVERHEAD, GCM_OVERHEAD, CHACHA_OVERHEAD)


@dataclass(frozen=True, slots=True)
class GrammarLook:
    """What one look gave."""

    at_s: int  # after the session's first record: as far as it was looked at
    records: int
    grammar: GrammarResult
    trace: Trace  # that the grammar was read from
    beats: tuple[BlockBeat, ...] = ()


class SessionTrace:
    """The records of one session."""

    __slots__ = (
        *("_counts", "_lengths", "_overheads", "_sides", "_times_ns"),
        *("client", "gaps", "is_opening", "knows_client", "looks"),
    )

    def __init__(self, *, midstream: bool, knows_client: bool = True) -> None:
        self.client = 0  # the direction of the client, by whoever opened the connection
        self.knows_client = knows_client
        self.is_opening = not midstream
        self.gaps = 0  # times that records were missing
        self.looks = 0  # that were taken
        self._overheads: Sequence[RecordOverhead] = POSSIBLE_OVERHEADS
        self._counts = (0, 0)
        self._times_ns, self._sides, self._lengths = array("q"), bytearray(), array("H")

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def held_bytes(self) -> int:
        """About how much memory it takes."""
        return SESSION_BYTES + RECORD_BYTES * len(self)

    @property
    def due_ns(self) -> int | None:
        """When it is to be looked at next; None where that is over, or nothing was seen."""
        if not self._times_ns or self.looks >= len(LOOKS_S):
            return None
        return self._times_ns[0] + LOOKS_S[self.looks] * SECOND_NS

    def note_hello(self, hello: ServerHello) -> None:
        """The server chose a version and a cipher suite."""
        self._overheads = (overhead(hello.version, hello.cipher),)
        self.client, self.knows_client = 1 - hello.direction, True

    def take(self, batch: Records) -> None:
        """More records."""
        lost = batch.counts != self._counts and self._counts != (0, 0)
        if batch.counts != (0, 0) and not self._times_ns:
            self.is_opening = False
        counts = list(batch.counts)
        for record in batch.records:
            counts[record.direction] += 1
            if record.gap or lost:
                self._lose()
                lost = False
            if record.content_type == APPLICATION_DATA and len(self) < MAX_RECORDS:
                self._times_ns.append(record.ts_ns)
                self._sides.append(record.direction)
                self._lengths.append(record.length)
        self._counts = (counts[0], counts[1])

    def look(
        self, grammars: Sequence[DialectLengths], blocks_ns: Mapping[str, Sequence[int]], *, ended: bool
    ) -> GrammarLook:
        """Look at it as far as the next look goes, or it went. Raises ValueError where nothing is due."""
        due_ns = self.due_ns
        if due_ns is None:
            raise ValueError("no look is due")
        self.looks += 1
        ways = [
            (client, added)
            for client in ((self.client,) if self.knows_client else (self.client, 1 - self.client))
            for added in self._overheads
        ]
        traces = [self._trace(added, client).until(due_ns) for client, added in ways]
        result, which = look_at_any(traces, grammars)
        self.client, trace = ways[which][0], traces[which]
        beats = beats_of(self.unasked_ns(due_ns), blocks_ns) if blocks_ns else []
        last_s = ((self._times_ns[-1] if ended else due_ns) - self._times_ns[0]) // SECOND_NS
        return GrammarLook(last_s, len(trace), result, trace, tuple(beats))

    def unasked_ns(self, until_ns: int = LAST_NS) -> list[int]:
        """When the server sent something that follows none of the client's records at once."""
        server, sides = 1 - self.client, self._sides
        return [
            at
            for i, (at, side) in enumerate(zip(self._times_ns, sides, strict=True))
            if side == server and at <= until_ns and (i == 0 or sides[i - 1] == server)
        ]

    def _trace(self, added: RecordOverhead, turned: int) -> Trace:
        rows = zip(self._times_ns, self._sides, self._lengths, strict=True)
        records = [(ts_ns, side ^ turned, length) for ts_ns, side, length in rows]
        return trace_of(records, added, opening=self.is_opening)

    def _lose(self) -> None:
        """Records were missing right here."""
        self.gaps += 1
        if self.is_opening and len(self) < BEGINNING:
            self.is_opening = False
            self._times_ns, self._sides, self._lengths = array("q"), bytearray(), array("H")
