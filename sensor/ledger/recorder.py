"""Keeps records while the ledger cannot take them (disk full, locked, gone) and tries again: nothing recorded is lost,
nothing stops.

The clock is handed in. A waiting record gives way to a newer one of the same finding, since that has the totals; so
what waits is bounded by the findings followed, and by a bound of its own. What is over it is refused and counted: the
next record of that finding brings it. Conditions of the sensor, at most two a minute, are never refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from sensor.ledger.ledger import NOTHING_SUPPRESSED, Ledger
from sensor.ledger.store.errors import LedgerError
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.record import Record, record_id
from sensor.model.time import MILLISECOND_NS, SECOND_NS

#: Records that wait at most, and how many go into one transaction: no more than so many, and no more after so many
#: connections, each of which is read from the ledger with those that it is compared with.
MAX_WAITING, STEP, STEP_CONNECTIONS = 100_000, 500, 2_048
#: The first and the longest pause after a failure.
FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 500 * MILLISECOND_NS, 15 * SECOND_NS


class WaitingRecord(NamedTuple):
    """A record that is not in the ledger yet."""

    record: Record
    suppressed: str | None  # why it is not to be reported


class Recorder:
    """In front of one ledger; used by the line's thread alone."""

    def __init__(self, ledger: Ledger, clock: Callable[[], int], most_waiting: int = MAX_WAITING) -> None:
        self._ledger = ledger
        self._clock = clock  # monotonic nanoseconds
        self._most_waiting = most_waiting
        self._waiting: list[WaitingRecord] = []
        self._places: dict[str, int] = {}
        self._pause_ns = 0
        self._again_ns = 0
        self._counters: Counter[str] = Counter(records_recorded=0, records_refused=0, record_failures=0)
        self.error: LedgerError | None = None  # why the last attempt failed; None while all is well

    @property
    def trouble(self) -> str | None:
        """Why the last attempt failed, as a sentence; None while all is well."""
        return None if self.error is None else str(self.error)

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, and how many records wait now."""
        return {**self._counters, "records_waiting": len(self._waiting)}

    def record(
        self, records: Sequence[Record], now_ns: int, suppressed: Mapping[str, str] = NOTHING_SUPPRESSED
    ) -> list[Record]:
        """Take records and put what waits into the ledger, unless a pause is on; what was recorded now, as the ledger
        has it.

        Never raises LedgerError. To be called now and then without records too, so that what waits is tried again.
        """
        for record in records:
            self._add(record, suppressed.get(record_id(record)))
        return self._flush(now_ns) if self._clock() >= self._again_ns else []

    def flush(self, now_ns: int) -> list[Record]:
        """Try at once, whatever pause is on; for the end of the run."""
        return self._flush(now_ns)

    def _add(self, record: Record, suppressed: str | None) -> None:
        name = record_id(record)
        place = self._places.get(name)
        if place is not None and not _ended(self._waiting[place].record, record):
            self._waiting[place] = WaitingRecord(record, suppressed)
        elif len(self._waiting) >= self._most_waiting and not isinstance(record, Condition):
            self._counters["records_refused"] += 1
        else:
            self._places[name] = len(self._waiting)
            self._waiting.append(WaitingRecord(record, suppressed))

    def _step(self, done: int) -> int:
        """How many of the records that wait, after so many, go into the next transaction."""
        connections = 0
        for number, waiting in enumerate(islice(self._waiting, done, done + STEP)):
            connections += len(waiting.record.flows) if isinstance(waiting.record, Finding) else 0
            if connections >= STEP_CONNECTIONS:
                return number + 1
        return STEP

    def _flush(self, now_ns: int) -> list[Record]:
        recorded: list[Record] = []
        done = 0
        try:
            while done < len(self._waiting):
                step = self._waiting[done : done + self._step(done)]
                suppressed = {record_id(record): why for record, why in step if why is not None}
                recorded += self._ledger.record([record for record, _ in step], now_ns, suppressed)
                done += len(step)
        except LedgerError as error:
            self._counters["record_failures"] += 1
            self.error = error
            self._pause_ns = min(LONGEST_PAUSE_NS, 2 * self._pause_ns or FIRST_PAUSE_NS)
            self._again_ns = self._clock() + self._pause_ns
        else:
            self.error, self._pause_ns, self._again_ns = None, 0, 0
        self._counters["records_recorded"] += done
        if done:
            self._waiting = self._waiting[done:]
            self._places = {record_id(record): place for place, (record, _) in enumerate(self._waiting)}
        return recorded


def _ended(waiting: Record, record: Record) -> bool:
    """Whether the waiting record is of a finding that closed before the new one began, or a condition's beginning and
    the new one its end: then both count."""
    if isinstance(waiting, Condition) and isinstance(record, Condition):
        return waiting.state != record.state
    if not isinstance(waiting, Finding) or not isinstance(record, Finding):
        return False
    return waiting.state == "closed" and record.first_ns > waiting.last_ns
