"""How a finding's estimates change in the roll-ups: low, best and high move together. Pure.

What is new goes into the hours since the last record. What is known better now (a device, an algorithm) changes the
ratio of low and high to the best one: then those of the hours before are dealt out anew, in the shape of the best, so
that no hour's low is ever above its best.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.ledger.store.amounts import NOTHING, ROUNDING, Amounts

#: The measures of one estimate: the best one, and those that go with it.
ESTIMATES = (
    ("hashes_best", ("hashes_low", "hashes_high"), "hashes_variance"),
    ("energy_best", ("energy_low", "energy_high"), "energy_variance"),
)


class EstimateChange(NamedTuple):
    """What brings placed estimates to what is wanted. None is below 0."""

    added: Amounts  # to the hours since the last record
    taken: Amounts  # out of all hours placed so far
    dealt: Amounts  # to all hours placed so far, in the shape of the best


def estimate_change(placed: Amounts, wanted: Amounts) -> EstimateChange:
    """The change of all estimates."""
    change = _Change(placed, wanted)
    change.difference("work_hashes")
    for best, bounds, variance in ESTIMATES:
        before, after = getattr(placed, best), getattr(wanted, best)
        change.difference(best)
        for name in bounds:
            change.in_proportion(name, before, after)
        change.scaled(variance, min(1.0, after / before) if before > 0.0 else 1.0)
    return EstimateChange(*(NOTHING._replace(**values) for values in (change.added, change.taken, change.dealt)))


class _Change:
    """The three amounts while they are found."""

    def __init__(self, placed: Amounts, wanted: Amounts) -> None:
        self._placed, self._wanted = placed, wanted
        self.added: dict[str, float] = {}
        self.taken: dict[str, float] = {}
        self.dealt: dict[str, float] = {}

    def difference(self, name: str) -> None:
        """More is new, less is taken."""
        before, after = self._pair(name)
        if abs(after - before) > ROUNDING * max(before, after):
            self.added[name], self.taken[name] = max(0.0, after - before), max(0.0, before - after)

    def in_proportion(self, name: str, best_before: float, best_after: float) -> None:
        """A bound goes with the best one, new and old; without a share there is nothing but an upper bound."""
        before, after = self._pair(name)
        if best_after <= 0.0:
            self.difference(name)
            return
        old = after * min(best_before, best_after) / best_after
        self._add(name, after - old)
        if abs(old - before) > ROUNDING * max(old, before):
            self.taken[name], self.dealt[name] = before, old

    def scaled(self, name: str, part: float) -> None:
        """A variance: that of the hours before as far as their best one is left, the rest is new."""
        before, after = self._pair(name)
        old = min(before * part, after)
        self._add(name, after - old)
        if before - old > ROUNDING * before:
            self.taken[name] = before - old

    def _pair(self, name: str) -> tuple[float, float]:
        return getattr(self._placed, name), getattr(self._wanted, name)

    def _add(self, name: str, more: float) -> None:
        if more > ROUNDING * getattr(self._wanted, name):
            self.added[name] = more
