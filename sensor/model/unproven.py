"""What a bulletin lists as to be checked: findings of grade `behaves`, which no figure rests on. Plain data.

Such a finding is one side of a dialect alone, or the lengths and times of an encrypted session: probable, not certain.
"""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.attribution import Enterprise, Site


@dataclass(frozen=True, slots=True)
class Unproven:
    """One finding to be checked, that is not suppressed. Times are its own, in nanoseconds since the epoch."""

    address: str
    enterprise: Enterprise | None
    site: Site | None
    pool: str | None  # address:port of the pool's end
    pool_name: str | None  # the catalogue's name, else host as it was asked for
    dialect: str | None  # None: nothing was read, it rests on an encrypted session
    confidence: float  # 0..1
    p: float | None  # the least of its observations: how often chance alone would look like this
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Unlisted:
    """How many more there are at one site that `findings.least_grade` suppresses."""

    site: Site | None
    count: int
