"""What of a finding is already in the roll-ups, and what a newer record changes there. Pure; the tables are
`rollups.py`.

A record carries totals; the roll-ups hold amounts by hour. So the ledger remembers for each finding what it has placed
where, and a record brings the difference: into the hours since the last one. Placed again, it brings nothing. A total
that went down (an algorithm that proved to be another, a replay that was fuller) is taken out of all hours in
proportion. What becomes known later (algorithm, coin, owner) moves what was placed under "not known"; a new owner of
the address gets what comes from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import NamedTuple

from sensor.ledger.store.amounts import (
    FIRST_ESTIMATE,
    NOTHING,
    ROUNDING,
    Amounts,
    hours_of,
    minus,
    negative,
    plus,
    positive,
    taken,
    totals,
)
from sensor.ledger.write.lifecycle import HeldFinding
from sensor.ledger.write.merge import same_packets
from sensor.model.finding import Finding
from sensor.model.time import HOUR_NS

#: Placements remembered for one finding; older ones are settled and never moved again.
MAX_PLACEMENTS = 12


class SeriesKey(NamedTuple):
    """Under what a finding of an address is rolled up; "" and 0: not known. The order is that of stored JSON."""

    site_id: int
    pool: str
    dialect: str
    algorithm: str
    coin: str
    suppressed: bool


@dataclass(frozen=True)
class Placement:
    """What was placed under one key, within these hours."""

    key: SeriesKey
    first_hour: int
    last_hour: int
    amounts: Amounts


@dataclass(frozen=True)
class RollupState:
    """All that was placed for one finding."""

    base: Amounts = NOTHING  # before the present run began to follow it
    settled: Amounts = NOTHING  # in placements no longer remembered
    earlier: int = 0  # how many of the placements are of earlier runs
    placements: tuple[Placement, ...] = ()

    @property
    def placed(self) -> Amounts:
        """The sum of everything."""
        return _total(self.placements, self.settled)

    def dumps(self) -> str:
        """As JSON, to be stored beside the finding."""
        placements = [
            [list(placement.key), placement.first_hour, placement.last_hour, placement.amounts]
            for placement in self.placements
        ]
        return json.dumps([self.base, self.settled, self.earlier, placements])

    @classmethod
    def loads(cls, text: str) -> RollupState:
        """What `dumps` wrote."""
        base, settled, earlier, rows = json.loads(text)
        placements = tuple(
            Placement(SeriesKey(*key), first_hour, last_hour, Amounts(*amounts))
            for key, first_hour, last_hour, amounts in rows
        )
        return cls(Amounts(*base), Amounts(*settled), earlier, placements)


@dataclass(frozen=True)
class AddAmounts:
    """Deal an amount out over hours by these weights."""

    key: SeriesKey
    amounts: Amounts
    weights: dict[int, float]


@dataclass(frozen=True)
class MoveAmounts:
    """Take an amount out of an hour range, and add another under a key in the same shape (None: nowhere)."""

    key: SeriesKey
    first_hour: int
    last_hour: int
    amounts: Amounts
    target: SeriesKey | None = None
    added: Amounts = NOTHING


@dataclass
class RollupPlan:
    """A finding's new state, and what is to be done to the tables, in this order."""

    state: RollupState
    actions: list[AddAmounts | MoveAmounts] = field(default_factory=list)


def plan_rollup(
    state: RollupState | None, before: HeldFinding | None, after: HeldFinding, record: Finding, key: SeriesKey
) -> RollupPlan:
    """What a record changes: `before` and `after` are what the ledger held and holds of the finding, `record` is as it
    came."""
    new_run = before is None or state is None or before.run_id != after.run_id or before.earlier is not after.earlier
    start = state or RollupState()
    if new_run:
        start = replace(start, base=start.placed, earlier=len(start.placements))
    if state is None and after.earlier is not None:
        start = replace(start, base=positive(minus(totals(after.finding), totals(record))))
    plan = RollupPlan(start)
    target = _target(start.base, after, record)
    _rename(plan, key, target)
    delta = _difference(target, plan.state.placed)
    _reduce(plan, negative(delta))
    since_ns = None if before is None or new_run else before.finding.last_ns
    _increase(plan, key, positive(delta), record, since_ns)
    return RollupPlan(_bounded(plan.state), plan.actions)


def _total(placements: tuple[Placement, ...], start: Amounts = NOTHING) -> Amounts:
    return reduce(plus, (placement.amounts for placement in placements), start)


