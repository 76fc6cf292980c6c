"""What lies in the roll-ups under one holder and is another's by now, handed over hour by hour. Pure; knows no tables.

What was placed under a holder stays there, unless the books say otherwise of that time. Nothing is taken from a holder
only because a book no longer speaks of the past.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from sensor.ledger.store.amounts import NOTHING, Amounts, ByHour, minus, plus, positive, spread
from sensor.ledger.write.holders import HolderSites, PresentTime, SiteStretch, by_hour
from sensor.ledger.write.rollup_plan import MoveAmounts
from sensor.ledger.write.rollup_state import Placement, RollupState, SeriesKey
from sensor.model.time import HOUR_NS

#: Reads what there is under a key in these hours.
ReadHours = Callable[[SeriesKey, range], ByHour]
#: By the site that gets it, how much of each hour.
Shares = Mapping[int, Mapping[int, float]]


class Handed(NamedTuple):
    """A state after some of it was handed over, and what is to be done to the tables."""

    state: RollupState
    actions: list[MoveAmounts]


def hand_over(
    state: RollupState,
    sites: HolderSites,
    before: HolderSites | None,
    times: Sequence[PresentTime],
    read: ReadHours,
) -> Handed:
    """Hand over what lies under a holder of whom the books no longer say it, or under nobody.

    `before` are the sites that the same run's last record was dealt by (None: there was none), `times` those of the
    present one's connections.
    """
    actions: list[MoveAmounts] = []
    for key in dict.fromkeys(placement.key for placement in state.placements):
        its = [placement for placement in state.placements if placement.key == key]
        hours = range(min(its_part.first_hour for its_part in its), max(its_part.last_hour for its_part in its) + 1)
        changed = _changed(key.site_id, sites, before, times)
        if not changed and (key.site_id or not any(sites.names(site_id) for _, _, site_id in _in_hours(sites, hours))):
            continue
        for hour, row in sorted(read(key, hours).items()):
            for target, part in _parts(hour, row, key.site_id, sites, changed):
                left = positive(_sum_of(state, key))
                part = Amounts(*(min(some, most) for some, most in zip(part, left, strict=True)))
                if any(part):
                    new = key._replace(site_id=target)
                    actions.append(MoveAmounts(key, hour, hour, part, new, part))
                    state = _moved(state, key, new, hour, part)
    return Handed(state, actions)


def _parts(hour: int, row: Amounts, site_id: int, sites: HolderSites, changed: Shares) -> list[tuple[int, Amounts]]:
    """What of an hour under a site is whose."""
    if site_id == 0:  # wholly a holder's by now, whoever placed it
        (first, *more) = sites.within(hour * HOUR_NS, (hour + 1) * HOUR_NS)
        if sites.names(first.site_id) and all(piece.site_id == first.site_id for piece in more):
            return [(first.site_id, row)]
    shares = {target: by[hour] for target, by in changed.items() if by.get(hour)}
    if not shares:
        return []
    rest = max(0.0, 1.0 - sum(shares.values()))
    dealt = spread(row, {-1: rest, **shares})
    return [(target, dealt[target]) for target in shares]


def _changed(site_id: int, sites: HolderSites, before: HolderSites | None, times: Sequence[PresentTime]) -> Shares:
    """How much of each hour that the last record dealt to a site is another's by now."""
    mine: dict[int, float] = defaultdict(float)
    others: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    if before is None or before == sites or not sites.stretches:
        return {}
    for piece in (piece for span in times for piece in before.within(*span) if piece.site_id == site_id):
        for hour, weight in by_hour([PresentTime(piece.from_ns, piece.to_ns)]).items():
            mine[hour] += weight
        for now in sites.within(piece.from_ns, piece.to_ns):
            if now.site_id != site_id and (sites.names(now.site_id) or _ended(sites, now, site_id)):
                for hour, weight in by_hour([PresentTime(now.from_ns, now.to_ns)]).items():
                    others[now.site_id][hour] += weight
    return {target: {hour: weight / mine[hour] for hour, weight in by.items()} for target, by in others.items()}


def _in_hours(sites: HolderSites, hours: range) -> list[SiteStretch]:
    return list(sites.within(hours.start * HOUR_NS, hours.stop * HOUR_NS))


def _ended(sites: HolderSites, nobody: SiteStretch, site_id: int) -> bool:
    """Whether the books still have a holder, and say that it ended where a stretch of nobody begins."""
    at = bisect_right(sites.stretches, nobody.from_ns, key=lambda stretch: stretch.from_ns) - 1
    return any(
        before.site_id == site_id and not sites.names(after.site_id) and before.to_ns == after.from_ns
        for before, after in pairwise(sites.stretches[max(0, at - 1) : at + 1])
    )


def _sum_of(state: RollupState, key: SeriesKey) -> Amounts:
    total = NOTHING
    for placement in state.placements:
        if placement.key == key:
            total = plus(total, placement.amounts)
    return total


def _moved(state: RollupState, source: SeriesKey, target: SeriesKey, hour: int, part: Amounts) -> RollupState:
    """The state with a part of an hour placed under another key."""
    placements, missing = list(state.placements), part
    for at, placement in enumerate(placements):
        if placement.key == source:
            cut = Amounts(*(min(some, most) for some, most in zip(missing, positive(placement.amounts), strict=True)))
            placements[at] = replace(placement, amounts=minus(placement.amounts, cut))
            missing = minus(missing, cut)
    into = next((at for at, placement in enumerate(placements) if placement.key == target), None)
    if into is None:
        placements.append(Placement(target, hour, hour, part))
    else:
        there = placements[into]
        first, last = min(there.first_hour, hour), max(there.last_hour, hour)
        placements[into] = Placement(target, first, last, plus(there.amounts, part))
    return replace(state, placements=tuple(placements))
