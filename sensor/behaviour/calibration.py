"""How many sessions of a link have how small chances, by kind of evidence: whether p-values are uniform there.

Where nothing is mined, of a p-value at most a share `a` lies at or below `a`. Counts only; knows no sessions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

#: Chances that are counted.
LEVELS = (0.05, 0.01, 0.001, 0.0001)
#: Sessions of which none is below a level, to say with 95 % that less than 1 in 10,000 is (Poisson: -ln 0.05 / 1e-4).
ENOUGH = 29_957
ChanceKind = Literal["grammar", "beat", "synchrony"]
CHANCE_KINDS: tuple[ChanceKind, ...] = ("grammar", "beat", "synchrony")


@dataclass(slots=True)
class ChanceCounts:
    """Of one kind of evidence."""

    tested: int = 0
    at_most: list[int] = field(default_factory=lambda: [0] * len(LEVELS))  # one for each of LEVELS

    def add(self, p: float) -> None:
        """One more session, or session and coin."""
        self.tested += 1
        for place, level in enumerate(LEVELS):
            self.at_most[place] += p <= level

    def excess(self, place: int) -> float | None:
        """By how many standard errors the share at or below a level is above it; None where nothing was tested."""
        if not self.tested:
            return None
        level = LEVELS[place]
        return (self.at_most[place] - self.tested * level) / math.sqrt(self.tested * level * (1 - level))

    @property
    def is_uniform(self) -> bool:
        """Whether no share is above its level by more than three standard errors and by more than chance of so few
        allows: fewer than are expected is never held against it."""
        return all(
            (self.excess(place) or 0.0) <= 3 or poisson_tail(count, self.tested * LEVELS[place]) >= 0.00135
            for place, count in enumerate(self.at_most)
        )


@dataclass(slots=True)
class Calibration:
    """Of all kinds."""

    kinds: dict[ChanceKind, ChanceCounts] = field(
        default_factory=lambda: {kind: ChanceCounts() for kind in CHANCE_KINDS}
    )

    def add(self, grammar: float | None, beats: Iterable[float], synchrony: float | None) -> None:
        """One session that is over: the chances of those kinds that could be tested."""
        if grammar is not None:
            self.kinds["grammar"].add(grammar)
        for p in beats:
            self.kinds["beat"].add(p)
        if synchrony is not None:
            self.kinds["synchrony"].add(synchrony)

    def join(self, counters: Mapping[str, int]) -> None:
        """Add what another process counted, by the names of its counters."""
        for kind, counts in self.kinds.items():
            counts.tested += counters.get(f"chances_{kind}_1", 0)
            for place, level in enumerate(LEVELS):
                counts.at_most[place] += counters.get(f"chances_{kind}_{level:g}", 0)

    def counters(self) -> dict[str, int]:
        """As counters by name, for example `chances_grammar_0.01`; those of all that were tested end in `_1`."""
        found = {}
        for kind, counts in self.kinds.items():
            found[f"chances_{kind}_1"] = counts.tested
            for level, number in zip(LEVELS, counts.at_most, strict=True):
                found[f"chances_{kind}_{level:g}"] = number
        return found


def poisson_tail(count: int, mean: float) -> float:
    """The chance of at least `count` where `mean` are expected."""
    if count <= 0 or mean <= 0:
        return 1.0 if count <= 0 else 0.0
    below = math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(count))
    return max(0.0, 1.0 - below)


def rate_bound(count: int, tested: int) -> float | None:
    """The rate that is not exceeded with 95 %, by Poisson's law; None where nothing was tested."""
    if not tested:
        return None
    low, high = float(count), count + 10 * math.sqrt(count + 1) + 10
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - poisson_tail(count + 1, middle) > 0.05 else (low, middle)
    return high / tested
