"""A central ledger: reports of many sensors in, each as its sensor's own ledger was told it. A batch is one
transaction, with the places up to which it was taken; so what is read again, or sent again, is left out.

It knows topics and partitions as names and numbers, and nothing of what brings the reports.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, tuple_

from sensor.ledger.ledger import Ledger
from sensor.ledger.store.database import reading, writing
from sensor.ledger.store.errors import LedgerError, is_of_data
from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import COLLECTED_RUNS, DEAD_LETTERS, POSITIONS
from sensor.ledger.trial import trial_report
from sensor.ledger.write import coverage, policies, sensors
from sensor.ledger.write.parts import Reporter
from sensor.ledger.write.step import StepWriter
from sensor.ledger.write.upsert import upsert
from sensor.model.finding import Finding
from sensor.model.record import Record, record_id
from sensor.model.wire import SensorReport

#: What of a message that cannot be taken is stored.
LETTER_BYTES = 65_536


#: A partition: its topic and number.
Queue = tuple[str, int]


class TopicPlace(NamedTuple):
    """Where a message stands."""

    topic: str
    partition: int
    offset: int

    @property
    def queue(self) -> Queue:
        """The partition that it is of."""
        return self.topic, self.partition


class PlacedReport(NamedTuple):
    """A report, and where it stands."""

    place: TopicPlace
    report: SensorReport


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that cannot be taken."""

    place: TopicPlace
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CollectPage:
    """A part of a batch that is held at once."""

    reports: Sequence[PlacedReport]
    letters: Sequence[DeadLetter] = ()


@dataclass(frozen=True, slots=True)
class CollectBatch:
    """What is taken in one transaction. Its pages are read one after another, once. The reports are in the order of
    their places; those that a later one replaces may be missing, so it is said for each partition from which place on
    all was read, and what comes next."""

    pages: Iterable[CollectPage]
    from_offsets: Mapping[Queue, int]
    next_offsets: Mapping[Queue, int]


class CollectGapError(Exception):
    """Something before a batch was not taken: it is to be read again from the ledger's places. One sentence."""


class _TakenBackError(Exception):
    """What was written is taken back."""


