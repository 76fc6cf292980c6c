"""What a sensor reports to a central ledger, beside the outbox of events: everything that its own ledger is told, as it
is told, in the wire form. An event is what became of a finding here; a report is what this sensor counted of it, so
that another ledger comes to the same sum.

Each report is of one record and has one key: those of a miner's address keep their order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from sensor.ledger.outbox import Outbox, OutboxTables
from sensor.ledger.store.records import packed, readable, unpacked
from sensor.ledger.store.schema import REPORT_CURSORS, REPORTS
from sensor.ledger.write.parts import Reporter
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.policy import PolicyState
from sensor.model.record import Record, record_id
from sensor.model.wire import SENSOR_KEY, QueuedReport, SensorReport, Stretch, dumps, numbered

#: A report with its key.
KeyedReport = tuple[str, SensorReport]


class ReportOutbox(Outbox):
    """The reports that wait for a central ledger."""

    tables = OutboxTables(REPORTS, REPORT_CURSORS)

    def append(self, connection: Connection, reports: Iterable[KeyedReport]) -> None:
        """Add reports within the transaction that records what they say; nothing if nobody is served. One with a number
        that the wire form has not is dropped, and counted."""
        if not self.is_served(connection):
            return
        rows: list[dict[str, Any]] = []
        dropped = 0
        now_ns = time.time_ns()  # a replay's reports have their packets' time
        for key, report in reports:
            try:
                text = packed(dumps(report))
            except ValueError:
                dropped += 1
                continue
            rows.append({"created_ns": now_ns, "key": key, "record": text})
        if dropped:
            its = REPORT_CURSORS.c.dropped + dropped
            connection.execute(update(REPORT_CURSORS).values(dropped=its))
        self.put(connection, rows)

    def read(self, position: int, most: int, most_bytes: int | None = None) -> list[QueuedReport]:
        """The reports after a position, as `page`. Raises LedgerError."""
        rows = self.page(position, most, most_bytes)
        with readable():
            return [
                QueuedReport(row.sequence, row.created_ns, row.key, numbered(unpacked(row.record), row.sequence))
                for row in rows
            ]


def record_reports(
    records: Sequence[Record], suppressed: Mapping[str, str], reporter: Reporter, now_ns: int
) -> Iterator[KeyedReport]:
    """What a step told the ledger."""
    for record in records:
        name = record_id(record)
        reasons = {name: suppressed[name]} if isinstance(record, Finding) and name in suppressed else {}
        report = report_of(reporter, now_ns, records=(record,), suppressed=reasons)
        yield key_of(record, reporter), report


def coverage_report(reporter: Reporter, stretch: Stretch, now_ns: int) -> KeyedReport:
    """That a sensor listened, by the packets' clock; `now_ns` is the wall's, as in all reports: captures may be old."""
    return sensor_key(reporter), report_of(reporter, now_ns, coverage=(stretch,))


def ended_reports(findings: Sequence[Finding], reporter: Reporter, now_ns: int) -> Iterator[KeyedReport]:
    """That nothing follows these findings any more."""
    for finding in findings:
        yield finding.miner_ip, report_of(reporter, now_ns, ended=(finding.finding_id,))


def began_report(reporter: Reporter, now_ns: int) -> KeyedReport:
    """That the sensor's process begins."""
    return sensor_key(reporter), report_of(reporter, now_ns, began=True)


def policies_report(reporter: Reporter, states: Sequence[PolicyState], now_ns: int) -> KeyedReport:
    """What became of parcels at the sensor."""
    return sensor_key(reporter), report_of(reporter, now_ns, policies=tuple(states))


def report_of(reporter: Reporter, now_ns: int, **what: Any) -> SensorReport:
    """A report of this run."""
    return SensorReport(
        reporter.sensor_id,
        reporter.run_id,
        now_ns,
        kind=reporter.kind,
        clock_offset_ns=reporter.clock_offset_ns,
        **what,
    )


def key_of(record: Record, reporter: Reporter) -> str:
    """What keeps its order: a miner's address, a node's, or the sensor itself."""
    if isinstance(record, Finding):
        return record.miner_ip
    return record.key.src_ip if isinstance(record, Node) else sensor_key(reporter)


def sensor_key(reporter: Reporter) -> str:
    """The key of what is of the sensor itself."""
    return f"{SENSOR_KEY}{reporter.sensor_id}"