def _target(base: Amounts, after: HeldFinding, record: Finding) -> Amounts:
    """What the roll-ups are to hold of it in all."""
    earlier = after.earlier
    if earlier is None:
        return totals(record)
    if not same_packets(earlier, record):
        return plus(base, totals(record))
    # The same packets again: the fuller record counts, as in `merge_findings`.
    same = after.finding.flow_count == earlier.flow_count and after.finding.shares == earlier.shares
    return base if same and after.finding.last_ns == earlier.last_ns else totals(record)


def _difference(target: Amounts, placed: Amounts) -> Amounts:
    """What is missing, without what is only rounding."""
    pairs = zip(target, placed, strict=True)
    return Amounts(*(0 if abs(want - has) <= ROUNDING * max(want, has) else want - has for want, has in pairs))


def _rename(plan: RollupPlan, key: SeriesKey, target: Amounts) -> None:
    """Move what was placed under a key that is now known better."""
    state = plan.state
    moved: list[Placement] = []
    for at, placement in enumerate(state.placements):
        if placement.key == key or not _better(placement.key, key, present=at >= state.earlier):
            moved.append(placement)
            continue
        amounts = placement.amounts
        if placement.key.algorithm != key.algorithm and at == len(state.placements) - 1:
            # Its work was estimated by another algorithm: the estimates as they are now.
            others = minus(state.placed, placement.amounts)
            amounts = placement.amounts.with_estimates(positive(minus(target, others)))
        plan.actions.append(
            MoveAmounts(placement.key, placement.first_hour, placement.last_hour, placement.amounts, key, amounts)
        )
        moved.append(replace(placement, key=key, amounts=amounts))
    plan.state = replace(state, placements=tuple(moved))


def _better(old: SeriesKey, new: SeriesKey, present: bool) -> bool:
    """Whether a key only adds to another; of the present run, also whether it names the kind of work otherwise."""
    if (old.site_id not in (0, new.site_id)) or old.pool != new.pool or (new.suppressed and not old.suppressed):
        return False
    if present:
        return True
    return old.dialect == new.dialect and old.algorithm in ("", new.algorithm) and old.coin in ("", new.coin)


def _reduce(plan: RollupPlan, less: Amounts) -> None:
    """Take from every placement in proportion."""
    if not any(less):
        return
    state = plan.state
    cuts = taken(less, {at: placement.amounts for at, placement in enumerate(state.placements)})
    reduced: list[Placement] = []
    for at, placement in enumerate(state.placements):
        plan.actions.append(MoveAmounts(placement.key, placement.first_hour, placement.last_hour, cuts[at]))
        reduced.append(replace(placement, amounts=minus(placement.amounts, cuts[at])))
    plan.state = replace(state, placements=tuple(reduced))


def _increase(plan: RollupPlan, key: SeriesKey, more: Amounts, record: Finding, since_ns: int | None) -> None:
    """Place what came since the last record; an estimate there was none of before is of all the time."""
    if not any(more):
        return
    state = plan.state
    late = NOTHING
    if since_ns is not None:
        late = _late_estimates(more, _total(state.placements[state.earlier :]))
    first_hour, last_hour = record.last_ns // HOUR_NS, record.first_ns // HOUR_NS
    for amounts, weights in ((minus(more, late), hours_of(record, since_ns)), (late, hours_of(record))):
        if any(amounts):
            plan.actions.append(AddAmounts(key, amounts, weights))
            first_hour, last_hour = min(first_hour, *weights), max(last_hour, *weights)
    added = Placement(key, first_hour, last_hour, more)
    present = range(state.earlier, len(state.placements))
    same = next((at for at in present if state.placements[at].key == key), None)
    if same is None:
        placements = (*state.placements, added)
    else:
        widened = _widened(state.placements[same], added)
        placements = (*state.placements[:same], widened, *state.placements[same + 1 :])
    plan.state = replace(state, placements=placements)


def _late_estimates(more: Amounts, present: Amounts) -> Amounts:
    """The estimates among `more` of which this run has placed none yet, though it has placed time."""
    if not present.seconds:
        return NOTHING
    return Amounts(*(amount if at >= FIRST_ESTIMATE and not present[at] else 0 for at, amount in enumerate(more)))


def _widened(placement: Placement, added: Placement) -> Placement:
    """One placement for two under the same key."""
    return Placement(
        placement.key,
        min(placement.first_hour, added.first_hour),
        max(placement.last_hour, added.last_hour),
        plus(placement.amounts, added.amounts),
    )


def _bounded(state: RollupState) -> RollupState:
    """The state with the oldest placements settled where there are too many."""
    over = len(state.placements) - MAX_PLACEMENTS
    if over <= 0:
        return state
    return replace(
        state,
        settled=_total(state.placements[:over], state.settled),
        earlier=max(0, state.earlier - over),
        placements=state.placements[over:],
    )
