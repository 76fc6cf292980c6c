"""Whether two records are of the same connection, and what of it was counted more than once. Pure.

The same connection has equal ends and VRF, times that overlap within the tolerance of two clocks, and sequence numbers
that overlap in every direction that both saw. Private address plans collide, and ports are used again: other sequence
numbers are another connection. Records of before there were traces are the same if their first packet is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce

from sensor.estimate.timeline import counted_again, signed_sum
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.line.share_union import ShareUnion, length, shares_of, united
from sensor.model.flow import FlowSummary
from sensor.model.quantities import GuessRecord, Shares, ShareTimeline, TallyRecord
from sensor.model.time import HOUR_NS, SECOND_NS
from sensor.model.trace import SEQUENCES, FlowTrace, StreamRange

#: How far two sensors' clocks may be apart.
TOLERANCE_NS = 2 * SECOND_NS
#: How long after its last packet, and how many bytes further on, a connection may be joined again by another run.
RESUMED_NS, RESUMED_BYTES = 24 * HOUR_NS, 1 << 28
#: Records between the same ends that one is compared with, the newest: who uses a port over and over costs no more.
MAX_ALIKE = 16


@dataclass(frozen=True, slots=True)
class SeenConnection:
    """One login's part of a connection as one run of a sensor saw it."""

    sensor_id: str
    run_id: str
    flow: FlowSummary

    @property
    def order(self) -> tuple[int, str, str, int]:
        """By first packet; the rest only makes the order total."""
        return self.flow.first_ns, self.sensor_id, self.run_id, self.flow.key.flow_id


def is_same(left: FlowSummary, right: FlowSummary) -> bool:
    """Whether both are of one connection and saw some of the same bytes, by clocks that agree."""
    return same_bytes(left, right) and _apart_ns(left, right) <= TOLERANCE_NS


def same_bytes(left: FlowSummary, right: FlowSummary) -> bool:
    """Whether both are of one connection and saw some of the same bytes, whatever their clocks say."""
    if not _same_ends(left, right):
        return False
    first, second = left.trace, right.trace
    if first is None or second is None:
        return left.key.flow_id == right.key.flow_id
    pairs = _pairs(first, second)
    return bool(pairs) and all(_distance(a, b) < 0 for a, b in pairs)


def goes_on(before: FlowSummary, after: FlowSummary) -> bool:
    """Whether the later record begins within the connection of the earlier record, after what that saw."""
    first, second = before.trace, after.trace
    if first is None or second is None or second.from_start or not _same_ends(before, after):
        return False
    pairs = _pairs(first, second)
    further = all(0 <= ahead(b.start, a.end) < RESUMED_BYTES for a, b in pairs)
    pause_ns = after.first_ns - before.last_ns
    return bool(pairs) and further and -TOLERANCE_NS <= pause_ns <= RESUMED_NS


def overlaps(seen: Sequence[SeenConnection]) -> dict[str, DoubleCount]:
    """What of these records, all of one finding and between the same ends, was counted more than once: by algorithm
    ("": not known)."""
    groups: list[list[SeenConnection]] = []
    for record in sorted(seen, key=lambda record: record.order):
        for group in groups:
            if any(is_same(other.flow, record.flow) for other in group):
                group.append(record)
                break
        else:
            groups.append([record])
    found: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
    for group in groups:
        if len(group) > 1:
            for algorithm, overlap in _overlaps_of(group):
                found[algorithm] = found[algorithm].plus(overlap)
    for at, group in enumerate(groups):
        resumed = (goes_on(other.flow, group[0].flow) for before in groups[:at] for other in before)
        if any(resumed):
            algorithm = _algorithm(group[0].flow)
            found[algorithm] = found[algorithm].plus(DoubleCount(sessions=1))
    return dict(found)


def _same_ends(left: FlowSummary, right: FlowSummary) -> bool:
    return left.key.community_id == right.key.community_id and left.vrf == right.vrf


