"""Closes cases that fell silent: how long, from the roll-ups and the coverage; whether that is the end,
`sensor.cases.silence` decides.

SQL within a transaction.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select

from sensor.cases import silence, states
from sensor.ledger.store.coverage import all_heard_by, stretches
from sensor.ledger.store.schema import COUNTED_SERIES, FINDINGS, PARTS, ROLLUPS, SENSORS, SERIES
from sensor.ledger.write.cases import CaseRecord, open_cases, write_move
from sensor.ledger.write.rows import PAGE
from sensor.model.evidence import LEAST_COUNTED
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
    """Close a case if its silence would be improbable for a miner that is still there. It is closed as of the moment
    from which that is so, whenever it is looked at."""
    mining = mining_history(connection, case.subject, case.last_ns)
    watching = watching_sensors(connection, case.subject)
    since_ns = (mining.last_hour + 1) * HOUR_NS
    needed_hours = max(silence.hours_needed(mining.history), LEAST_SILENCE_HOURS)
    heard = stretches(connection, since_ns, now_ns, watching)
    at_ns = all_heard_by(heard, watching, needed_hours * SECONDS_PER_HOUR)
    if at_ns is None:
        return None
    why = silence.explain(mining.history, needed_hours)
    write_move(connection, case, "closed", states.SENSOR, why, at_ns)
    return ClosedCase(case.case_id, why)


def mining_history(connection: Connection, subject: CaseSubject, last_ns: int) -> MiningHistory:
    """What is known of a subject's mining from the hours kept, of the months before it was seen last."""
    its = _is_of(subject)
    series = connection.scalars(select(SERIES.c.series_id).where(its, COUNTED_SERIES)).all()
    shares: Counter[int] = Counter()
    since = last_ns // HOUR_NS - silence.HISTORY_HOURS
    for start in range(0, len(series), PAGE):
        page = ROLLUPS.c.series_id.in_(series[start : start + PAGE])
        within = (page, ROLLUPS.c.hour >= since, ROLLUPS.c.hours == 1)
        query = select(ROLLUPS.c.hour, func.sum(ROLLUPS.c.shares)).where(*within).group_by(ROLLUPS.c.hour)
        for hour, count in connection.execute(query):
            shares[hour] += int(count)
    last_hour = max((hour for hour, count in shares.items() if count > 0), default=0)
    return MiningHistory(silence.history_of(shares), last_hour)


def _is_of(subject: CaseSubject) -> ColumnElement[bool]:
    """The condition of SQL that a series is of a case's subject."""
    site_id, address = subject
    return SERIES.c.site_id == site_id if site_id else and_(SERIES.c.site_id == 0, SERIES.c.miner_ip == address)


def watching_sensors(connection: Connection, subject: CaseSubject) -> set[str]:
    """The sensors whose silence counts for a case: those that saw it for certain and are not retired; replays only
    where no live one did, for nobody replays a place for ever."""
    miners = select(SERIES.c.miner_ip).where(_is_of(subject), COUNTED_SERIES)
    certain = FINDINGS.c.grade >= int(LEAST_COUNTED)
    its = (FINDINGS.c.miner_ip.in_(miners), certain, FINDINGS.c.finding_id == PARTS.c.finding_id)
    seen = select(PARTS.c.sensor_id).where(*its).distinct()
    present = (SENSORS.c.sensor_id.in_(seen), SENSORS.c.retired_ns.is_(None))
    query = select(SENSORS.c.sensor_id, SENSORS.c.kind).where(*present)
    kinds = {row.sensor_id: row.kind for row in connection.execute(query)}
    live = {sensor_id for sensor_id, kind in kinds.items() if kind == "live"}
    return live or set(kinds)