class CentralLedger:
    """One ledger that is fed by reports. Used by one thread; processes that feed it take turns."""

    def __init__(self, ledger: Ledger, most_letters: int) -> None:
        """`most_letters` messages that cannot be taken are stored; the oldest go."""
        self._ledger, self._most_letters = ledger, most_letters
        self.counters: Counter[str] = Counter(
            reports_written=0, reports_repeated=0, records_written=0, letters_stored=0, batches=0
        )

    def positions(self, topic: str) -> dict[int, int]:
        """By partition what comes next. Raises LedgerError."""
        with reading(self._ledger.engine) as connection:
            rows = connection.execute(select(POSITIONS).where(POSITIONS.c.topic == topic)).all()
        return {row.partition: row.position for row in rows}

    def begin_anew(self, topic: str, partition: int) -> None:
        """A partition was made anew: what was taken of the former one says nothing of it. Raises LedgerError."""
        with writing(self._ledger.engine) as connection:
            for table in (POSITIONS, COLLECTED_RUNS):
                its = (table.c.topic == topic, table.c.partition == partition)
                connection.execute(delete(table).where(*its))

    def take(self, batch: CollectBatch, now_ns: int) -> None:
        """Write a batch: all of it and its places, or nothing. What was taken before is left out. Raises LedgerError
        and CollectGapError; also whatever a record raises that cannot be written, and what reading a page raises."""
        counts = Counter(batches=1)
        with writing(self._ledger.engine) as connection:
            queues = _Queues(connection, batch)
            for page in batch.pages:
                queues.read_numbers(page.reports)
                fresh = [placed.report for placed in page.reports if queues.takes(placed)]
                letters = [letter for letter in page.letters if letter.place.offset >= queues.position(letter.place)]
                counts["records_written"] += self._write(connection, fresh, now_ns)
                self._store(connection, letters, now_ns)
                counts["reports_written"] += len(fresh)
                counts["reports_repeated"] += len(page.reports) - len(fresh)
                counts["letters_stored"] += len(letters)
            queues.write(now_ns)
        self.counters.update(counts)

    def takes_any(self, now_ns: int) -> bool:
        """Whether a plain report could be written now: one is, and taken back. Raises LedgerError where the ledger is
        away."""
        try:
            with writing(self._ledger.engine) as connection:
                self._write(connection, [trial_report(now_ns)], now_ns)
                raise _TakenBackError
        except _TakenBackError:
            return True
        except LedgerError as error:
            if is_of_data(error):
                return False
            raise
        except Exception:  # a fault of the program, as with the reports before
            return False

    def prune(self, runs_before_ns: int, letters_before_ns: int) -> int:
        """Forget numbers of runs that reported last before a moment, and messages that were put aside before another;
        how many. Raises LedgerError."""
        with writing(self._ledger.engine) as connection:
            old_runs = delete(COLLECTED_RUNS).where(COLLECTED_RUNS.c.taken_ns < runs_before_ns)
            old_letters = delete(DEAD_LETTERS).where(DEAD_LETTERS.c.taken_ns < letters_before_ns)
            return sum(connection.execute(statement).rowcount for statement in (old_runs, old_letters))

    def letters(self, most: int) -> list[DeadLetter]:
        """The newest messages that could not be taken. Raises LedgerError."""
        query = select(DEAD_LETTERS).order_by(DEAD_LETTERS.c.letter_id.desc()).limit(most)
        with reading(self._ledger.engine) as connection:
            rows = connection.execute(query).all()
        return [DeadLetter(TopicPlace(row.topic, row.partition, row.position), row.reason, row.body) for row in rows]

    def _write(self, connection: Connection, reports: Sequence[SensorReport], now_ns: int) -> int:
        """Tell the ledger what these reports say, in their order; how many records."""
        records = [record for report in reports for record in report.records]
        if not reports:
            return 0
        step = StepWriter(connection, records, reporter_of(reports[0]), now_ns)
        latest: dict[str, tuple[Reporter, int]] = {}
        for report in reports:
            reporter = reporter_of(report)
            step.report_as(reporter)
            seen_ns = min(report.sent_ns, now_ns)
            if report.began:
                sensors.begin_again(connection, reporter, seen_ns)
            for record in report.records:
                step.add(record, _reason(record, report))
            step.end(report.ended, report.sensor_id)
            for stretch in report.coverage:
                if stretch.to_ns > stretch.from_ns:
                    times = (stretch.from_ns, stretch.to_ns, stretch.apart_ns)
                    coverage.add_coverage(connection, report.sensor_id, *times)
            if report.policies is not None:
                policies.note(connection, report.sensor_id, report.policies)
            if report.records or report.policies is not None:
                latest[report.sensor_id] = (reporter, seen_ns)
        for reporter, seen_ns in latest.values():
            sensors.note_report(connection, reporter, seen_ns)
        step.write()
        self._ledger.outbox.append(connection, step.events, now_ns)
        return len(records)

    def _store(self, connection: Connection, letters: Sequence[DeadLetter], now_ns: int) -> None:
        """Put messages aside; the oldest go over the bound."""
        rows = [
            {
                "topic": letter.place.topic,
                "partition": letter.place.partition,
                "position": letter.place.offset,
                "taken_ns": now_ns,
                "reason": column_text(letter.reason),
                "size_bytes": len(letter.body),
                "body": letter.body[:LETTER_BYTES],
            }
            for letter in letters[-self._most_letters :]
        ]
        if not rows:
            return
        connection.execute(insert(DEAD_LETTERS), rows)
        over = (connection.scalar(select(func.count()).select_from(DEAD_LETTERS)) or 0) - self._most_letters
        if over > 0:
            oldest = select(DEAD_LETTERS.c.letter_id).order_by(DEAD_LETTERS.c.letter_id).limit(over)
            connection.execute(delete(DEAD_LETTERS).where(DEAD_LETTERS.c.letter_id.in_(oldest)))