def _apart_ns(left: FlowSummary, right: FlowSummary) -> int:
    """How far the times of two records are apart: of two that saw the beginning, their beginnings; else the records, 0
    or less where they overlap."""
    if left.trace is not None and right.trace is not None and left.trace.from_start and right.trace.from_start:
        return abs(left.first_ns - right.first_ns)
    return max(left.first_ns, right.first_ns) - min(left.last_ns, right.last_ns)


def _pairs(first: FlowTrace, second: FlowTrace) -> list[tuple[StreamRange, StreamRange]]:
    """What both saw of each direction; a direction that one did not see is left out."""
    directions = ((first.miner, second.miner), (first.pool, second.pool))
    return [(mine, other) for mine, other in directions if mine is not None and other is not None]


def ahead(later: int, earlier: int) -> int:
    """How far one sequence number is after another on their circle of 2^32; negative: before it."""
    return (later - earlier + SEQUENCES // 2) % SEQUENCES - SEQUENCES // 2


def _distance(left: StreamRange, right: StreamRange) -> int:
    """Bytes between two ranges on the circle of sequence numbers; negative: so many are in both."""
    start = left.start + ahead(right.start, left.start)
    end = start + right.end - right.start
    return max(left.start, start) - min(left.end, end)


def _algorithm(flow: FlowSummary) -> str:
    return "" if flow.trace is None else flow.trace.exposure.algorithm or ""


def _overlaps_of(group: Sequence[SeenConnection]) -> list[tuple[str, DoubleCount]]:
    """What each record of one connection after the first counted again."""
    so_far = _Whole(group[0].flow)
    result = []
    for record in group[1:]:
        result.append((_algorithm(record.flow), so_far.add(record.flow)))
    return result


class _Whole:
    """One connection as those saw it together that were added."""

    def __init__(self, flow: FlowSummary) -> None:
        self._shares = replace(flow.shares)
        trace = flow.trace
        self._near = trace.miner.start if trace is not None and trace.miner is not None else None
        self._union = None if trace is None else shares_of(trace)
        self._timeline = None if trace is None else trace.timeline
        self._pool: tuple[StreamRange, ...] = () if trace is None or trace.pool is None else (trace.pool,)
        self._missed = 0 if trace is None else trace.missed_bytes
        self._miner_missed = 0 if trace is None else trace.exposure.missed_bytes

    def add(self, flow: FlowSummary) -> DoubleCount:
        """Join a record; what of it was there already."""
        trace, own = flow.trace, flow.shares
        if trace is None or self._union is None:
            return self._add_counts(own)
        before = self._union
        mine = shares_of(trace, self._near)
        after = self._union = united(before, mine)
        miner_part = _part_again(length(before.seen), length(mine.seen), length(after.seen))
        pool = () if trace.pool is None else (_near(trace.pool, self._pool),)
        pool_before, self._pool = self._pool, _joined((*self._pool, *pool))
        pool_part = _part_again(length(pool_before), length(pool), length(self._pool))
        shares = self._shares_again(before, mine, after, own)
        share_part = Fraction(shares.submitted, own.submitted) if own.submitted else miner_part
        work = _work_again(before, mine, after, trace.work)
        bytes_again = _scaled(length(mine.seen), miner_part) + _scaled(length(pool), pool_part)
        whole = length(mine.seen) + length(pool)
        stream = _scaled(trace.stream_bytes, Fraction(bytes_again, whole)) if whole else 0
        lengths = (length(before.seen) + length(pool_before), whole)
        missed, self._missed = _missed_again((self._missed, trace.missed_bytes), lengths, bytes_again)
        exposure = trace.exposure
        miner_bytes = _scaled(exposure.seen_bytes + exposure.missed_bytes, miner_part)
        lengths = (length(before.seen), length(mine.seen))
        both = (self._miner_missed, exposure.missed_bytes)
        miner_missed, self._miner_missed = _missed_again(both, lengths, miner_bytes)
        return DoubleCount(
            sessions=1,
            submitted=shares.submitted,
            accepted=shares.accepted,
            rejected=shares.rejected,
            unanswered=shares.unanswered,
            verified=shares.verified,
            work=work,
            jobs=_scaled(trace.jobs, pool_part),
            stream_bytes=stream,
            missed_bytes=missed,
            credited=_tally_part(exposure.credited, share_part),
            spent=_tally_part(exposure.spent, share_part),
            guess=GuessRecord(
                _tally_part(exposure.guess.tally, share_part), exposure.guess.blocks if share_part == 1 else 0
            ),
            shares=_scaled(exposure.submitted, share_part),
            unknown=_scaled(exposure.unknown, share_part),
            miner_missed_bytes=miner_missed,
            miner_seen_bytes=miner_bytes - miner_missed,
            unrated=_scaled(exposure.unrated, share_part),
            timeline=self._timeline_again(trace.timeline, shares.submitted),
        )

    def _timeline_again(self, line: ShareTimeline | None, shares: int) -> ShareTimeline | None:
        again = counted_again(self._timeline, line, shares)
        self._timeline = signed_sum(signed_sum(self._timeline, line), again, -1)
        return again

    def _add_counts(self, own: Shares) -> DoubleCount:
        """Without traces the fuller counts are those of the connection."""
        fuller = max(self._shares, own, key=lambda shares: (shares.submitted, shares.accepted))
        again = Shares(self._shares.submitted + own.submitted - fuller.submitted)
        again.accepted = self._shares.accepted + own.accepted - fuller.accepted
        again.rejected = self._shares.rejected + own.rejected - fuller.rejected
        again.unanswered = again.submitted - again.accepted - again.rejected
        again.verified = min(self._shares.verified, own.verified)
        self._shares = replace(fuller)
        return DoubleCount(1, again.submitted, again.accepted, again.rejected, again.unanswered, again.verified)

    def _shares_again(self, before: ShareUnion, mine: ShareUnion, after: ShareUnion, own: Shares) -> Shares:
        old, new, gained = before.counts, mine.counts, after.counts
        submitted, accepted, rejected = (old[at] + new[at] - gained[at] for at in range(3))
        verified = min(self._shares.verified, own.verified, max(0, submitted))
        self._shares.verified += own.verified - verified
        return Shares(submitted, accepted, rejected, submitted - accepted - rejected, verified)


def _joined(ranges: tuple[StreamRange, ...]) -> tuple[StreamRange, ...]:
    return reduce(united, (ShareUnion((part,)) for part in ranges), ShareUnion()).seen


def _near(part: StreamRange, others: tuple[StreamRange, ...]) -> StreamRange:
    """A range moved by whole turns of the sequence numbers to be near others."""
    by = round((others[0].start - part.start) / SEQUENCES) * SEQUENCES if others else 0
    return StreamRange(part.start + by, part.end + by)


def _part_again(before: int, mine: int, after: int) -> Fraction:
    """Which part of a record's bytes was seen before."""
    return Fraction(before + mine - after, mine) if mine else Fraction(0)


def _scaled(amount: int, part: Fraction) -> int:
    return round(amount * part)


def _work_again(before: ShareUnion, mine: ShareUnion, after: ShareUnion, work: int) -> int:
    """Which part of a record's accepted work was there already."""
    own = mine.counts.work
    again = before.counts.work + own - after.counts.work
    return _scaled(work, Fraction(again, own)) if own else again


def _missed_again(missed: tuple[int, int], lengths: tuple[int, int], again: int) -> tuple[int, int]:
    """Missed bytes counted again, and those of both together. `again` bytes are in both records, each of which loses by
    itself there, so that few are lost to both."""
    pairs = zip(missed, lengths, strict=True)
    inside = [_scaled(lost, Fraction(min(again, whole), whole)) if whole else 0 for lost, whole in pairs]
    lost_to_both = inside[0] * inside[1] // again if again else 0
    counted_again = sum(inside) - lost_to_both
    return counted_again, sum(missed) - counted_again


def _tally_part(tally: TallyRecord, part: Fraction) -> TallyRecord:
    return TallyRecord(*(_scaled(amount, part) for amount in tally[:3]))
