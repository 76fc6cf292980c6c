"""What a worker delivers, and how: events to a destination of records, or reports to one of reports. Each is a queue of
the ledger with a cursor, and a page of it is sent in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exporters.destination import Destination, Refused, ReportDestination
from exporters.redaction.attribution import without_persons
from exporters.redaction.finding import redacted
from sensor.ledger import Ledger
from sensor.ledger.outbox import Outbox, QueuedEvent
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.wire import QueuedReport

#: Events read from the outbox at once, and of how many bytes: a finding of 256 connections has 300 KB, and ten times
#: that in memory.
EVENTS, EVENTS_BYTES = 500, 1 << 20
#: The same of reports, which stay text. Each page is waited for until brokers have all of it.
REPORTS, REPORTS_BYTES = 2_000, 8 << 20


@dataclass(frozen=True)
class Hiding:
    """What a destination is not to see."""

    redact: bool = False  # what is inside
    name_persons: bool = False  # true: persons stand in events by name


class Feed(Protocol):
    """What one worker delivers. Queued things have a `sequence`."""

    outbox: Outbox
    repeat_s: float | None
    most: int

    def read(self, position: int) -> Sequence[Any]:
        """A page of what waits after a position. Raises LedgerError."""

    def send(self, page: Sequence[Any]) -> None:
        """Send a page of it. Raises Refused or OSError."""

    def name(self, queued: Any) -> str:
        """What one of them is called in a sentence."""

    def repeat(self, failed: Callable[[Exception], None]) -> int:
        """Send again what is open; how many. `failed` takes refusals. Raises OSError or LedgerError."""


class EventFeed:
    """Events, without what the destination is not to see."""

    def __init__(self, sender: Destination, hiding: Hiding, ledger: Ledger) -> None:
        self._sender, self._hiding, self._ledger = sender, hiding, ledger
        self.outbox: Outbox = ledger.outbox
        self.most, self.repeat_s = sender.most, sender.repeat_s

    def read(self, position: int) -> Sequence[QueuedEvent]:
        """The events after a position."""
        return self._ledger.outbox.read(position, EVENTS, EVENTS_BYTES)

    def send(self, page: Sequence[QueuedEvent]) -> None:
        """Send events."""
        self._sender.send([self._shown(event.record) for event in page])

    def name(self, queued: QueuedEvent) -> str:
        """By its event_id."""
        return f"event {queued.event_id}"

    def repeat(self, failed: Callable[[Exception], None]) -> int:
        """Send the open findings again, for destinations that forget."""
        after, repeated = "", 0
        while page := self._ledger.reader.open_findings(after, self._sender.most):
            try:
                self._sender.send([self._shown(finding) for finding in page])
                repeated += len(page)
            except Refused as error:
                failed(error)
            after = page[-1].finding_id
        return repeated

    def _shown(self, record: Record) -> Record:
        if not isinstance(record, Finding):
            return record
        if self._hiding.redact:
            return redacted(record)
        return record if self._hiding.name_persons else without_persons(record)


class ReportFeed:
    """Reports, whole: another ledger is to come to the same."""

    repeat_s: float | None = None

    def __init__(self, sender: ReportDestination, ledger: Ledger) -> None:
        self._sender, self._ledger = sender, ledger
        self.outbox: Outbox = ledger.reports
        self.most = sender.most

    def read(self, position: int) -> Sequence[QueuedReport]:
        """The reports after a position."""
        return self._ledger.reports.read(position, REPORTS, REPORTS_BYTES)

    def send(self, page: Sequence[QueuedReport]) -> None:
        """Send reports."""
        self._sender.send_reports(page)

    def name(self, queued: QueuedReport) -> str:
        """By its number."""
        return f"report {queued.sequence}"

    def repeat(self, failed: Callable[[Exception], None]) -> int:  # noqa: ARG002 (nothing is)
        """Nothing is sent again."""
        return 0


def feed_of(sender: Destination | ReportDestination, hiding: Hiding, ledger: Ledger) -> Feed:
    """What a destination takes."""
    if isinstance(sender, ReportDestination):
        return ReportFeed(sender, ledger)
    return EventFeed(sender, hiding, ledger)
