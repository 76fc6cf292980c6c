"""Instants and spans: nanoseconds since the epoch, and how they read. Pure; knows no clock.

A packet clock may say anything: instants before 1970 read as 1970, those after the year 9999 as its last second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
#: The last second of the year 9999, the last that `datetime` knows.
LAST_SECOND = 253_402_300_799
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(ns: int, zone: tzinfo = UTC) -> datetime:
    """The instant as a time of the zone, to the second."""
    return datetime.fromtimestamp(min(max(0, ns // SECOND_NS), LAST_SECOND), zone)


def day_of(ns: int, zone: tzinfo = UTC) -> date:
    """The day of the zone that the instant is in."""
    return moment(ns, zone).date()


def midnight_ns(day: date, zone: tzinfo) -> int:
    """The first instant of a day; where clocks jump over midnight, that of the jump."""
    since = datetime.combine(day, time(), zone).astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS


def day_text(ns: int, zone: tzinfo = UTC) -> str:
    """`2026-01-02`."""
    return f"{moment(ns, zone):%Y-%m-%d}"


def minute_text(ns: int, zone: tzinfo = UTC) -> str:
    """`2026-01-02 03:04`."""
    return f"{moment(ns, zone):%Y-%m-%d %H:%M}"


def second_text(ns: int, zone: tzinfo = UTC) -> str:
    """`2026-01-02 03:04:05`."""
    return f"{moment(ns, zone):%Y-%m-%d %H:%M:%S}"


def event_text(ns: int) -> str:
    """`2026-01-02T03:04:05.678901+0000`, as events write it (Suricata's EVE)."""
    rest_ns = ns % SECOND_NS if ns > 0 else 0
    return f"{moment(ns):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000:06d}+0000"


def rfc3339_text(ns: int, *, digits: int = 0) -> str:
    """`2026-01-02T03:04:05Z` (RFC 3339), with so many digits of the second's fraction."""
    rest_ns = ns % SECOND_NS if ns > 0 else 0
    fraction = f".{rest_ns:09d}"[: digits + 1] if digits else ""
    return f"{moment(ns):%Y-%m-%dT%H:%M:%S}{fraction}Z"


class PlausibleTime(NamedTuple):
    """The times that packets can be of. A sensor that booted before its clock was set stamps others."""

    earliest_ns: int
    latest_ns: int

    def holds(self, at_ns: int) -> bool:
        """Whether packets can be of this time."""
        return self.earliest_ns <= at_ns <= self.latest_ns

    def stretches(self, stretches: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Those of some stretches of time that packets can be of."""
        return tuple(
            (first_ns, last_ns) for first_ns, last_ns in stretches if self.holds(first_ns) and self.holds(last_ns)
        )

    @classmethod
    def as_of(cls, now_ns: int) -> PlausibleTime:
        """What can have been by now: from the first block that was ever mined to a day after the wall clock."""
        return cls(FIRST_BLOCK_NS, now_ns + DAY_NS)


#: The time stamp of Bitcoin's first block, 2009-01-03 18:15:05 UTC: nobody mined before.
FIRST_BLOCK_NS = 1_231_006_505 * SECOND_NS
ANY_TIME = PlausibleTime(-(1 << 63), 1 << 63)
