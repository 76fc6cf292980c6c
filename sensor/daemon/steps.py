"""Events through the line: on a link as they come, of captures hour by hour of their own clock; and what is told of the
time that was listened to.

A capture is remembered as read only after all that it came to was recorded. Used by the line's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sensor.daemon.coverage import CoverageRecorder
from sensor.daemon.intake import Intake
from sensor.intake.engine import PacketCore
from sensor.ledger import Recorder
from sensor.ledger.replay import ROTATION_NS
from sensor.line.capture_steps import CaptureStepper
from sensor.line.pipeline import Pipeline
from sensor.model.events import End, Event
from sensor.model.record import Record
from sensor.model.time import MINUTE_NS, SECOND_NS, PlausibleTime

#: How long a ledger that failed is left alone.
RETRY_NS = 5 * SECOND_NS


class LineSteps:
    """The steps of one pipeline."""

    def __init__(
        self,
        pipeline: Pipeline,
        record: Callable[[Sequence[Record], int], None],
        recorder: Recorder,
        coverage: CoverageRecorder,
        intake: Intake,
        *,
        core: PacketCore,
        live: bool,
    ) -> None:
        """`record` takes records and the wall clock's time; `live`: interfaces are heard."""
        self._pipeline, self._record, self._recorder = pipeline, record, recorder
        self._coverage, self._intake, self._live = coverage, intake, live
        self._core = core
        self._captures = CaptureStepper(pipeline, self)
        self._now_ns = 0  # the wall clock's time of the batch at hand
        self._judged_ns = 0  # when it was last asked which times can be
        self._ended: list[End] = []  # captures that were read, and are not remembered as read yet
        self._again_ns = 0  # when the ledger is asked again after it failed

    def take(self, events: Sequence[Event], now_ns: int) -> None:
        """One batch of events."""
        self._now_ns = now_ns
        if now_ns - self._judged_ns >= MINUTE_NS or now_ns < self._judged_ns:
            self._judged_ns = now_ns
            self._pipeline.plausible = PlausibleTime.as_of(now_ns)
        if self._live:
            self._record(self._pipeline.step(events, None if events else now_ns), now_ns)
            self._ended += [event for event in events if isinstance(event, End)]
        else:
            self._captures.step(events)
        self._dismiss_given_up()
        if not 0 < self._again_ns - now_ns <= RETRY_NS:
            self._remember_read(now_ns)

    def _dismiss_given_up(self) -> None:
        """Of a link the bytes of flows that the line has given up; captures are to be read the same every time."""
        given_up = self._pipeline.dismissed
        for flow in given_up if self._live else ():
            self._core.dismiss(flow)
        given_up.clear()

    def found(self, records: Sequence[Record]) -> None:
        """Records that are due while a capture is read."""
        self._record(records, self._now_ns)

    def step(self, records: Sequence[Record], since_ns: int, over_ns: int) -> None:
        """An hour of the captures' clock is over: it is decided what follows, however fast they are read."""
        self._record(records, self._now_ns)
        self._coverage.cover([(since_ns, over_ns)])
        self._review(over_ns)

    def read(self, end: End, records: Sequence[Record]) -> None:
        """A capture was read."""
        self._record(records, self._now_ns)
        self._ended.append(end)

    def listen(self, now_ns: int) -> None:
        """On a link: until now everything was heard, or not."""
        if self._live:
            self._coverage.listen(now_ns, not self._intake.unready)

    def review(self, now_ns: int) -> None:
        """On a link: look at the cases that fell silent. Captures are reviewed by their own clock."""
        if self._live:
            self._review(now_ns)

    def end(self, now_ns: int) -> None:
        """The run is over, and what it found is recorded, or waits."""
        self._remember_read(now_ns)
        self.listen(now_ns)

    def _remember_read(self, now_ns: int) -> None:
        while self._ended and not self._recorder.counters["records_waiting"]:
            end = self._ended[0]
            if not self._coverage.cover(end.stretches, ROTATION_NS):
                self._again_ns = now_ns + RETRY_NS
                return
            if end.stretches:
                self._review(max(last_ns for _, last_ns in end.stretches))
            self._intake.ended(end, now_ns)
            del self._ended[0]

    def _review(self, packets_ns: int) -> None:
        """Silence counts only where all that was heard until then is recorded."""
        if not self._recorder.counters["records_waiting"]:
            self._coverage.review(packets_ns)
