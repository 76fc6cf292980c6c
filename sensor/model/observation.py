"""What one kind of evidence says of one subject at one time. Plain data.

Three kinds: `spoken` (a dialect was spoken in a connection), `named` (a name or address of a pool was asked for, sent
or presented), `behaved` (sizes and times of an encrypted connection). A finding rests on one or more of them. What was
spoken comes with its session (`sensor/line/judge.py`); the other two are `Named` and `Behaved` here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sensor.model.evidence import Evidence, Grade

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


@dataclass(frozen=True, slots=True)
class ObservationPoint:
    """Where packets were seen: an interface (`iface:eth0`) or a capture, and their VLANs, outermost first."""

    source: str
    vlans: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom evidence is of: a miner's address and the pool's end; an end that is not known is None."""

    miner_ip: str
    pool_ip: str | None
    pool_port: int | None
    point: ObservationPoint


@dataclass(frozen=True, slots=True)
class Named:
    """A name or an address of a pool that a miner's address asked for, sent, or was shown."""

    subject: Subject
    observation: Observation
    evidence: tuple[Evidence, ...]
    first_ns: int
    last_ns: int

    def __post_init__(self) -> None:
        """Raises ValueError for an observation of another kind."""
        _same_kind(self.observation, "named")


@dataclass(frozen=True, slots=True)
class Behaved:
    """Sizes and times of encrypted connections between a miner's address and a pool's end."""

    subject: Subject
    observation: Observation
    evidence: tuple[Evidence, ...]
    first_ns: int
    last_ns: int

    def __post_init__(self) -> None:
        """Raises ValueError for an observation of another kind."""
        _same_kind(self.observation, "behaved")


def _same_kind(observation: Observation, kind: ObservationKind) -> None:
    if observation.kind != kind:
        raise ValueError(f"an observation of the kind {observation.kind} is not {kind}")
