"""What one kind of evidence says of one subject at one time. Plain data.

Three kinds: `spoken` (a dialect was spoken in a connection), `named` (a name or address of a pool was asked for, sent
or presented), `behaved` (sizes and times of an encrypted connection). A finding rests on one or more of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sensor.model.evidence import Grade

ObservationKind = Literal["spoken", "named", "behaved"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One piece of evidence with its weight; `bits` is log2 of the likelihood ratio of mining against all else."""

    kind: ObservationKind
    grade: Grade
    signature: str  # what recognised it: a dialect, a list of names, a test of times
    bits: float
    time_ns: int
    p: float | None = None  # how often chance alone would look like this or more so; None where that is not known
    detail: dict[str, object] = field(default_factory=dict)
