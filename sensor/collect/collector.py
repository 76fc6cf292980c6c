"""The loop of a collector: messages in, one transaction of the central ledger for each batch, then the next. What the
ledger cannot take now is tried again until it can; what it can never take is put aside, one message for another.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Protocol

from sensor.collect.messages import MessageFold, Read, TopicMessage, batch_of, read_message, replaces
from sensor.collect.source import BrokerError
from sensor.delivery.backoff import Backoff
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.central import (
    CentralLedger,
    CollectBatch,
    CollectGapError,
    CollectPage,
    DeadLetter,
    PlacedReport,
    Queue,
)
from sensor.ledger.store.errors import is_of_data
from sensor.model.finding import Finding
from sensor.model.time import DAY_NS, MINUTE_NS
from sensor.model.trouble import NOBODY, Speaker, TroubleState

#: Seconds between two rounds of upkeep: silent cases, ages.
UPKEEP_S = 600.0
#: Silent cases looked at in one round, and how far before now: what is on its way between a sensor and the topic's end
#: is seconds old.
CASES, REVIEW_BEFORE_NS = 100, 10 * MINUTE_NS
#: After so many messages that cannot be written, with none between them that can be, a plain report is tried: if that
#: cannot be written either, the fault is not theirs, and no more are put aside. Else somebody writes such messages.
UNWRITABLE_IN_A_ROW = 500
#: How long after its last report a run's number is stored.
RUNS_NS = 90 * DAY_NS
#: Says whose an address was, in place of what the sensor stated.
Attribute = Callable[[Finding], object]


class Source(Protocol):
    """Where messages come from (`sensor/collect/source.py`)."""

    topic: str
    trouble: str | None
    owned: dict[Queue, int]
    reset: list[Queue]

    def poll(self, *, whole: bool = False) -> MessageFold:
        """What came."""

    def idle(self, seconds: float) -> None:
        """Wait."""

    def done(self, next_offsets: Mapping[Queue, int]) -> None:
        """Up to there it is in the ledger."""

    def rewind(self) -> None:
        """Read on from where the ledger is."""

    def lag(self) -> dict[Queue, int]:
        """What waits."""

    def ends(self) -> dict[int, int]:
        """The ends of all partitions."""

    def stop(self) -> None:
        """Read no further."""

    def close(self) -> None:
        """Leave."""


class _ReadWholeError(Exception):
    """A message that replaced others cannot be taken: all are to be read again."""


class _StopError(Exception):
    """It was stopped in the middle of a batch, which is read again by whoever goes on."""


class Collector:
    """One collector. `run` returns when it was stopped; other threads may read `counters` and `trouble`."""

    def __init__(
        self,
        ledger: Ledger,
        central: CentralLedger,
        source: Source,
        *,
        attribute: Attribute | None = None,
        letters_ns: int = 30 * DAY_NS,
        speaker: Speaker = NOBODY,
    ) -> None:
        """`letters_ns`: how long messages that were put aside are stored."""
        self._ledger, self._central, self._source = ledger, central, source
        self._attribute, self._letters_ns, self._speaker = attribute, letters_ns, speaker
        self._counters: Counter[str] = Counter(
            messages_read=0,
            reports_replaced=0,
            letters_unreadable=0,
            letters_newer=0,
            letters_unwritable=0,
            ledger_failures=0,
            partitions_reset=0,
            cases_closed=0,
        )
        self._failing, self._losing, self._away = TroubleState(), TroubleState(), TroubleState()
        self._backoff = Backoff(Random())
        self._stopping = threading.Event()
        self._upkeep_s = time.monotonic() + UPKEEP_S
        self._whole = False  # whether the next batch leaves nothing out
        self._unwritable = 0  # messages in a row
        self.batch_seconds = 0.0  # that the last transaction took, reading of its messages included
        #: How many messages wait, by partition of this collector; asked by its own thread, for the client has one lock.
        self.lag: dict[Queue, int] = {}
        self.moved_s = time.monotonic()  # when the loop last went round

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start."""
        return {**self._counters, **self._central.counters}

    @property
    def trouble(self) -> str | None:
        """Why it does not go on; None while all is well."""
        return self._failing.reason or self._source.trouble

    def stop(self) -> None:
        """End within seconds: after the batch at hand, or where that has many pages, without it."""
        self._stopping.set()
        self._source.stop()

    def run(self) -> None:
        """Collect until stopped."""
        try:
            while not self._stopping.is_set():
                self.step()
        finally:
            self._source.close()

    def step(self) -> int:
        """One batch; how many messages it had. What fails is tried again at the next step."""
        self.moved_s = time.monotonic()
        try:
            fold = self._source.poll(whole=self._whole)
            messages = fold.messages()
            self._look_at_brokers()
            while self._source.reset:
                self._central.begin_anew(*self._source.reset[-1])
                self._counters["partitions_reset"] += 1
                self._speaker.warning(f"{self._source.reset.pop()}: was made anew, and is read from its beginning")
            if messages:
                self._take(messages, fold.replaced)
                self._whole = False
            elif time.monotonic() >= self._upkeep_s:
                self._upkeep_s = time.monotonic() + UPKEEP_S
                self._upkeep(time.time_ns())
        except (LedgerError, BrokerError) as error:
            self._counters["ledger_failures"] += isinstance(error, LedgerError)
            if self._failing.begin(str(error)):
                self._speaker.warning(f"{error}; nothing is lost, and it is tried again")
            self._source.rewind()
            self._source.idle(self._backoff.next())
            return 0
        except _StopError:
            return 0
        except (CollectGapError, _ReadWholeError) as error:
            self._whole = isinstance(error, _ReadWholeError)
            self._source.rewind()
            return 0
        if self._failing.end():
            self._speaker.notice("collects again")
        self._backoff.reset()
        self.lag = self._source.lag()
        return len(messages)

    def _look_at_brokers(self) -> None:
        """Say once that they do not answer: nothing fails meanwhile, for the client mends its connections itself."""
        reason = self._source.trouble
        if reason is not None:
            if self._away.begin(reason):
                self._speaker.warning(f"{reason}; nothing is lost, and it is tried again")
        elif self._away.end():
            self._speaker.notice("brokers answer again")

    def _take(self, messages: Sequence[TopicMessage], replaced: int = 0) -> None:
        """Write what was read, and say so to the brokers. So many messages were replaced by some of these."""
        begun_s = time.monotonic()
        counts: Counter[str] = Counter(messages_read=len(messages) + replaced, reports_replaced=replaced)
        letters: list[DeadLetter] = []

        def read(message: TopicMessage) -> Read:
            self.moved_s = time.monotonic()
            found = read_message(message, counts)
            if isinstance(found, PlacedReport):
                self._attribute_all(found)
                return found
            if replaced and replaces(message):
                raise _ReadWholeError
            letters.append(found)
            return found

        batch = batch_of(messages, self._source.owned, read)
        try:
            self._central.take(replace(batch, pages=self._until_stopped(batch.pages)), time.time_ns())
        except (CollectGapError, _ReadWholeError, _StopError):
            raise
        except Exception as error:
            if isinstance(error, LedgerError) and not is_of_data(error):
                raise
            if replaced:
                raise _ReadWholeError from error
            self._divide(messages, error)
            return
        if len(messages) > len(letters):
            self._unwritable = 0
        self._counters.update(counts)
        self._note_letters(letters)
        self._source.done(batch.next_offsets)
        self.batch_seconds = time.monotonic() - begun_s

    def _until_stopped(self, pages: Iterable[CollectPage]) -> Iterator[CollectPage]:
        for number, page in enumerate(pages):
            if number and self._stopping.is_set():
                raise _StopError
            yield page

    def _attribute_all(self, placed: PlacedReport) -> None:
        for record in placed.report.records if self._attribute is not None else ():
            if isinstance(record, Finding):
                self._attribute(record)  # type: ignore[misc]

    def _divide(self, messages: Sequence[TopicMessage], error: Exception) -> None:
        """Write a batch that cannot be written whole in halves, down to the message that is the reason."""
        if len(messages) > 1:
            middle = len(messages) // 2
            self._take(messages[:middle])
            self._take(messages[middle:])
            return
        (message,) = messages
        reason = " ".join(str(error).split()) or type(error).__name__
        if self._unwritable >= UNWRITABLE_IN_A_ROW:
            if not self._central.takes_any(time.time_ns()):
                raise LedgerError(f"no message can be written any more: {reason[:300]}; none is put aside")
            self._unwritable = 0
        self._unwritable += 1
        letter = DeadLetter(message.place, f"cannot be written: {reason}", message.body)
        queue = message.place.queue
        froms, nexts = {queue: self._source.owned[queue]}, {queue: message.place.offset + 1}
        self._central.take(CollectBatch((CollectPage((), (letter,)),), froms, nexts), time.time_ns())
        self._counters.update(messages_read=1, letters_unwritable=1)
        self._note_letters((letter,))
        self._source.done(nexts)

    def _note_letters(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            if self._losing.begin(letter.reason):
                place = letter.place
                self._speaker.warning(
                    f"{place.topic} [{place.partition}] at {place.offset}: put aside: {letter.reason[:300]}"
                )

    def _upkeep(self, now_ns: int) -> None:
        """Let go what is old; where nothing is on its way, look at cases that fell silent."""
        self._ledger.prune(now_ns)
        self._central.prune(now_ns - RUNS_NS, now_ns - self._letters_ns)
        ends = self._source.ends()
        places = self._central.positions(self._source.topic)
        if any(places.get(partition, 0) < end for partition, end in ends.items()):
            return
        for case in self._ledger.review_cases(now_ns - REVIEW_BEFORE_NS, CASES):
            self._counters["cases_closed"] += 1
            self._speaker.notice(f"case {case.case_id} closed: {case.why}")
