"""What the roll-ups are to hold of a finding, from its parts: totals by algorithm. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from sensor.ledger.store.amounts import FIRST_ESTIMATE, NOTHING, Amounts, plus, totals
from sensor.ledger.write.lifecycle import Part
from sensor.ledger.write.merge import by_algorithm, kept_part, overlaps_of, sum_parts
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.model.finding import Finding

#: The run of what was recorded before sensors were told apart.
BEFORE = "before"


def amounts_by_algorithm(
    parts: Sequence[Part], merged: Finding, overlaps: Mapping[str, DoubleCount], before: Mapping[str, Amounts]
) -> dict[str, Amounts]:
    """Totals by algorithm ("": not known). `before` is what the roll-ups had of the run "before" when sensors began to
    be told apart: its records do not say all that their estimates rest on."""
    fresh = [part.finding for part in parts if part.finding is not None and not (part.run_id == BEFORE and before)]
    found: dict[str, Amounts] = dict(before)
    for algorithm, group in by_algorithm(fresh, merged.algorithm).items():
        own = overlaps_of(overlaps, algorithm, merged.algorithm)
        found[algorithm] = plus(found.get(algorithm, NOTHING), _totals(group, own))
    return found


def _totals(group: Sequence[Finding], overlaps: Mapping[str, DoubleCount]) -> Amounts:
    """The totals of one algorithm. Estimates of parts that do not say what they rest on are added as they are, less
    what was counted more than once."""
    whole = sum_parts(group, overlaps)
    amounts = totals(whole)
    if len(group) == 1 or all(part.exposures or not part.flow_count for part in group):
        return amounts
    added = reduce(plus, map(totals, group))
    overlap = reduce(DoubleCount.plus, overlaps.values(), NO_OVERLAP)
    counted_once = kept_part(added.shares, overlap.submitted, added.sessions, overlap.sessions)
    return Amounts(*amounts[:FIRST_ESTIMATE], *(amount * counted_once for amount in added[FIRST_ESTIMATE:]))
