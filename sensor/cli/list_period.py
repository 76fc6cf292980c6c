"""The period of a list by the dates of its options: days of the ledger's time zone, both included, or times."""

from __future__ import annotations

import argparse
import time
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS, midnight_ns

if TYPE_CHECKING:
    from sensor.ledger import Ledger

#: Without dates, what is shown is of so many days up to the newest entry.
DAYS = 7


def list_period(options: argparse.Namespace, zone: ZoneInfo, ledger: Ledger) -> tuple[int, int]:
    """From and to of a list, in nanoseconds; without options the last days to the newest entry. Raises ValueError."""
    newest = ledger.reader.newest_ns() or time.time_ns()
    to_ns = -(-newest // HOUR_NS) * HOUR_NS if options.until is None else _instant_ns(options.until, zone, end=True)
    from_ns = to_ns - DAYS * DAY_NS if options.since is None else _instant_ns(options.since, zone)
    if from_ns >= to_ns:
        raise ValueError("--from must lie before --until")
    return from_ns, to_ns


def seen_between(options: argparse.Namespace, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """From and to of the options, each None where it is not given. Raises ValueError."""
    from_ns = None if options.since is None else _instant_ns(options.since, zone)
    to_ns = None if options.until is None else _instant_ns(options.until, zone, end=True)
    if from_ns is not None and to_ns is not None and from_ns >= to_ns:
        raise ValueError("--since must lie before --until")
    return from_ns, to_ns


def _instant_ns(text: str, zone: ZoneInfo, *, end: bool = False) -> int:
    """A day's first instant, or where it is the `end` of a period, the one after its last; or the instant of a time."""
    try:
        day = date.fromisoformat(text.strip())
        return midnight_ns(day + timedelta(days=1) if end else day, zone)
    except OverflowError:
        raise ValueError(f"{text!r} is no date that can be") from None
    except ValueError:
        pass  # no day: a time
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: YYYY-MM-DD, or YYYY-MM-DDTHH:MM") from None
    return int((instant if instant.tzinfo else instant.replace(tzinfo=zone)).timestamp()) * SECOND_NS
