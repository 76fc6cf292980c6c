"""What one kind of evidence says of one subject at one time. Plain data.

Three kinds: `spoken` (a dialect was spoken in a connection), `named` (a name or address of a pool was asked for, sent
or presented), `behaved` (sizes and times of an encrypted connection). A finding rests on one or more of them. What was
spoken comes with its session (`sensor/line/judge.py`); the others are kinds of `Hint`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sensor.model.evidence import Evidence, Grade

ObservationKind = Literal["spoken", "named", "behaved"]
#: The telling first: of two findings of one subject, that of the kind which stands first here tells what it is.
KINDS: tuple[ObservationKind, ...] = ("spoken", "behaved", "named")


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
    host: str | None = None  # the pool's name as it was asked for (SNI, DNS); None where none was seen


@dataclass(frozen=True, slots=True)
class Hint:
    """What evidence without words says of one subject, from its first packet to its last. The kinds are below."""

    kind: ClassVar[ObservationKind]
    subject: Subject
    observation: Observation
    evidence: tuple[Evidence, ...]
    first_ns: int
    last_ns: int

    def __post_init__(self) -> None:
        """Raises ValueError for an observation of another kind."""
        if self.observation.kind != self.kind:
            raise ValueError(f"an observation of the kind {self.observation.kind} is not {self.kind}")


class Named(Hint):
    """A name or an address of a pool that a miner's address asked for, sent, or was shown."""

    kind: ClassVar[ObservationKind] = "named"


class Behaved(Hint):
    """Sizes and times of encrypted connections between a miner's address and a pool's end."""

    kind: ClassVar[ObservationKind] = "behaved"
