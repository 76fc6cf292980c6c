"""Which flows are worth assembling: the gate an unopened flow's payload opens, if any.

Looks at one segment and the carry before it; changes nothing. What is done with an open gate is not known here.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from sensor.reference.assembler import sequence_distance
from sensor.reference.flow import Side
from sensor.reference.tables import TCP, Tables
from sensor.reference.walk import Segment

START_MISSING_BYTES = 2_048


class Cause(Enum):
    START_MISSING = auto()
    OPENING = auto()
    LITERAL = auto()
    SHAPE = auto()


class GateMatch(NamedTuple):
    """What fits the gate: why, how many bytes may pass, and whether assembly begins at the direction's first byte."""

    cause: Cause
    budget_bytes: int
    from_base: bool
    prefix: bytes  # of the carry, to go before the segment
    on_trial: bool = False  # what follows has to prove it


def opening_match(tables: Tables, side: Side, seq: int, segment: Segment) -> GateMatch | None:
    """The first two steps, which only a flow whose gate was never open can take.

    `side` does not know the segment yet.
    """
    if segment.proto != TCP:
        start, at_start = segment.payload, not side.payload_seen
    else:
        if side.syn_seen and not side.payload_seen and sequence_distance(seq, side.next) > 0:
            return GateMatch(Cause.START_MISSING, START_MISSING_BYTES, True, b"", on_trial=True)
        start, at_start = side.carry + segment.payload, side.has_all_before(seq)
    opening = tables.opening(segment.proto, start, len(start)) if at_start else None
    if opening is None:
        return None
    prefix = start[: len(start) - len(segment.payload)]
    return GateMatch(Cause.OPENING, opening.budget_bytes, True, prefix, opening.waits())


def literal_match(tables: Tables, side: Side, seq: int, segment: Segment, session_bytes: int) -> GateMatch | None:
    """The third step, the same for a shut gate and a spent one."""
    if segment.proto != TCP:
        return None
    carry = side.carry_before(seq)
    text = carry + segment.payload
    for literal in tables.literals:
        if text.find(literal, max(0, len(carry) - len(literal) + 1)) >= 0:
            return GateMatch(Cause.LITERAL, session_bytes, False, carry)
    return None
