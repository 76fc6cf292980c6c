"""What of a finding is already in the roll-ups, and what a newer record changes there. Pure; the tables are `rollups.py`.

A record carries totals; the roll-ups hold amounts by hour. So the ledger remembers for each finding what it has put where, and a record
brings the difference: into the hours since the last one. Put again, it brings nothing. A total that went down (an algorithm that proved
to be another, a replay that was fuller) is taken out of all hours in proportion. What becomes known later (algorithm, coin, owner) moves
what was put under "not known"; a new owner of the address gets what comes from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sensor.ledger.amounts import (
    ESTIMATES,
    HOUR_NS,
    NOTHING,
    ROUNDING,
    SECONDS,
    Amounts,
    hours_of,
    minus,
    plus,
    taken,
    totals,
)
from sensor.ledger.write.transition import Known
from sensor.model.finding import Finding

#: Places remembered for one finding; what lies in older ones is settled and never moved again.
MOST_PARTS = 12


class Key(NamedTuple):
    """Under what a finding of an address is rolled up; "" and 0: not known."""

    site_id: int
    pool: str
    dialect: str
    algorithm: str
    coin: str
    muted: bool


@dataclass(frozen=True)
class Part:
    """What was put under one key, within these hours."""

    key: Key
    first: int
    last: int
    amounts: Amounts


@dataclass(frozen=True)
class Rolled:
    """All that was put for one finding."""

    base: Amounts = NOTHING  # before the present run began to follow it
    settled: Amounts = NOTHING  # in places no longer remembered
    earlier: int = 0  # how many of the parts are of earlier runs
    parts: tuple[Part, ...] = ()

    @property
    def placed(self) -> Amounts:
        """The sum of everything."""
        total = self.settled
        for part in self.parts:
            total = plus(total, part.amounts)
        return total

    def dumps(self) -> str:
        """As JSON, to stand beside the finding."""
        return json.dumps(
            [
                self.base,
                self.settled,
                self.earlier,
                [[list(one.key), one.first, one.last, one.amounts] for one in self.parts],
            ]
        )

    @classmethod
    def loads(cls, text: str) -> Rolled:
        """What `dumps` made."""
        base, settled, earlier, parts = json.loads(text)
        made = tuple(Part(Key(*key), first, last, tuple(amounts)) for key, first, last, amounts in parts)
        return cls(tuple(base), tuple(settled), earlier, made)


@dataclass(frozen=True)
class Put:
    """Deal an amount out over hours by these weights."""

    key: Key
    amounts: Amounts
    weights: dict[int, float]


@dataclass(frozen=True)
class Take:
    """Take an amount out of an hour range, and put another under a key in the same shape (None: nowhere)."""

    key: Key
    first: int
    last: int
    amounts: Amounts
    to: Key | None = None
    put: Amounts = NOTHING


@dataclass
class Steps:
    """A finding's new state, and what is to be done to the tables, in this order."""

    rolled: Rolled
    actions: list[Put | Take] = field(default_factory=list)


def advance(rolled: Rolled | None, before: Known | None, held: Known, now: Finding, key: Key) -> Steps:
    """What a record changes: `before` and `held` are what the ledger knew and knows, `now` is the record as it came."""
    state = rolled or Rolled()
    anew = before is None or rolled is None or before.run_id != held.run_id or before.earlier is not held.earlier
    if anew:
        state = replace(state, base=state.placed, earlier=len(state.parts))
    if rolled is None and held.earlier is not None:
        state = replace(state, base=tuple(max(0, one) for one in minus(totals(held.finding), totals(now))))
    steps = Steps(state)
    target = _target(state.base, held, now)
    _rename(steps, key, target)
    delta = _difference(target, steps.rolled.placed)
    _reduce(steps, tuple(max(0, -one) for one in delta))
    since_ns = None if before is None or anew else before.finding.last_ns
    _increase(steps, key, tuple(max(0, one) for one in delta), now, since_ns)
    return Steps(_bounded(steps.rolled), steps.actions)


