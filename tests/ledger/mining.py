"""Miners for tests of the ledger: findings that grow with time as the line tells them, and owners of their
addresses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from sensor.model.finding import Finding
from sensor.model.quantities import Interval, Power, Shares
from tests.ledger.made import BEGAN, SECOND, finding, flow

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
#: A full hour, and in Asia/Shanghai the beginning of a Monday.
MONDAY = 1_700_409_600 * SECOND
SHARE = 2.0**40  # hashes behind one share


def owned(
    number: int, category: str = "enterprise", division: str = "320500", address: str | None = None
) -> Attribution:
    """An enterprise by its number, and its premises."""
    whose = Enterprise(f"name:{number}", f"企业{number}", None, category)
    site = Site(address or f"{number} Mine Street", division, "Suzhou")
    claim = Claim(
        "inventory",
        "book.csv:2",
        None,
        0.9,
        f"10.{number >> 8 & 255}.{number & 255}.0/28",
        "answer",
        "no book has this address at that time",
        whose,
        site,
    )
    return Attribution("10.0.0.1", None, BEGAN, "named", whose, site, (claim,), ("the login was refused",))


def mined(number: int, from_ns: int, to_ns: int, shares: int, **changes: Any) -> Finding:
    """A finding of one connection with so many shares, and what they are worth."""
    changes = {"algorithm": "sha256d", "joules": 30e-12, **changes}
    joules = changes.pop("joules")
    miner = changes.pop("miner", f"10.{number >> 8 & 255}.{number & 255}.1")
    one = flow(number, (from_ns - BEGAN) / SECOND, (to_ns - from_ns) / SECOND, miner)
    one.key = dataclasses.replace(one.key, flow_id=number * 10_000_000 + from_ns // SECOND % 10_000_000)
    one.first_ns, one.last_ns, one.shares = from_ns, to_ns, Shares(shares, shares, 0, 0, 0)
    seconds = (to_ns - from_ns) / SECOND
    work = shares * SHARE
    made = finding(number, (one,), work_hashes=work, stream_bytes=100 * shares, **changes)
    rate = Interval(0.8 * work / seconds, work / seconds, 1.3 * work / seconds, 0.95)
    watts = Power(rate.low * joules, rate.best * joules, rate.high * joules, "algorithm")
    hours = seconds / 3_600_000
    energy = Power(watts.low * hours, watts.best * hours, watts.high * hours, "algorithm")
    estimates = {"hashrate_hps": rate, "spent_hashrate_hps": rate, "power_watts": watts, "energy_kwh": energy}
    return dataclasses.replace(made, watched_seconds=seconds, **estimates)


def told(number: int, from_ns: int, to_ns: int, every_ns: int, per_hour: float, **changes: Any) -> Iterator[Finding]:
    """The records of one connection while it lasts, each with the totals so far; the last is closed."""
    at = from_ns
    while at < to_ns:
        at = min(to_ns, at + every_ns)
        shares = int((at - from_ns) / HOUR * per_hour)
        yield mined(number, from_ns, at, shares, state="closed" if at == to_ns else "updated", **changes)
