"""A flow (a biflow in RFC 5103's sense): who began it, what each side has sent, and when it is over.

Keeps what the later steps remember of a flow, and no events. Time is always that of a packet.
"""

from __future__ import annotations

from enum import Enum, auto

from sensor.model.events import Basis, Clock, CloseReason
from sensor.model.limits import CoreLimits
from sensor.model.time import SECOND_NS
from sensor.reference.assembler import SEQUENCE_MASK, Assembler, is_reached, sequence_distance
from sensor.reference.counters import Counters
from sensor.reference.doubt import Doubts
from sensor.reference.flags import ACK, SYN
from sensor.reference.path import PathTrack
from sensor.reference.patience import Patience
from sensor.reference.sealed_session import SealedSession
from sensor.reference.tables import CARRY_BYTES, TCP
from sensor.reference.trial import Trial
from sensor.reference.walk import Segment

PRIVILEGED_PORTS = 1024
SINGLE_TIMEOUT_S = 10  # how long a candidate of a single TCP packet waits for another

Endpoint = tuple[bytes, int]
FlowKey = tuple[Endpoint, Endpoint, int]


class GateState(Enum):
    SHUT = auto()
    OPEN = auto()
    SPENT = auto()


class Rank(Enum):
    """How sure it is that somebody talks there; of a flow whose gate is open."""

    SINGLE = auto()  # one packet, and nobody has answered it
    ONE_SIDED = auto()  # several, of one side
    ANSWERED = auto()


