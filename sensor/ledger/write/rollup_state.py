"""What of a finding is already in the roll-ups: what was placed where. Pure; the tables are `rollups.py`.

A finding has totals by algorithm; the roll-ups hold amounts by hour. So the ledger remembers for each finding what it
has placed where, and a record brings the difference (`rollup_plan.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, NamedTuple

from sensor.ledger.store.amounts import NOTHING, Amounts, plus
from sensor.ledger.store.records import readable

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

    settled: Mapping[str, Amounts] = field(default_factory=dict)  # by algorithm, in placements no longer remembered
    placements: tuple[Placement, ...] = ()
    before: Mapping[str, Amounts] = field(default_factory=dict)  # placed before sensors were told apart, by algorithm

    @property
    def placed(self) -> Amounts:
        """The sum of everything."""
        return reduce(plus, self.settled.values(), _total(self.placements))

    def of_algorithm(self, algorithm: str) -> Amounts:
        """The sum of what is of one algorithm."""
        its = tuple(placement for placement in self.placements if placement.key.algorithm == algorithm)
        return _total(its, self.settled.get(algorithm, NOTHING))

    def bounded(self) -> RollupState:
        """The state with the oldest placements settled where there are too many."""
        over = len(self.placements) - MAX_PLACEMENTS
        if over <= 0:
            return self
        settled = dict(self.settled)
        for placement in self.placements[:over]:
            algorithm = placement.key.algorithm
            settled[algorithm] = plus(settled.get(algorithm, NOTHING), placement.amounts)
        return replace(self, settled=settled, placements=self.placements[over:])

    def dumps(self) -> str:
        """As JSON, to be stored beside the finding."""
        placements = [
            [list(placement.key), placement.first_hour, placement.last_hour, placement.amounts]
            for placement in self.placements
        ]
        return json.dumps([self.settled, placements, self.before])

    @classmethod
    def loads(cls, text: str, algorithm: str) -> RollupState:
        """What `dumps` wrote, or an earlier release: there what is settled is of no algorithm, and goes with the
        finding's."""
        with readable():
            values = json.loads(text)
            if len(values) == 3:
                settled, rows, before = values
                return cls(_amounts(settled), _placements(rows), _amounts(before))
            _, settled_amounts, _, rows = values
        state = cls({algorithm: Amounts.of_stored(settled_amounts)} if any(settled_amounts) else {}, _placements(rows))
        algorithms = {*state.settled, *(placement.key.algorithm for placement in state.placements)}
        return replace(state, before={name: state.of_algorithm(name) for name in algorithms})


def _placements(rows: list[Any]) -> tuple[Placement, ...]:
    return tuple(
        Placement(SeriesKey(*key), first, last, Amounts.of_stored(amounts)) for key, first, last, amounts in rows
    )


def _amounts(by_algorithm: dict[str, Any]) -> dict[str, Amounts]:
    return {name: Amounts.of_stored(amounts) for name, amounts in by_algorithm.items()}


def _total(placements: tuple[Placement, ...], start: Amounts = NOTHING) -> Amounts:
    return reduce(plus, (placement.amounts for placement in placements), start)
