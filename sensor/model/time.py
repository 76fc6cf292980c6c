"""Instants and spans: nanoseconds since the epoch, and how they read. Pure; knows no clock.

A packet clock may say anything: instants before 1970 read as 1970, those after the year 9999 as its last second.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
#: The last second of the year 9999, the last that `datetime` knows.
LAST_SECOND = 253_402_300_799


def moment(ns: int, zone: tzinfo = UTC) -> datetime:
    """The instant as a time of the zone, to the second."""
    return datetime.fromtimestamp(min(max(0, ns // SECOND_NS), LAST_SECOND), zone)


def day_of(ns: int, zone: tzinfo = UTC) -> date:
    """The day of the zone that the instant is in."""
    return moment(ns, zone).date()


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
