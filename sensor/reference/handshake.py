"""Whether a SYN, a FIN or a reset is what it says: one packet of a sender who sees nothing of a connection must not end
it. Rules: docs/border.md, "Flow table".
"""

from __future__ import annotations

from enum import Enum, auto

from sensor.reference.assembler import SEQUENCE_MASK, sequence_distance
from sensor.reference.flags import ACK, RST, SYN
from sensor.reference.flow import Flow, GateState
from sensor.reference.walk import Segment

#: The largest window without scaling (RFC 9293 section 3.1): how far a FIN, or a reset of a flow that nobody follows,
#: may be from where its direction stands.
NEAR_BYTES = 65_535


class Belonging(Enum):
    """What a segment is to the flow of its ports."""

    OWN = auto()
    STRAY = auto()  # of no connection that is known
    WAITS = auto()  # a SYN of another connection: its answer decides
    ANSWERS = auto()  # proves the SYN that waits: the flow is over
    BEGINS = auto()  # the flow is closed already, and this is the next


def place(flow: Flow, segment: Segment) -> Belonging:
    """The place of a segment."""
    if flow.waiting is not None and _answers(flow, flow.waiting, segment):
        return Belonging.ANSWERS
    if not segment.flags & SYN:
        return Belonging.OWN
    if segment.flags & RST:
        return Belonging.STRAY
    direction = flow.direction(segment)
    side, other = flow.sides[direction], flow.sides[1 - direction]
    again = side.base == (segment.seq + 1) & SEQUENCE_MASK
    if again and (side.syn_seen or not flow.is_closed()):
        return Belonging.OWN
    if flow.is_closed():
        return Belonging.BEGINS
    if segment.flags & ACK:
        if other.syn_seen and other.base == segment.ack:
            fits = not side.payload_seen
        else:
            fits = not other.syn_seen and side.base is None
        return Belonging.OWN if fits else Belonging.STRAY
    if not side.packets or (side.base is None and other.syn_seen):
        return Belonging.OWN
    return Belonging.WAITS


def _answers(flow: Flow, first: Segment, segment: Segment) -> bool:
    """Whether a segment shows that the connection of `first`, a SYN, was taken up.

    The other side's SYN acknowledges it; or, of a flow of which one side alone is seen, its sender goes on from it.
    """
    origin = flow.direction(first)
    after = {(first.seq + 1) & SEQUENCE_MASK, (first.seq + 1 + first.wire_bytes) & SEQUENCE_MASK}
    match segment.flags & (SYN | ACK | RST):
        case 0x12:
            return flow.direction(segment) != origin and segment.ack in after
        case 0x10:
            return flow.direction(segment) == origin and segment.seq in after and not flow.sides[1 - origin].packets
    return False


def fin_fits(flow: Flow, direction: int, seq: int) -> bool:
    """Whether a FIN, whose segment's payload begins at `seq`, is near where its direction stands."""
    side = flow.sides[direction]
    return side.base is None or _is_near(seq, side.next)


def reset_fits(flow: Flow, direction: int, segment: Segment) -> bool:
    """Whether a reset is at the number that its receiver expects (RFC 5961 section 3.2).

    That is what its sender has sent, or, where the capture lost some of it, what the receiver has acknowledged. Of a
    flow that nobody follows, near it.
    """
    side, other = flow.sides[direction], flow.sides[1 - direction]
    followed = flow.gate is GateState.OPEN

    def at(seq: int, expected: int) -> bool:
        return (seq - expected) & SEQUENCE_MASK <= 1 or (not followed and _is_near(seq, expected))

    if side.base is not None:
        return at(segment.seq, side.next) or (followed and other.path.ack == segment.seq)
    if segment.flags & ACK and other.base is not None:
        return at(segment.ack, other.next)
    return not followed or other.path.ack in (None, segment.seq)


def _is_near(seq: int, expected: int) -> bool:
    return abs(sequence_distance(seq, expected)) <= NEAR_BYTES
