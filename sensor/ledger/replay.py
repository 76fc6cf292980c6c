"""From the configuration to a ledger: its bounds, and the records of a replay put into one."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sensor.ledger.ledger import Ledger
from sensor.ledger.store.bounds import LedgerBounds
from sensor.line.suppress import Suppression
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.sensor import REPLAY_SENSOR
from sensor.model.time import DAY_NS, day_of
from sensor.settings.sections import FindingsSettings, LedgerSettings

#: Records in one transaction.
STEP = 500


def bounds_of(settings: LedgerSettings) -> LedgerBounds:
    """The bounds that are configured. Days begin at the zone's standard midnight."""
    offset = settings.zone.utcoffset(datetime.datetime(2000, 1, 1)) or datetime.timedelta()
    return LedgerBounds(
        outbox_rows=settings.outbox_rows,
        outbox_bytes=settings.outbox_bytes,
        findings=settings.findings,
        nodes=settings.nodes,
        connections=settings.connections,
        closed_ns=settings.keep_days * DAY_NS,
        nodes_ns=(settings.nodes_days or settings.keep_days) * DAY_NS,
        connections_ns=(settings.connections_days or settings.keep_days) * DAY_NS,
        events_ns=settings.events_days * DAY_NS,
        owners_ns=settings.owners_days * DAY_NS,
        persons_ns=settings.persons_days * DAY_NS,
        hours_ns=settings.hours_days * DAY_NS,
        rollups_ns=settings.rollup_days * DAY_NS,
        day_offset_hours=round(offset.total_seconds() / 3_600),
    )


def record_replay(
    records: Sequence[Record],
    last_ns: int,
    settings: LedgerSettings,
    findings: FindingsSettings,
    *,
    sensor_id: str = REPLAY_SENSOR,
    run_id: str | None = None,
) -> None:
    """Record a replay in the configured ledger, as a daemon would have at that time; done again, it adds nothing.
    Raises LedgerError.

    `sensor_id` is whose observation point the captures are of; `run_id` names what was read (`content_id`).

    What is on the allow-list or too weak is suppressed by the findings' settings. The time from the first record to the
    capture's last packet counts as coverage, and cases that fell silent in it are closed.
    """
    suppression = Suppression(findings)
    ledger = Ledger.open(settings.url, bounds=bounds_of(settings), sensor_id=sensor_id, run_id=run_id, kind="replay")
    try:
        for start in range(0, len(records), STEP):
            page = records[start : start + STEP]
            newest_ns = max(record.last_ns for record in page)
            suppressed = suppression.reasons(
                [record for record in page if isinstance(record, Finding)], day_of(newest_ns)
            )
            ledger.record(page, newest_ns, suppressed)
        if records:
            ledger.add_coverage(min(record.first_ns for record in records), last_ns)
            ledger.review_cases(last_ns)
    finally:
        ledger.close()
