"""The share target that the hashes of accepted shares tell. Pure numbers.

A hash that meets a target is uniform below it. Of n hashes that met the target t the largest, m, has P(m <= x t) =
x^n: so t is at least m, and with confidence 1 - a at most m a^(-1/n) (the exact bounds of a uniform's upper end). The
best value is m (n+1)/n. Hashes are numbers below 2^256, the first byte that counts most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sensor.signatures.work import UNITS

SPACE = 1 << 256
#: Accepted hashes before they say anything; those after which the target is worked out anew, and no more are computed.
FIRST_HASHES, FULL_HASHES = 16, 64
#: The difficulty of before still holds if the largest hash is nearer to its target than this; pools change it by more.
NEAR = 0.9
#: With so many hashes, one that still holds nearly always has one that near: 1 - 0.9^32 = 97 %.
DECISIVE_HASHES = 32
#: A target is not believed any more if its hashes lie so far below it by chance less often. They are looked at after
#: every share, so this is well below 1 in 10,000.
MISFIT_CHANCE = 1e-6
#: Accepted hashes above a target that refute it: of one or two the job may have been an older one.
ABOVE = 3
#: Bits from which the hashes are those of the proof of work: others would all be so small with probability 2^-40.
SURE_BITS = 40.0


class HashTarget(NamedTuple):
    """What a share is worth, in 2^-32 hashes, and how many hashes say so; 0: the difficulty of before fits them."""

    work: int
    hashes: int


def are_proof_of_work(values: Sequence[int]) -> bool:
    """Whether the numbers are small enough to be the hashes that were searched for: n of another function are all
    below m with probability (m/2^256)^n."""
    return bool(values) and len(values) * (256 - math.log2(max(1, *values))) >= SURE_BITS


def work_by_hashes(values: Sequence[int], before: int | None) -> HashTarget | None:
    """What the hashes of accepted shares of one difficulty tell; `before` is the work by the difficulty that was in
    force before, if there was one. None: too few of them, or not hashes of the proof of work."""
    count = len(values)
    if count < FIRST_HASHES or not are_proof_of_work(values):
        return None
    if before is not None:
        part = _part(max(values), before)
        if NEAR <= part < 1.0:
            return HashTarget(before, 0)
        if part < 1.0 and part**count > MISFIT_CHANCE and count < DECISIVE_HASHES:
            return None
    target = max(values) * (count + 1) // count
    return HashTarget(max(UNITS, SPACE * UNITS // max(1, target)), count)


def refute(values: Sequence[int], work: int) -> bool:
    """Whether accepted shares of these hashes cannot have been worth this: several lie above its target, or all so far
    below it that chance does not explain it."""
    if not are_proof_of_work(values):
        return False
    parts = [_part(value, work) for value in values]
    return sum(part >= 1.0 for part in parts) >= ABOVE or max(parts) ** len(parts) < MISFIT_CHANCE


def _part(value: int, work: int) -> float:
    """Where a hash lies, as a part of the target of shares of this work."""
    return value * work / (SPACE * UNITS)
