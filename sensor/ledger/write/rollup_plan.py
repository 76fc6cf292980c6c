"""What a newer record of a finding changes in the roll-ups. Pure; the tables are `rollups.py`.

A record brings the difference to what was placed before (`rollup_state.py`): into the hours since that run's last one.
Placed again, it brings nothing. A total that went down (an algorithm that proved to be another, a connection that a
second sensor saw too) is taken out of all hours in proportion. What becomes known later (algorithm, coin) moves what
was placed under "not known"; each owner of the address gets what is of its time (`holders.py`, `handover.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sensor.ledger.store.amounts import (
    FIRST_ESTIMATE,
    NOTHING,
    ROUNDING,
    Amounts,
    minus,
    negative,
    plus,
    positive,
    spread,
    taken,
)
from sensor.ledger.write.estimates import ESTIMATES, estimate_change
from sensor.ledger.write.holders import HolderSites, PresentTime, deal, times_of
from sensor.ledger.write.rollup_state import Placement, RollupState, SeriesKey
from sensor.model.finding import Finding


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


@dataclass(frozen=True)
class ShapeAmounts:
    """Add an amount to an hour range in the shape of one of its measures."""

    key: SeriesKey
    first_hour: int
    last_hour: int
    amounts: Amounts
    like: str


Action = AddAmounts | MoveAmounts | ShapeAmounts


@dataclass
class RollupPlan:
    """A finding's new state, and what is to be done to the tables, in this order."""

    state: RollupState
    actions: list[Action] = field(default_factory=list)


@dataclass(frozen=True)
class RollupTarget:
    """What the roll-ups are to hold of a finding."""

    key: SeriesKey  # what it is rolled up under now
    amounts: Mapping[str, Amounts]  # by algorithm
    claimed: frozenset[tuple[str, str, str]]  # dialect, algorithm and coin that some run says of it
    news: (
        tuple[PresentTime, ...] | None
    )  # when its connections were there since the run's record before; None: none was
    sites: HolderSites  # whose the address was when
    suppressed_sites: Mapping[int, bool] = field(default_factory=dict)  # by site, where some are not as the key says

    def key_at(self, site_id: int) -> SeriesKey:
        """The key at a site."""
        return self.key._replace(site_id=site_id, suppressed=self.suppressed_sites.get(site_id, self.key.suppressed))


def plan_rollup(state: RollupState | None, target: RollupTarget, record: Finding) -> RollupPlan:
    """What a record, as it came, changes."""
    plan = RollupPlan(state or RollupState())
    _rename(plan, target)
    present = record.algorithm or target.key.algorithm
    for algorithm in sorted({*target.amounts, *(placement.key.algorithm for placement in plan.state.placements)}):
        wanted = target.amounts.get(algorithm, NOTHING)
        placed = plan.state.of_algorithm(algorithm)
        counts = _difference(wanted.with_estimates(NOTHING), placed.with_estimates(NOTHING))
        estimates, less, dealt = estimate_change(placed, wanted)
        _reduce(plan, algorithm, less)
        for best, bounds, _ in ESTIMATES:
            _extend(plan, algorithm, NOTHING._replace(**{name: getattr(dealt, name) for name in bounds}), best)
        more = positive(counts).with_estimates(estimates)
        resolved = _resolved_estimates(more, counts)
        _extend(plan, algorithm, resolved, "unknown_seconds")
        if any(more):
            news = target.news if algorithm == present else None
            key = _key_of(plan.state, target.key, algorithm)
            _increase(plan, replace(target, key=key, news=news), minus(more, resolved), record)
        _reduce(plan, algorithm, negative(counts))
    return RollupPlan(plan.state.bounded(), plan.actions)


def joint_state(state: RollupState | None, other: RollupState | None) -> RollupState:
    """What was placed for one finding and for another, where both are one: the tables have it already."""
    first, second = state or RollupState(), other or RollupState()
    placements = list(first.placements)
    for placement in second.placements:
        same = next((at for at, mine in enumerate(placements) if mine.key == placement.key), None)
        if same is None:
            placements.append(placement)
        else:
            placements[same] = _widened(placements[same], placement)
    settled, before = _sums(first.settled, second.settled), _sums(first.before, second.before)
    return replace(first, placements=tuple(placements), settled=settled, before=before).bounded()


def _sums(left: Mapping[str, Amounts], right: Mapping[str, Amounts]) -> dict[str, Amounts]:
    return {name: plus(left.get(name, NOTHING), right.get(name, NOTHING)) for name in {*left, *right}}


def _key_of(state: RollupState, key: SeriesKey, algorithm: str) -> SeriesKey:
    """The key for more of an algorithm: the present one, or that under which it was placed before."""
    if algorithm == key.algorithm:
        return key
    before = [placement.key for placement in state.placements if placement.key.algorithm == algorithm]
    return before[-1] if before else key._replace(algorithm=algorithm)


def _difference(target: Amounts, placed: Amounts) -> Amounts:
    """What is missing, without what is only rounding."""
    pairs = zip(target, placed, strict=True)
    return Amounts(*(0 if abs(want - has) <= ROUNDING * max(want, has) else want - has for want, has in pairs))


