"""The ledger itself: records in, each step one transaction; its reader answers what is asked of it.

Called from the line's thread; makes no network call unless its URL names a database elsewhere. It judges nothing and
formats nothing.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection, Engine, Table, and_, delete, exists, func, or_, select

from sensor.ledger.lease import LedgerLease, prove
from sensor.ledger.outbox import EventOutbox
from sensor.ledger.read.reader import LedgerReader
from sensor.ledger.reports import (
    ReportOutbox,
    began_report,
    coverage_report,
    ended_reports,
    policies_report,
    record_reports,
)
from sensor.ledger.store.bounds import LedgerBounds
from sensor.ledger.store.database import connect, empty_log, is_own, open_to_read, reading, rewrite_file, writing
from sensor.ledger.store.errors import LedgerError, OutdatedLedgerError
from sensor.ledger.store.records import load_finding
from sensor.ledger.store.schema import CONDITIONS, CONNECTIONS, FINDINGS, LEASES, NODES, PARTS
from sensor.ledger.write import casework, coverage, policies, retention, rollups, sensors, silence
from sensor.ledger.write.findings import FindingWriter
from sensor.ledger.write.forget import ForgetSubject, Forgotten
from sensor.ledger.write.parts import Reporter
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.step import StepWriter
from sensor.model.finding import Finding
from sensor.model.policy import PolicyState
from sensor.model.record import Record, record_id
from sensor.model.sensor import ProcessIdentity
from sensor.model.summary import State
from sensor.model.time import HOUR_NS
from sensor.model.wire import Stretch

#: Silent cases that are looked at in one transaction, and pages of series that are merged to days at once: the line
#: waits for both.
CASES_PER_REVIEW, PAGES_PER_PRUNE = 50, 4
DEFAULT_BOUNDS = LedgerBounds()
NOTHING_SUPPRESSED: Mapping[str, str] = {}
UNBOUNDED = 1 << 62
#: The sensor of a ledger that is opened for something else than to report.
THIS_SENSOR = "local"


class Ledger:
    """One database. Reading (`reader`) may be done from any thread; recording from one at a time."""

    def __init__(self, engine: Engine, bounds: LedgerBounds, reporter: Reporter) -> None:
        self.reporter = reporter
        self.engine = engine
        self.reader = LedgerReader(engine)
        self._bounds = bounds
        self._lock = threading.Lock()
        room = (bounds.outbox_rows, bounds.outbox_bytes)
        self.outbox = EventOutbox(engine, reporter.sensor_id, *room, self._lock)
        self.reports = ReportOutbox(engine, reporter.sensor_id, *room, self._lock)
        self._reviewed_case = 0  # the case that was looked at last
        self._merged_day: int | None = None  # the hour before which hours become days
        self._merged_series: int | None = None  # the series that was looked at last for that; None: all were
        self._leased = False  # whether writing needs the lease

    @classmethod
    def open(
        cls,
        url: str,
        *,
        bounds: LedgerBounds = DEFAULT_BOUNDS,
        run_id: str | None = None,
        sensor_id: str = THIS_SENSOR,
        kind: Literal["live", "replay"] = "live",
        clock_offset_ns: int = 0,
    ) -> Ledger:
        """Open or create a database (`sqlite:////var/lib/minewatch/ledger.db`, `postgresql+psycopg://...`) and bring
        its schema up to date.

        `run_id` names the process that follows findings, or what a replay read; a fresh one if none is given. Raises
        LedgerError, one sentence.
        """
        reporter = Reporter(sensor_id, run_id or secrets.token_hex(8), kind, clock_offset_ns)
        ledger = cls(connect(url), bounds, reporter)
        while ledger._roll_up_missing():
            pass
        return ledger

    @property
    def run_id(self) -> str:
        """Which run of its sensor tells this ledger."""
        return self.reporter.run_id

    @classmethod
    def open_to_read(cls, url: str) -> Ledger:
        """Open a database for its reader alone, as whoever may read it, and leave nothing behind. A file of this user's
        that an older release made is brought up to date first.

        Raises LedgerError, one sentence; also whenever anything is to be written.
        """
        try:
            return cls._to_read(url)
        except OutdatedLedgerError:
            if not is_own(url):
                raise
        cls.open(url).close()
        return cls._to_read(url)

    @classmethod
    def _to_read(cls, url: str) -> Ledger:
        ledger = cls(open_to_read(url), DEFAULT_BOUNDS, Reporter(THIS_SENSOR, secrets.token_hex(8), "live", 0))
        try:
            if ledger._not_rolled_up(1):  # its sums would be too small, and nothing would say so
                raise OutdatedLedgerError(ledger.engine.url.render_as_string(hide_password=True), "its hourly sums are")
        except LedgerError:
            ledger.close()
            raise
        return ledger

    def report_as(self, sensor_id: str, clock_offset_ns: int) -> None:
        """Which sensor this process is."""
        self.reporter = replace(self.reporter, sensor_id=sensor_id, clock_offset_ns=clock_offset_ns)
        self.outbox.sensor_id = self.reports.sensor_id = sensor_id

    def lease(self, process: ProcessIdentity) -> LedgerLease:
        """The lease by which this process may be its sensor; from now on every step proves that it is held."""
        self._leased = True
        return LedgerLease(self.engine, self.reporter.sensor_id, self.run_id, process)

    def begin(self, now_ns: int) -> bool:
        """The sensor begins, with what was recorded before sensors were told apart; whether it had been retired.
        Raises LedgerError."""
        with self._writing() as connection:
            self.reports.append(connection, [began_report(self.reporter, now_ns)])
            return sensors.begin(connection, self.reporter, now_ns)

    def rename_sensor(self, before: str, after: str) -> None:
        """Give a sensor another id. Raises LedgerError, or SensorError if there is none, or it cannot have that."""
        with self._writing() as connection:
            sensors.rename(connection, before, after)

    def retire_sensor(self, sensor_id: str, now_ns: int) -> None:
        """A sensor will not come back. Raises LedgerError, or SensorError if there is none, or it is retired."""
        with self._writing() as connection:
            sensors.retire(connection, sensor_id, now_ns)

    def forget(self, subject: ForgetSubject, now_ns: int) -> Forgotten:
        """Forget an address, an enterprise or a person; what went. A file that no sensor writes is written anew,
        without what stood in it before. Raises LedgerError, or ForgetError if that cannot be."""
        is_file = self.engine.dialect.name == "sqlite"
        with self._writing() as connection:
            if is_file:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")  # zeros where the rows were
            done = subject.forget(connection, now_ns)
            done.remains = is_file and connection.execute(select(LEASES.c.sensor_id).limit(1)).first() is not None
        if is_file and not done.remains:
            try:
                rewrite_file(self.engine)
            except (
                LedgerError
            ):  # no room for a second one, or others use it: what was forgotten is forgotten all the same
                done.remains = True
        if done.remains or not is_file:
            empty_log(self.engine)
        return done

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction of this process. Raises LedgerError, and LeaseLostError where another process writes now."""
        with self._lock, writing(self.engine) as connection:
            if self._leased:
                prove(connection, self.reporter.sensor_id, self.run_id)
            yield connection

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()

    def record(
        self, records: Sequence[Record], now_ns: int, suppressed: Mapping[str, str] = NOTHING_SUPPRESSED
    ) -> list[Record]:
        """Record a step: all of it, or (LedgerError) nothing. Returns the records as the ledger has them now, with what
        earlier runs knew.

        `suppressed` gives for the identity of a finding why it is not to be reported.
        """
        if not records:
            return []
        with self._writing() as connection:
            sensors.note_report(connection, self.reporter, now_ns)
            step = StepWriter(connection, records, self.reporter, now_ns)
            recorded = [step.add(record, suppressed.get(record_id(record))) for record in records]
            step.write()
            self.outbox.append(connection, step.events, now_ns)
            self.reports.append(connection, record_reports(records, suppressed, self.reporter, now_ns))
        return recorded

    def close_stale(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close findings of earlier runs that were not seen again for so long; each is an event unless suppressed.
        Raises LedgerError."""
        closed: list[Finding] = []
        while page := self._close_page(now_ns, silence_ns):
            closed += page
        return closed

    def add_coverage(self, from_ns: int, to_ns: int, apart_ns: int = 0) -> None:
        """The sensor listened from one moment to another: only then silence is a sign. Told twice, it is so once.
        Stretches no further apart than `apart_ns` become one. Raises LedgerError."""
        if to_ns > from_ns:
            with self._writing() as connection:
                coverage.add_coverage(connection, self.reporter.sensor_id, from_ns, to_ns, apart_ns)
                stretch = Stretch(from_ns, to_ns, apart_ns)
                self.reports.append(connection, [coverage_report(self.reporter, stretch, time.time_ns())])

    def note_policies(self, states: Sequence[PolicyState], now_ns: int) -> None:
        """What became of parcels at this sensor: all of them. Said where there are any, or were. Raises LedgerError."""
        with self._writing() as connection:
            if policies.note(connection, self.reporter.sensor_id, states) or states:
                sensors.note_report(connection, self.reporter, now_ns)
                self.reports.append(connection, [policies_report(self.reporter, states, now_ns)])

    def set_case(self, case_id: int, state: State, at_ns: int, *, who: str, why: str) -> State:
        """Move a case; the state it was in. Raises LedgerError, or CaseError if it cannot go there."""
        with self._writing() as connection:
            return casework.set_state(connection, case_id, state, who, why, at_ns)

    def note_case(self, case_id: int, at_ns: int, *, who: str, why: str) -> State:
        """Write into a case's history, and move it nowhere; the state it is in. Raises LedgerError, or CaseError if
        there is none."""
        with self._writing() as connection:
            return casework.add_note(connection, case_id, who, why, at_ns)

    def review_cases(self, now_ns: int, most: int = UNBOUNDED) -> list[silence.ClosedCase]:
        """Close the cases whose silence would be improbable if somebody still mined; those that were closed. Raises
        LedgerError.

        At most so many are looked at (a few more); the next call goes on with those after them.
        """
        closed: list[silence.ClosedCase] = []
        while most > 0:
            with self._writing() as connection:
                page = silence.silent_cases(connection, now_ns, self._reviewed_case, CASES_PER_REVIEW)
                reviewed = [silence.close_if_silent(connection, case, now_ns) for case in page]
            closed += [case for case in reviewed if case is not None]
            self._reviewed_case = page[-1].case_id if page else 0
            most = most - len(page) if page else 0
        return closed

    def prune(self, now_ns: int) -> int:
        """Delete what is older than the bounds allow, and the oldest of what is more than they allow; how many rows.
        Raises LedgerError.

        Roll-ups of a bounded number of series are looked at, once a day: hours that are old become days. Call it now
        and then.
        """
        gone = self._merge_old_hours(now_ns)
        bounds, since_ns = self._bounds, now_ns - self._bounds.closed_ns
        nodes_since_ns = since_ns if bounds.nodes_ns is None else now_ns - bounds.nodes_ns
        closed = FINDINGS.c.state == "closed"
        with self._writing() as connection:
            gone += connection.execute(delete(FINDINGS).where(closed, FINDINGS.c.last_ns < since_ns)).rowcount
            gone += connection.execute(delete(NODES).where(NODES.c.last_ns < nodes_since_ns)).rowcount
            gone += connection.execute(delete(CONDITIONS).where(CONDITIONS.c.last_ns < since_ns)).rowcount
            gone += retention.delete_old_connections(connection, now_ns - bounds.connections_ns)
            gone += retention.delete_old_months(connection, (now_ns - bounds.rollups_ns) // HOUR_NS)
            for outbox in (self.outbox, self.reports):
                gone += outbox.drop_old(connection, now_ns - bounds.events_ns)
            gone += retention.forget_old_persons(connection, now_ns - bounds.persons_ns, now_ns)
            rollups.delete_empty_series(connection, now_ns - bounds.rollups_ns)
            gone += _delete_oldest(connection, FINDINGS, bounds.findings)
            gone += _delete_oldest(connection, CONNECTIONS, bounds.connections)
            _delete_orphans(connection)
            gone += retention.delete_old_owners(connection, now_ns - bounds.owners_ns)
            gone += _delete_oldest(connection, NODES, bounds.nodes)
        return gone

    def _close_page(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close a bounded number of stale findings that no process follows, in one transaction."""
        mine = and_(PARTS.c.sensor_id == self.reporter.sensor_id, PARTS.c.run_id == self.run_id)
        followed = (
            PARTS.c.finding_id == FINDINGS.c.finding_id,
            PARTS.c.state != "closed",
            or_(mine, PARTS.c.run_id.in_(select(LEASES.c.run_id))),
        )
        stale = (
            FINDINGS.c.state != "closed",
            FINDINGS.c.last_ns < now_ns - silence_ns,
            ~exists().where(*followed),
        )
        query = select(FINDINGS.c.record).where(*stale).order_by(FINDINGS.c.last_ns, FINDINGS.c.finding_id).limit(PAGE)
        with self._writing() as connection:
            found = [load_finding(record) for record in connection.scalars(query)]
            findings = FindingWriter(connection, found, self.reporter, now_ns)
            closed = [findings.close(finding.finding_id) for finding in found]
            findings.write()
            self.outbox.append(connection, [finding for finding, is_event in closed if is_event], now_ns)
            its = [finding for finding, _ in closed]
            self.reports.append(connection, ended_reports(its, self.reporter, now_ns))
        return [finding for finding, _ in closed]

    def _roll_up_missing(self) -> int:
        """Roll up a page of the findings that never were (a ledger of before there were roll-ups); how many."""
        missing = [load_finding(record) for record in self._not_rolled_up(PAGE)]
        if missing:
            with self._writing() as connection:
                findings = FindingWriter(connection, missing, self.reporter, time.time_ns())
                findings.roll_up()
                findings.write()
        return len(missing)

    def _not_rolled_up(self, most: int) -> list[str]:
        """The records of some findings that are in no roll-up yet."""
        query = select(FINDINGS.c.record).where(FINDINGS.c.rolled.is_(None)).limit(most)
        with reading(self.engine) as connection:
            return list(connection.scalars(query))

    def _merge_old_hours(self, now_ns: int) -> int:
        """Go on with today's round over the series; how many rows went."""
        bounds, gone = self._bounds, 0
        hour, offset = (now_ns - bounds.hours_ns) // HOUR_NS, bounds.day_offset_hours
        day = (hour + offset) // 24 * 24 - offset
        if self._merged_day != day:
            self._merged_day, self._merged_series = day, 0
        gone_before = (now_ns - bounds.rollups_ns) // HOUR_NS
        for _ in range(PAGES_PER_PRUNE):
            if self._merged_series is None:
                break
            with self._writing() as connection:
                last, rows = rollups.merge_old_hours(connection, self._merged_series, day, gone_before)
            self._merged_series, gone = last or None, gone + rows
        return gone


def _delete_oldest(connection: Connection, table: Table, most: int) -> int:
    """Delete the oldest rows of findings or nodes over a number, closed findings first; how many."""
    over = (connection.scalar(select(func.count()).select_from(table)) or 0) - most
    if over <= 0:
        return 0
    if table is CONNECTIONS:  # by time alone: their key is of four columns
        newest_gone = select(table.c.last_ns).order_by(table.c.last_ns).offset(over - 1).limit(1).scalar_subquery()
        return connection.execute(delete(table).where(table.c.last_ns <= newest_gone)).rowcount
    key = next(iter(table.primary_key))
    order = (table.c.state != "closed", table.c.last_ns) if table is FINDINGS else (table.c.last_ns,)
    oldest = select(key).order_by(*order).limit(over)
    return connection.execute(delete(table).where(key.in_(oldest))).rowcount


def _delete_orphans(connection: Connection) -> None:
    """Delete what is of findings that are gone."""
    for table in (PARTS, CONNECTIONS):
        gone = ~exists().where(FINDINGS.c.finding_id == table.c.finding_id)
        connection.execute(delete(table).where(gone))