def _target(base: Amounts, held: Known, now: Finding) -> Amounts:
    """What the roll-ups are to hold of it in all."""
    earlier = held.earlier
    if earlier is None:
        return totals(now)
    if not {flow.key.flow_id for flow in earlier.flows} & {flow.key.flow_id for flow in now.flows}:
        return plus(base, totals(now))
    # The same packets again: the fuller record counts, as `continued` has it.
    same = held.finding.flow_count == earlier.flow_count and held.finding.shares == earlier.shares
    return base if same and held.finding.last_ns == earlier.last_ns else totals(now)


def _difference(target: Amounts, placed: Amounts) -> Amounts:
    """What is missing, without what is only rounding."""
    pairs = zip(target, placed, strict=True)
    return tuple(0 if abs(one - other) <= ROUNDING * max(one, other) else one - other for one, other in pairs)


def _rename(steps: Steps, key: Key, target: Amounts) -> None:
    """Move what was put under a key that is now known better."""
    state = steps.rolled
    moved: list[Part] = []
    for at, part in enumerate(state.parts):
        if part.key == key or not _better(part.key, key, present=at >= state.earlier):
            moved.append(part)
            continue
        amounts = part.amounts
        if (
            part.key.algorithm != key.algorithm and at == len(state.parts) - 1
        ):  # the work was reckoned by another: its figures as they are now
            others = minus(state.placed, part.amounts)
            amounts = (*part.amounts[:ESTIMATES], *(max(0.0, one) for one in minus(target, others)[ESTIMATES:]))
        steps.actions.append(Take(part.key, part.first, part.last, part.amounts, key, amounts))
        moved.append(replace(part, key=key, amounts=amounts))
    steps.rolled = replace(state, parts=tuple(moved))


def _better(old: Key, new: Key, present: bool) -> bool:
    """Whether a key only says more than another; of the present run, also whether it says the work's kind otherwise."""
    if (old.site_id not in (0, new.site_id)) or old.pool != new.pool or (new.muted and not old.muted):
        return False
    if present:
        return True
    return old.dialect == new.dialect and old.algorithm in ("", new.algorithm) and old.coin in ("", new.coin)


def _reduce(steps: Steps, less: Amounts) -> None:
    """Take from every part in proportion."""
    if not any(less):
        return
    state = steps.rolled
    cuts = taken(less, {at: part.amounts for at, part in enumerate(state.parts)})
    steps.actions += [Take(part.key, part.first, part.last, cuts[at]) for at, part in enumerate(state.parts)]
    parts = tuple(replace(part, amounts=minus(part.amounts, cuts[at])) for at, part in enumerate(state.parts))
    steps.rolled = replace(state, parts=parts)


def _increase(steps: Steps, key: Key, more: Amounts, now: Finding, since_ns: int | None) -> None:
    """Put what came since the last record; an estimate there was none of before is of all the time."""
    if not any(more):
        return
    state = steps.rolled
    present = NOTHING
    for part in state.parts[state.earlier :]:
        present = plus(present, part.amounts)
    late = tuple(
        one if at >= ESTIMATES and since_ns is not None and not present[at] and present[SECONDS] else 0
        for at, one in enumerate(more)
    )
    puts = [(minus(more, late), hours_of(now, since_ns)), (late, hours_of(now))]
    first, last = now.last_ns // HOUR_NS, now.first_ns // HOUR_NS
    for amounts, weights in puts:
        if any(amounts):
            steps.actions.append(Put(key, amounts, weights))
            first, last = min(first, *weights), max(last, *weights)
    mine = next((at for at, part in enumerate(state.parts) if at >= state.earlier and part.key == key), None)
    if mine is None:
        steps.rolled = replace(state, parts=(*state.parts, Part(key, first, last, more)))
        return
    part = state.parts[mine]
    joined = Part(key, min(part.first, first), max(part.last, last), plus(part.amounts, more))
    steps.rolled = replace(state, parts=(*state.parts[:mine], joined, *state.parts[mine + 1 :]))


def _bounded(state: Rolled) -> Rolled:
    over = len(state.parts) - MOST_PARTS
    if over <= 0:
        return state
    settled = state.settled
    for part in state.parts[:over]:
        settled = plus(settled, part.amounts)
    return replace(state, settled=settled, earlier=max(0, state.earlier - over), parts=state.parts[over:])