def _rename(plan: RollupPlan, target: RollupTarget) -> None:
    """Move what was placed under a key that is now known better."""
    state, key = plan.state, target.key
    old = [placement for placement in state.placements if _is_renamed(placement.key, target)]
    moved: list[Placement] = []
    for placement in state.placements:
        if placement not in old:
            moved.append(_shown(plan, placement, target))
            continue
        amounts = placement.amounts
        if placement.key.algorithm not in ("", key.algorithm):
            # Its work was estimated by another algorithm: the estimates as they are now, all with the last of them.
            wanted = minus(target.amounts.get(key.algorithm, NOTHING), state.of_algorithm(key.algorithm))
            estimates = positive(wanted) if placement is old[-1] else NOTHING
            amounts = amounts.with_estimates(estimates)
        new = target.key_at(placement.key.site_id)
        plan.actions.append(
            MoveAmounts(placement.key, placement.first_hour, placement.last_hour, placement.amounts, new, amounts)
        )
        moved.append(replace(placement, key=new, amounts=amounts))
    settled = dict(state.settled)
    for algorithm in set(settled) - set(target.amounts) - {key.algorithm}:
        settled[key.algorithm] = plus(settled.get(key.algorithm, NOTHING), settled.pop(algorithm))
    plan.state = replace(state, settled=settled, placements=tuple(moved))


def _shown(plan: RollupPlan, placement: Placement, target: RollupTarget) -> Placement:
    """What keeps its kind, in the figures if the finding is by now: it counts as a whole."""
    if not placement.key.suppressed or target.key_at(placement.key.site_id).suppressed:
        return placement
    new, amounts = placement.key._replace(suppressed=False), placement.amounts
    plan.actions.append(MoveAmounts(placement.key, placement.first_hour, placement.last_hour, amounts, new, amounts))
    return replace(placement, key=new)


def _is_renamed(old: SeriesKey, target: RollupTarget) -> bool:
    """Whether what was placed under a key belongs under the present one: no run says it any more, or it was not known.
    It stays its owner's."""
    new = target.key_at(old.site_id)
    if old == new or old.pool != new.pool:
        return False
    if new.suppressed and not old.suppressed:
        return False
    kind = (old.dialect, old.algorithm, old.coin)
    same_kind = kind == (new.dialect, new.algorithm, new.coin)
    return same_kind or kind not in target.claimed


def _reduce(plan: RollupPlan, algorithm: str, less: Amounts) -> None:
    """Take from every placement of an algorithm in proportion."""
    if not any(less):
        return
    state = plan.state
    its = {
        at: placement.amounts for at, placement in enumerate(state.placements) if placement.key.algorithm == algorithm
    }
    cuts = taken(less, its)
    reduced = list(state.placements)
    for at in its:
        placement = state.placements[at]
        plan.actions.append(MoveAmounts(placement.key, placement.first_hour, placement.last_hour, cuts[at]))
        reduced[at] = replace(placement, amounts=minus(placement.amounts, cuts[at]))
    plan.state = replace(state, placements=tuple(reduced))


def _extend(plan: RollupPlan, algorithm: str, more: Amounts, like: str) -> None:
    """Add to what is placed of an algorithm, in the shape of a measure of it."""
    state = plan.state
    its = [at for at, placement in enumerate(state.placements) if placement.key.algorithm == algorithm]
    if not any(more) or not its:
        return
    placements = list(state.placements)
    weights = {at: getattr(placements[at].amounts, like) or 0.0 for at in its}
    if not any(weights.values()):
        weights = {at: placements[at].amounts.seconds for at in its}
    if not any(weights.values()):
        weights = dict.fromkeys(its, 1.0)
    for at, amounts in spread(more, weights).items():
        placement = placements[at]
        plan.actions.append(ShapeAmounts(placement.key, placement.first_hour, placement.last_hour, amounts, like))
        placements[at] = replace(placement, amounts=plus(placement.amounts, amounts))
    plan.state = replace(state, placements=tuple(placements))


def _increase(plan: RollupPlan, target: RollupTarget, more: Amounts, record: Finding) -> None:
    """Place what came since the last record, each holder's part under it; an estimate there was none of before is of
    all the time."""
    late = NOTHING
    if target.news is not None:
        late = _late_estimates(more, plan.state.of_algorithm(target.key.algorithm))
    all_times = times_of(record)
    for amounts, times in ((minus(more, late), list(target.news or all_times)), (late, all_times)):
        if any(amounts):
            for site_id, part, weights in deal(amounts, times, target.sites):
                _place(plan, target.key_at(site_id), part, weights)


def _place(plan: RollupPlan, key: SeriesKey, amounts: Amounts, weights: dict[int, float]) -> None:
    """Place an amount under a key in these hours."""
    plan.actions.append(AddAmounts(key, amounts, weights))
    placements = list(plan.state.placements)
    added = Placement(key, min(weights), max(weights), amounts)
    same = next((at for at, placement in enumerate(placements) if placement.key == key), None)
    if same is None:
        placements.append(added)
    else:
        placements[same] = _widened(placements[same], added)
    plan.state = replace(plan.state, placements=tuple(placements))


def _late_estimates(more: Amounts, present: Amounts) -> Amounts:
    """The estimates among `more` of which none was placed yet, though time was."""
    if not present.seconds:
        return NOTHING
    return Amounts(*(amount if at >= FIRST_ESTIMATE and not present[at] else 0 for at, amount in enumerate(more)))


def _resolved_estimates(more: Amounts, counts: Amounts) -> Amounts:
    """The part of new estimates that is of work that was not known until now, by time."""
    resolved, new = max(0.0, -counts.unknown_seconds), max(0.0, counts.seconds)
    if resolved <= 0.0:
        return NOTHING
    part = resolved / (resolved + new)
    return Amounts(*(amount * part if at >= FIRST_ESTIMATE else 0 for at, amount in enumerate(more)))


def _widened(placement: Placement, added: Placement) -> Placement:
    """One placement for two under the same key."""
    return Placement(
        placement.key,
        min(placement.first_hour, added.first_hour),
        max(placement.last_hour, added.last_hour),
        plus(placement.amounts, added.amounts),
    )
