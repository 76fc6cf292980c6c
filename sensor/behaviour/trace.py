"""What is seen of an encrypted session, as times, directions and plaintext lengths of its records.

Takes the overhead of the cipher off, and the records which TLS itself sends inside the encryption. Knows no dialects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sensor.behaviour.overhead import RecordOverhead

CLIENT, SERVER = 0, 1
Record = tuple[int, int, int]  # ts_ns, direction, length of what follows the header of 5 bytes

#: Plaintext lengths of a Finished message of TLS 1.3: a header of 4 and a hash of 32 or 48 (RFC 8446 section 4.4.4).
FINISHED = (36, 52)
#: Session tickets that servers send after a handshake: OpenSSL two, Go one, others up to four.
MAX_TICKETS = 4
#: A ticket has a header of 4, times and a nonce of at least 9, a ticket and its length of at least 34, extensions of 2.
LEAST_TICKET = 49


@dataclass(frozen=True, slots=True)
class Trace:
    """Records of a session in order of time."""

    times_ns: tuple[int, ...]
    directions: tuple[int, ...]
    lengths: tuple[int, ...]  # plaintext, the least it can have
    width: int = 0  # by how much more it can be
    opening: bool = False  # the first record is the first of the application, and none of the next is missing

    def __len__(self) -> int:
        return len(self.lengths)

    def until(self, ts_ns: int) -> Trace:
        """What had been seen by then."""
        end = next((i for i, at in enumerate(self.times_ns) if at > ts_ns), len(self))
        return self.cut(range(end))

    def cut(self, indices: Sequence[int]) -> Trace:
        """These records only."""
        return replace(
            self,
            times_ns=tuple(self.times_ns[i] for i in indices),
            directions=tuple(self.directions[i] for i in indices),
            lengths=tuple(self.lengths[i] for i in indices),
        )


#: Nothing was seen, or it is not kept.
NO_TRACE = Trace((), (), ())


def trace_of(records: Sequence[Record], added: RecordOverhead, *, opening: bool) -> Trace:
    """The records of a session whose encryption adds so much (a Noise frame is counted whole), empty ones left out."""
    least, most = added
    held = [record for record in records if record[2] > most]
    return Trace(
        tuple(record[0] for record in held),
        tuple(record[1] for record in held),
        tuple(record[2] - most for record in held),
        most - least,
        opening,
    )


def without_handshake(trace: Trace) -> Iterator[Trace]:
    """The trace without what TLS 1.3 itself sends in encrypted records: once for each number of session tickets that
    there can be, because nothing tells a ticket from an answer. A trace that was joined has none of it.
    """
    if not trace.opening:
        yield trace
        return
    first = next((i for i, side in enumerate(trace.directions) if side == CLIENT), len(trace))
    if first == len(trace) or trace.lengths[first] not in FINISHED:
        yield trace  # TLS 1.2, or no TLS: nothing of it is among the records
        return
    trace = trace.cut(range(first + 1, len(trace)))
    yield trace
    servers = [i for i, side in enumerate(trace.directions) if side == SERVER]
    for tickets in range(1, MAX_TICKETS + 1):
        lengths = {trace.lengths[i] for i in servers[:tickets]}
        if len(servers) <= tickets or len(lengths) > 1 or min(lengths) < LEAST_TICKET:
            return
        left_out = set(servers[:tickets])
        yield trace.cut([i for i in range(len(trace)) if i not in left_out])
