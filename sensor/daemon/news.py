"""What findings are told to people: every record to whoever watches, else each mine once a run in the journal.

Whoever sends much makes no flood of it: past a bound of lines a minute the rest is one line with a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from exporters.forms.amounts import counted
from exporters.forms.sentence import sentence
from exporters.redaction.attribution import without_persons
from sensor.daemon.journal import Journal
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.status import Status
from sensor.model.time import MINUTE_NS

#: Mines that are remembered as reported, about 100 bytes each, and lines a minute.
MOST_REPORTED, MOST_LINES = 100_000, 30


class TerminalViewer(Protocol):
    """Somebody who watches (`sensor/cli/live.py`). Called by the line's thread."""

    def show(self, record: Record) -> None:
        """A finding that opened, changed or ended, or a node."""

    def status(self, status: Status) -> None:
        """The sensor's newest status."""

    def end(self, status: Status) -> None:
        """The sensor ended."""


class News:
    """What one sensor tells. Used by the line's thread."""

    def __init__(self, journal: Journal, viewer: TerminalViewer | None, *, name_persons: bool) -> None:
        self._journal, self._viewer, self._name_persons = journal, viewer, name_persons
        self._reported: dict[str, None] = {}  # identities of findings, oldest first
        self._minute = self._lines = self._more = 0

    def report(self, records: Sequence[Record], suppressed: Mapping[str, str], now_ns: int) -> None:
        """Records as the line emitted them; `suppressed` are the findings that are not reported, by identity."""
        self._turn(now_ns)
        for record in records:
            if isinstance(record, Condition):
                continue  # its beginning and its end are troubles, and said as such
            if not isinstance(record, Finding):
                if self._viewer is not None:
                    self._viewer.show(record)
                continue
            if record.finding_id in suppressed:
                continue
            finding = record if self._name_persons else without_persons(record)
            if self._viewer is not None:
                self._viewer.show(finding)
            if finding.merged_into is not None:  # its part became another finding, which was told or will be
                if finding.finding_id in self._reported:
                    del self._reported[finding.finding_id]
                    self._remember(finding.merged_into)
            elif finding.finding_id not in self._reported:
                self._remember(finding.finding_id)
                if self._viewer is None:
                    self._say(finding)

    def look(self, status: Status, now_ns: int) -> None:
        """Once a second: the status, and what the last minute's bound kept back."""
        self._turn(now_ns)
        if self._viewer is not None:
            self._viewer.status(status)

    def end(self, status: Status) -> None:
        """The sensor ends."""
        self._turn(self._minute * MINUTE_NS + MINUTE_NS)
        if self._viewer is not None:
            self._viewer.end(status)

    def _remember(self, finding_id: str) -> None:
        self._reported[finding_id] = None
        while len(self._reported) > MOST_REPORTED:
            del self._reported[next(iter(self._reported))]

    def _say(self, finding: Finding) -> None:
        if self._lines >= MOST_LINES:
            self._more += 1
            return
        self._lines += 1
        self._journal.notice(f"mining: {sentence(finding)}")

    def _turn(self, now_ns: int) -> None:
        """Another minute: the bound begins anew."""
        if now_ns // MINUTE_NS == self._minute:
            return
        if self._more:
            self._journal.notice(f"mining: {counted(self._more, 'more finding')} within a minute; the ledger has them")
        self._minute, self._lines, self._more = now_ns // MINUTE_NS, 0, 0
