"""A ledger of so many addresses and weeks: two simulated weeks, written by the ledger itself, and copies of the first
of them for all weeks before, written by SQL.

Every address mines in every week. Of each week an address has a finding of its own; its hours are kept as hours for 62
days, as the ledger does, and as days before. Parts of old findings have no record of their own, connections of old
weeks are left out: no page reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, select, update

from sensor.ledger import Ledger
from sensor.ledger.store.amounts import MEASURES
from sensor.ledger.store.bounds import LedgerBounds
from sensor.ledger.store.database import writing
from sensor.ledger.store.schema import (
    ADDRESSES,
    CASES,
    CHANGES,
    COVERAGE,
    FINDINGS,
    MACHINES,
    OUTBOX,
    PARTS,
    ROLLUPS,
    SENSORS,
    SERIES,
)
from sensor.model.time import DAY_NS, HOUR_NS
from tests.bulletin.simulation import simulate, week

WEEK_NS, WEEK_HOURS = 7 * DAY_NS, 7 * 24
#: Times of a record: nanoseconds since the epoch, of 2001 and later.
MOMENT = re.compile(r"\b1\d{18}\b")
#: Findings that are read at once.
PAGE = 500
#: Tables with the time in which something was seen.
SEEN = (SERIES, ADDRESSES, MACHINES)


def make_large_ledger(url: str, addresses: int, weeks: int) -> None:
    """Make it in an empty database. Raises LedgerError."""
    ledger = Ledger.open(url)
    try:
        simulate(ledger, addresses)
        for back in range(1, weeks - 1):
            with writing(ledger.engine) as connection:
                _copy_findings(connection, back)
                _copy_rollups(connection, back)
        with writing(ledger.engine) as connection:
            _reach_back(connection, weeks - 2)
            connection.execute(delete(OUTBOX))
        if ledger.engine.dialect.name == "postgresql":  # its own daemon would do so by and by
            with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
    finally:
        ledger.close()


def _copy_findings(connection: Connection, back: int) -> None:
    """The findings of the first simulated week, so many weeks earlier, closed."""
    period = week().before
    shift_ns = back * WEEK_NS
    its = (FINDINGS.c.last_ns <= period.to_ns, FINDINGS.c.first_ns >= period.from_ns)
    identities = list(connection.scalars(select(FINDINGS.c.finding_id).where(*its)))
    for start in range(0, len(identities), PAGE):
        page = FINDINGS.c.finding_id.in_(identities[start : start + PAGE])
        rows = connection.execute(select(FINDINGS).where(page)).mappings()
        connection.execute(insert(FINDINGS), [_earlier(dict(row), back, shift_ns) for row in rows])
    new_id = PARTS.c.finding_id + literal(f"-{back}")
    copied = select(new_id, PARTS.c.sensor_id, literal(""), literal("closed"), PARTS.c.last_ns - shift_ns)
    within = PARTS.c.finding_id.in_(select(FINDINGS.c.finding_id).where(*its))
    columns = ("finding_id", "sensor_id", "run_id", "state", "last_ns")
    connection.execute(insert(PARTS).from_select(columns, copied.where(within)))


def _earlier(row: dict[str, object], back: int, shift_ns: int) -> dict[str, object]:
    identity = str(row["finding_id"])
    record = MOMENT.sub(lambda found: str(int(found[0]) - shift_ns), str(row["record"]))
    times = {name: int(str(row[name])) - shift_ns for name in ("first_ns", "last_ns", "recorded_ns")}
    new = f"{identity}-{back}"
    return {**row, **times, "finding_id": new, "record": record.replace(identity, new), "state": "closed"}


def _copy_rollups(connection: Connection, back: int) -> None:
    """Its hours, as hours or as days."""
    period = week().before
    first = -(-period.from_ns // HOUR_NS)
    shift = back * WEEK_HOURS
    its = (ROLLUPS.c.hour >= first, ROLLUPS.c.hour < first + WEEK_HOURS)
    names = ("series_id", "hour", "hours", *MEASURES)
    if back * WEEK_NS < LedgerBounds().hours_ns:
        values = (ROLLUPS.c[name] for name in MEASURES)
        query = select(ROLLUPS.c.series_id, ROLLUPS.c.hour - shift, ROLLUPS.c.hours, *values).where(*its)
    else:
        day = (ROLLUPS.c.hour - first) - (ROLLUPS.c.hour - first) % 24 + (first - shift)
        sums = (func.sum(ROLLUPS.c[name]) for name in MEASURES)
        query = select(ROLLUPS.c.series_id, day, literal(24), *sums).where(*its).group_by(ROLLUPS.c.series_id, day)
    connection.execute(insert(ROLLUPS).from_select(names, query))


def _reach_back(connection: Connection, weeks: int) -> None:
    """What has a beginning begins so many weeks earlier; every twentieth series and case stays as new as it is."""
    earlier_ns = weeks * WEEK_NS
    for table in SEEN:
        connection.execute(update(table).values(first_ns=table.c.first_ns - earlier_ns))
    old = CASES.c.case_id % 20 != 0
    # Each case began in a week of its own; its history moves with it.
    shift = (CASES.c.case_id % bindparam("weeks")) * WEEK_NS
    its_case = select(CASES.c.case_id).where(old)
    moved = {name: CASES.c[name] - shift for name in ("opened_ns", "since_ns", "first_ns")}
    connection.execute(update(CASES).where(old).values(moved), {"weeks": max(1, weeks)})
    history = (CHANGES.c.case_id % bindparam("weeks")) * WEEK_NS
    change = update(CHANGES).where(CHANGES.c.case_id.in_(its_case)).values(at_ns=CHANGES.c.at_ns - history)
    connection.execute(change, {"weeks": max(1, weeks)})
    connection.execute(update(COVERAGE).values(from_ns=COVERAGE.c.from_ns - earlier_ns))
    connection.execute(update(SENSORS).values(first_ns=SENSORS.c.first_ns - earlier_ns))


def addresses_of(url: str) -> Iterator[str]:
    """Addresses that mine, for visitors who look one up."""
    ledger = Ledger.open_to_read(url)
    try:
        with ledger.engine.connect() as connection:
            yield from connection.scalars(select(SERIES.c.miner_ip).distinct().limit(2_000))
    finally:
        ledger.close()
