"""How a finding's estimates change in the roll-ups: low, best and high move together. Pure.

What is new goes into the hours since the last record. What is known better now (a device, more shares) changes the
ratio of low and high to the best one: then the hours before are changed by the same ratio, so that no hour's low is
ever above its best.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.ledger.store.amounts import NOTHING, ROUNDING, Amounts

#: The measures of one estimate: best, those that follow it in proportion, and its variance.
ESTIMATES = (
    ("hashes_best", ("hashes_low", "hashes_high"), "hashes_variance"),
    ("energy_best", ("energy_low", "energy_high"), "energy_variance"),
)


class EstimateChange(NamedTuple):
    """What brings placed estimates to what is wanted."""

    added: Amounts  # of the hours since the last record
    changed: Amounts  # of all hours placed so far, more or less


def estimate_change(placed: Amounts, wanted: Amounts) -> EstimateChange:
    """The change of all estimates."""
    added: dict[str, float] = {}
    changed: dict[str, float] = {}
    _put(added, changed, "work_hashes", max(0.0, wanted.work_hashes - placed.work_hashes), placed, wanted)
    for best, bounds, variance in ESTIMATES:
        before, after = getattr(placed, best), getattr(wanted, best)
        more = max(0.0, after - before)
        _put(added, changed, best, more, placed, wanted)
        for name in bounds:
            ratio_part = more * getattr(wanted, name) / after if after > 0 else None
            if ratio_part is None:  # no share yet: an upper bound alone
                ratio_part = max(0.0, getattr(wanted, name) - getattr(placed, name))
            _put(added, changed, name, ratio_part, placed, wanted)
        its, whole = getattr(placed, variance), getattr(wanted, variance)
        left = its * min(1.0, after / before) if before > 0 else its
        _put(added, changed, variance, max(0.0, whole - min(left, whole)), placed, wanted)
    return EstimateChange(NOTHING._replace(**added), NOTHING._replace(**changed))


def _put(
    added: dict[str, float], changed: dict[str, float], name: str, more: float, placed: Amounts, wanted: Amounts
) -> None:
    """Split one measure: what is added, and what the hours before change by. What is only rounding is neither."""
    before, after = getattr(placed, name), getattr(wanted, name)
    rounding = ROUNDING * max(before, after)
    added[name] = more if more > rounding else 0.0
    change = after - before - added[name]
    changed[name] = change if abs(change) > rounding else 0.0