class Side:
    """One direction: what the prefilter knows of its stream, and its assembler while the gate is open."""

    __slots__ = (
        "assembler", "base", "behind", "carry", "clock", "cut", "delivered", "doubts", "fin", "forgiven",
        "line_bytes", "next", "packets", "path", "payload_seen", "scan_carry", "syn_seen", "total_bytes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.packets = 0
        self.total_bytes = 0
        self.fin = False
        self.syn_seen = False
        self.base: int | None = None  # sequence of stream offset 0
        self.next = 0  # sequence after the highest byte seen; meaningful once there is a base
        self.carry = b""  # the last bytes before `next`, as far as they were captured without a break
        self.payload_seen = False
        self.assembler: Assembler | None = None
        self.delivered: int | None = None  # offset up to which chunks went out before the gate was spent (UDP: so far)
        self.clock: Clock | None = None
        self.path = PathTrack()
        self.doubts = Doubts()
        self.behind: Patience | None = None  # what was acknowledged of it was not seen yet
        self.forgiven: int | None = None  # up to here nothing of it is waited for any more
        self.cut = False  # snaplen cuts its segments: what is missing does not come
        self.line_bytes = 0  # delivered since the last LF, or since the gate opened
        self.scan_carry = b""  # the last bytes of the chunks, for literals cut by a chunk's border

    def forget_candidate(self) -> None:
        """What is known of it only since its gate opened."""
        self.assembler = self.delivered = self.clock = self.behind = self.forgiven = None
        self.path, self.doubts = PathTrack(), self.doubts.of_syn()
        self.cut, self.line_bytes, self.scan_carry = False, 0, b""

    def see_syn(self, seq: int) -> None:
        self.syn_seen = True
        # What acknowledges the other side's SYN outranks an earlier one.
        if not self.payload_seen:
            self.base = self.next = (seq + 1) & SEQUENCE_MASK

    def see_timestamp(self, ts_ns: int, tsval: int) -> None:
        """Note a TSval; one that does not go forward is a duplicate or came late, and changes nothing."""
        if self.clock is None:
            self.clock = Clock(ts_ns, tsval, ts_ns, tsval)
        elif sequence_distance(tsval, self.clock.last_tsval) > 0:
            self.clock = self.clock._replace(last_ns=ts_ns, last_tsval=tsval)

    def begin_at_syn(self, ack: int, counters: Counters) -> None:
        """Of a side that has sent its SYN and no payload, assembly begins at its base once more is acknowledged."""
        waits_for_start = self.assembler is None and self.syn_seen and not self.payload_seen
        if waits_for_start and self.base is not None and not is_reached(ack, self.base):
            self.assembler = Assembler(self.base, self.delivered or 0, 0, counters)

    def reached(self) -> int | None:
        """Up to where it is seen, or nothing more is waited for; its FIN takes a number."""
        if self.assembler is None:
            return None
        following = self.assembler.next_seq()
        if self.forgiven is not None and sequence_distance(self.forgiven, following) > 0:
            return self.forgiven
        return (following + self.fin) & SEQUENCE_MASK

    def carry_before(self, seq: int) -> bytes:
        return self.carry if seq == self.next else b""

    def has_all_before(self, seq: int) -> bool:
        """Whether the carry is the whole stream so far, and `seq` goes on where it ends."""
        return seq == self.next and (self.next - (self.base or 0)) & SEQUENCE_MASK == len(self.carry)

    def sent(self) -> int:
        """Bytes of this side from its base to the highest seen; 0 before its first payload."""
        return (self.next - (self.base or 0)) & SEQUENCE_MASK if self.payload_seen else 0

    def see_payload(self, seq: int, payload: bytes, wire_bytes: int) -> None:
        """Move `next` and the carry. A segment that snaplen cut leaves no carry: its last bytes are not known."""
        self.payload_seen = True
        end = (seq + wire_bytes) & SEQUENCE_MASK
        if sequence_distance(seq, self.next) > 0 or sequence_distance(end, self.next) > 0:
            whole = len(payload) == wire_bytes
            self.carry = (self.carry_before(seq) + payload[-CARRY_BYTES:])[-CARRY_BYTES:] if whole else b""
            self.next = end


class Flow:
    __slots__ = (
        "bad_checksums", "basis", "budget_bytes", "first_ns", "gap_bytes", "gate", "held_bytes", "hits", "is_dismissed",
        "is_fat", "key", "last_ns", "number", "originator", "proto", "rank", "responder", "rst", "serial", "session",
        "sides", "trial", "waiting",
    )  # fmt: skip

    def __init__(self, key: FlowKey, segment: Segment, serial: int) -> None:
        self.key = key
        self.serial = serial  # order of arrival
        self.proto = segment.proto
        self.first_ns = self.last_ns = segment.ts_ns
        self.originator, self.responder, self.basis = _who_began(segment)
        self.sides = (Side(), Side())
        self.rst = False
        self.waiting: Segment | None = None  # a SYN that is not this connection's, until its answer
        self.number = 0  # the id in events, once a gate has opened
        self.gate = GateState.SHUT
        self.rank: Rank | None = None
        self.budget_bytes = 0
        self.hits: set[bytes] = set()  # literals already reported
        self.is_dismissed = False  # whoever polls has given it up
        self.gap_bytes = 0
        self.bad_checksums = 0
        self.held_bytes = 0  # of both directions, by `Holdings`
        self.trial: Trial | None = None  # its gate is not quite open
        self.session: SealedSession | None = None  # while it is recorded
        self.is_fat = False  # its encrypted session had too many records, and is not looked at again

    def direction(self, segment: Segment) -> int:
        return 0 if (segment.src_port == self.originator[1] and segment.src == self.originator[0]) else 1

    def see(self, segment: Segment, side: Side) -> None:
        """Take in what every packet of the flow changes."""
        self.last_ns = max(self.last_ns, segment.ts_ns)
        side.packets += 1
        side.total_bytes += segment.ip_bytes
        if segment.flags & SYN:
            side.see_syn(segment.seq)

    def timeout_ns(self, limits: CoreLimits) -> int:
        originator, responder = self.sides
        if self.proto != TCP:
            seconds = limits.udp_timeout_s
        elif self.rst or (originator.fin and responder.fin):
            seconds = limits.closed_timeout_s
        elif self.rank is Rank.SINGLE:
            seconds = min(limits.candidate_timeout_s, SINGLE_TIMEOUT_S)
        elif self.gate is GateState.OPEN:
            seconds = limits.candidate_timeout_s
        elif not originator.packets or not responder.packets:
            seconds = limits.tcp_new_timeout_s
        else:
            seconds = limits.tcp_timeout_s
        return seconds * SECOND_NS

    def is_idle(self, ts_ns: int, limits: CoreLimits) -> bool:
        return ts_ns - self.last_ns > self.timeout_ns(limits)

    def forget_candidate(self) -> None:
        """Its gate never opened."""
        self.gate, self.trial, self.number = GateState.SHUT, None, 0
        self.hits, self.gap_bytes, self.bad_checksums = set(), 0, 0
        for side in self.sides:
            side.forget_candidate()

    def is_answered(self) -> bool:
        """Whether both sides have sent something."""
        return bool(self.sides[0].packets and self.sides[1].packets)

    def is_closed(self) -> bool:
        return self.rst or (self.sides[0].fin and self.sides[1].fin)

    def reason(self, otherwise: CloseReason) -> CloseReason:
        if self.rst:
            return "rst"
        return "fin" if self.is_closed() else otherwise


def _who_began(segment: Segment) -> tuple[Endpoint, Endpoint, Basis]:
    sender, receiver = (segment.src, segment.src_port), (segment.dst, segment.dst_port)
    if segment.flags & SYN:
        return (receiver, sender, "syn") if segment.flags & ACK else (sender, receiver, "syn")
    if (segment.src_port < PRIVILEGED_PORTS) != (segment.dst_port < PRIVILEGED_PORTS):
        return (receiver, sender, "port") if segment.src_port < PRIVILEGED_PORTS else (sender, receiver, "port")
    return sender, receiver, "first-seen"