class _Queues:
    """Up to where the partitions of a batch were taken, within the transaction."""

    def __init__(self, connection: Connection, batch: CollectBatch) -> None:
        self._connection, self._next = connection, dict(batch.next_offsets)
        self._positions: dict[Queue, int] = {}
        self._numbers: dict[tuple[str, int, str, str], int] = {}
        self._changed: set[tuple[str, int, str, str]] = set()
        self._read_of: dict[Queue, set[tuple[str, str]]] = defaultdict(set)  # of which runs they are here
        for topic, partition in self._next:
            its = (POSITIONS.c.topic == topic, POSITIONS.c.partition == partition)
            position = connection.scalar(select(POSITIONS.c.position).where(*its))
            if position is not None and position < batch.from_offsets[topic, partition]:
                raise CollectGapError(f"{topic} [{partition}]: the ledger has come to {position} only")
            self._positions[topic, partition] = position or 0

    def read_numbers(self, reports: Iterable[PlacedReport]) -> None:
        """Read what was taken of the runs of reports, which are the next ones: of those alone, for in a sensor's name
        anybody may have begun very many."""
        wanted: dict[Queue, set[tuple[str, str]]] = defaultdict(set)
        for placed in reports:
            wanted[placed.place.queue].add((placed.report.sensor_id, placed.report.run_id))
        for queue, runs in wanted.items():
            self._read(*queue, sorted(runs - self._read_of[queue]))
            self._read_of[queue] |= runs

    def _read(self, topic: str, partition: int, runs: Iterable[tuple[str, str]]) -> None:
        its = (COLLECTED_RUNS.c.topic == topic, COLLECTED_RUNS.c.partition == partition)
        waiting = iter(runs)
        while page := list(islice(waiting, 500)):
            run = tuple_(COLLECTED_RUNS.c.sensor_id, COLLECTED_RUNS.c.run_id)
            query = select(COLLECTED_RUNS).where(*its, run.in_(page))
            for row in self._connection.execute(query):
                self._numbers[topic, partition, row.sensor_id, row.run_id] = row.number

    def position(self, place: TopicPlace) -> int:
        """What comes next in the partition of a place."""
        return self._positions[place.queue]

    def takes(self, placed: PlacedReport) -> bool:
        """Whether a report is a new one. A live run numbers its reports: what it sends again after a failure begins
        with the first one that was not acknowledged, so that in a partition a lower number was taken before."""
        place, report = placed
        if place.offset < self._positions[place.queue]:
            return False
        if not report.number or report.kind != "live":
            return True
        key = (*place.queue, report.sensor_id, report.run_id)
        if report.number <= self._numbers.get(key, 0):
            return False
        self._numbers[key] = report.number
        self._changed.add(key)
        return True

    def write(self, now_ns: int) -> None:
        """Put what changed into the tables."""
        moved = [
            {"topic": topic, "partition": partition, "position": position, "taken_ns": now_ns}
            for (topic, partition), position in sorted(self._next.items())
            if position > self._positions[topic, partition]
        ]
        upsert(self._connection, POSITIONS, moved, replace=("position", "taken_ns"))
        names = ("topic", "partition", "sensor_id", "run_id")
        rows = [
            {**dict(zip(names, key, strict=True)), "number": self._numbers[key], "taken_ns": now_ns}
            for key in sorted(self._changed)
        ]
        upsert(self._connection, COLLECTED_RUNS, rows, replace=("number", "taken_ns"))


def reporter_of(report: SensorReport) -> Reporter:
    """Which run of which sensor a report is of."""
    return Reporter(report.sensor_id, report.run_id, report.kind, report.clock_offset_ns)


def _reason(record: Record, report: SensorReport) -> str | None:
    return report.suppressed.get(record_id(record)) if isinstance(record, Finding) else None
