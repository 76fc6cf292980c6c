"""From the configuration to a ledger: its bounds, and the records of a replay put into one."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from functools import partial

from sensor.ledger.ledger import Ledger
from sensor.ledger.store.attachments import AttachmentFolder, attachments_folder
from sensor.ledger.store.bounds import LedgerBounds
from sensor.ledger.store.errors import LedgerError
from sensor.line.suppress import Suppression
from sensor.model.events import End
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.record import Record
from sensor.model.sensor import REPLAY_SENSOR
from sensor.model.time import DAY_NS, MINUTE_NS, day_of
from sensor.settings.sections import FindingsSettings, LedgerSettings

#: A capture goes on in another file: no packet came between the last of one and the first of the next.
ROTATION_NS = MINUTE_NS
#: Records in one transaction.
STEP = 500


def files_of(settings: LedgerSettings) -> AttachmentFolder | None:
    """The folder of cases' files; None where there is none."""
    folder = attachments_folder(settings.url, settings.attachments)
    return None if folder is None else AttachmentFolder(folder)


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


class ReplayLedger:
    """The configured ledger behind a replay. It is stepped by the packets' clock, as a daemon would have been then;
    read again, a capture adds nothing."""

    def __init__(
        self,
        settings: LedgerSettings,
        findings: FindingsSettings,
        *,
        attribute: Callable[[Finding], object] | None = None,
        sensor_id: str = REPLAY_SENSOR,
        run_id: str | None = None,
    ) -> None:
        """`sensor_id` is whose observation point the captures are of; `run_id` names what is read (`content_id`).
        `attribute` says whose an address was. Raises LedgerError."""
        self._suppression = Suppression(findings)
        self._attribute = attribute
        self._ledger = Ledger.open(
            settings.url, bounds=bounds_of(settings), sensor_id=sensor_id, run_id=run_id, kind="replay"
        )
        self.trouble: str | None = None  # why it is not written any more

    def resume(self, ends: str, at_ns: int) -> Sequence[FlowSummary]:
        """What is known of connections between two ends; nothing where the ledger cannot be read."""
        try:
            return self._ledger.reader.connections_between(ends, at_ns)
        except LedgerError as error:
            self.trouble = self.trouble or str(error)
            return ()

    def found(self, records: Sequence[Record]) -> None:
        """A replay's findings come with its hours."""

    def step(self, records: Sequence[Record], since_ns: int, over_ns: int) -> None:
        """An hour is over: what is new of findings, then what follows from silence."""
        self._try(
            lambda: self._record(records),
            lambda: self._ledger.add_coverage(since_ns, over_ns),
            lambda: self._review(over_ns),
        )

    def read(self, end: End, records: Sequence[Record]) -> None:
        """A capture was read: what is new of findings, and the time that it covers."""
        self._try(
            lambda: self._record(records),
            *(partial(self._ledger.add_coverage, *stretch, ROTATION_NS) for stretch in end.stretches),
            lambda: self._review(max((last_ns for _, last_ns in end.stretches), default=0)),
        )

    def finish(self, records: Sequence[Record]) -> None:
        """All was read: the findings as they are in the end."""
        self._try(lambda: self._record(records))
        self._ledger.close()

    def _try(self, *steps: Callable[[], None]) -> None:
        """Do all of it, unless the ledger failed before: what is missing then, the same replay brings later."""
        if self.trouble is not None:
            return
        try:
            for step in steps:
                step()
        except LedgerError as error:
            self.trouble = str(error)

    def _record(self, records: Sequence[Record]) -> None:
        """What is on the allow-list or too weak is suppressed by the findings' settings."""
        for start in range(0, len(records), STEP):
            page = records[start : start + STEP]
            newest_ns = max(record.last_ns for record in page)
            its = [record for record in page if isinstance(record, Finding)]
            if self._attribute is not None:
                for finding in its:
                    self._attribute(finding)
            self._ledger.record(page, newest_ns, self._suppression.reasons(its, day_of(newest_ns)))

    def _review(self, now_ns: int) -> None:
        self._ledger.review_cases(now_ns)
