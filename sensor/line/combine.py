"""Joins observations of one subject into a grade and a confidence. Pure; the weights are data (signatures/weights).

Bits of different kinds are added: a name is independent evidence of the times of its packets. Within one kind
the observations rest on the same packets, so only the strongest counts. The sum with the prior is the log2 of the odds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sensor.model.evidence import Grade
from sensor.model.observation import Observation

#: Confidence is given to so many digits: the weights are no better known.
DIGITS = 4
#: Odds beyond this are the same certainty, and 2 to their power is still a number.
MAX_BITS = 512.0


@dataclass(frozen=True, slots=True)
class JointVerdict:
    """What observations say together."""

    grade: Grade
    confidence: float  # 0..1
    bits: float  # the sum that the confidence is made of, the prior included
    observations: tuple[Observation, ...]  # each part, strongest first


def combine(observations: Iterable[Observation], prior_bits: float) -> JointVerdict:
    """The verdict about one subject. Raises ValueError without an observation.

    `prior_bits` is log2 of the odds that any connection of a network is mining, before anything was seen of it.
    """
    parts = sorted(observations, key=_order)
    if not parts:
        raise ValueError("nothing was observed")
    strongest: dict[str, float] = {}
    for part in parts:
        strongest[part.kind] = max(strongest.get(part.kind, part.bits), part.bits)
    bits = prior_bits + sum(strongest[kind] for kind in sorted(strongest))
    return JointVerdict(max(part.grade for part in parts), confidence_of(bits), bits, tuple(parts))


def confidence_of(bits: float) -> float:
    """The probability whose odds are 2 to the power of `bits`."""
    odds = math.exp2(min(MAX_BITS, max(-MAX_BITS, bits)))
    return round(odds / (1.0 + odds), DIGITS)


def _order(part: Observation) -> tuple[float, int, str, str, int]:
    return -part.bits, -part.grade, part.kind, part.signature, part.time_ns
