"""Closes cases that fell silent: how long, from the roll-ups and the coverage; whether that is the end,
`sensor.cases.silence` decides.

SQL within a transaction.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sensor.cases import silence, states
from sensor.ledger.store.schema import ROLLUPS, SERIES, WATCHED
from sensor.ledger.write.cases import CaseRecord, move, open_cases
from sensor.ledger.write.rows import PAGE
from sensor.model.summary import SECONDS_PER_HOUR, CaseSubject
from sensor.model.time import HOUR_NS

#: A case is not asked whether it is over before so many hours of silence.
LEAST_SILENCE_HOURS = 24


@dataclass(frozen=True)
class ClosedCase:
    """A case that the sensor closed."""

    case_id: int
    why: str


class MiningHistory(NamedTuple):
    """What is known of a case's miners."""

    history: silence.History
    last_hour: int  # with a share, since the epoch; 0: none


def silent_cases(connection: Connection, now_ns: int, after_id: int, most: int) -> list[CaseRecord]:
    """A page of the open cases that were silent long enough to be asked about."""
    return open_cases(connection, now_ns - LEAST_SILENCE_HOURS * HOUR_NS, after_id, most)


def close_if_silent(connection: Connection, case: CaseRecord, now_ns: int) -> ClosedCase | None:
    """Close a case if its silence would be improbable for a miner that is still there."""
    mining = mining_history(connection, case.subject, now_ns)
    silent_hours = _coverage_hours(connection, mining.last_hour + 1, now_ns // HOUR_NS)
    if silence.probability(mining.history, silent_hours) > silence.IMPROBABLE:
        return None
    why = silence.explain(mining.history, silent_hours)
    move(connection, case, "closed", states.SENSOR, why, now_ns)
    return ClosedCase(case.case_id, why)


def mining_history(connection: Connection, subject: CaseSubject, now_ns: int) -> MiningHistory:
    """What is known of a subject's mining from the hours kept."""
    site_id, address = subject
    its = SERIES.c.site_id == site_id if site_id else (SERIES.c.site_id == 0) & (SERIES.c.miner_ip == address)
    series = connection.scalars(select(SERIES.c.series_id).where(its, SERIES.c.muted == 0)).all()
    shares: Counter[int] = Counter()
    since = now_ns // HOUR_NS - silence.HISTORY_HOURS
    for start in range(0, len(series), PAGE):
        page = ROLLUPS.c.series_id.in_(series[start : start + PAGE])
        within = (page, ROLLUPS.c.hour >= since, ROLLUPS.c.hours == 1)
        query = select(ROLLUPS.c.hour, func.sum(ROLLUPS.c.shares)).where(*within).group_by(ROLLUPS.c.hour)
        for hour, count in connection.execute(query):
            shares[hour] += int(count)
    last_hour = max((hour for hour, count in shares.items() if count > 0), default=0)
    return MiningHistory(silence.history_of(shares), last_hour)


def _coverage_hours(connection: Connection, first: int, last: int) -> float:
    """Hours in which the sensor listened, from one hour up to another."""
    query = select(func.sum(WATCHED.c.seconds)).where(WATCHED.c.hour >= first, WATCHED.c.hour <= last)
    return float(connection.scalar(query) or 0.0) / SECONDS_PER_HOUR
