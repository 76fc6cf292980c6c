"""The line over stored captures: sources in, final records out, in an order that depends on the packets alone.

It owns the loop and nothing of its steps. A source that cannot be read is a problem with a name and a byte offset;
the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sensor.intake.engine import Engine, PacketCore, SourceError
from sensor.intake.sources import Problem
from sensor.model.events import End, Event
from sensor.model.time import ANY_TIME, PlausibleTime

if TYPE_CHECKING:
    from sensor.estimate import Assumptions
    from sensor.line.capture_steps import CaptureStepper, CaptureSteps
    from sensor.line.judged_session import BehaviourRules
    from sensor.line.pipeline import Pipeline
    from sensor.line.resumed import Resume
    from sensor.model.finding import Finding
    from sensor.model.node import Node
    from sensor.model.record import Record
    from sensor.session.verify import Sampling
    from sensor.signatures.source import SignatureSource

#: Sources opened ahead of the one being read: enough that no thread waits for a file, few enough for any limit on open
#: files.
AHEAD = 4
#: Batches past 16 events gain nothing more; a big one keeps the share of calls small all the same.
BATCH_EVENTS, WAIT_MS = 1024, 100

Progress = Callable[[int], None]


@dataclass
class ReplayResult:
    """What a replay found and how it went."""

    records: list[Record] = field(default_factory=list)
    passed: list[Record] = field(default_factory=list)  # findings that became others while it was read
    problems: list[Problem] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)  # the pipeline's counters
    chunks_off_clock: int = 0  # the one of them that is said
    sources: int = 0  # read to their end, or as far as possible
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def findings(self) -> list[Finding]:
        """The miners among the records."""
        from sensor.model.finding import Finding

        return [record for record in self.records if isinstance(record, Finding)]

    @property
    def nodes(self) -> list[Node]:
        """The nodes among the records."""
        from sensor.model.node import Node

        return [record for record in self.records if isinstance(record, Node)]

    @property
    def capture_loss(self) -> float:
        """Share of the candidates' stream bytes that were never seen."""
        missed, seen = self.counters.get("gap_bytes", 0), self.counters.get("chunk_bytes", 0)
        return missed / (missed + seen) if missed else 0.0


def replay(
    sources: Sequence[str],
    signatures: SignatureSource,
    engine: Engine,
    limits: Mapping[str, int],
    progress: Progress | None = None,
    *,
    sampling: Sampling | None = None,
    assumptions: Assumptions | None = None,
    steps: CaptureSteps | None = None,
    resume: Resume | None = None,
    plausible: PlausibleTime = ANY_TIME,
    behaviour: BehaviourRules | None = None,
) -> ReplayResult:
    """Read the sources one after another and judge what they hold. An interrupt ends the reading; what was found so
    far is kept.

    `steps` hears of each hour that ends and each capture that was read; `resume` tells what was known of a connection
    before (`sensor/line/resumed.py`). What is not given is as usual.
    """
    outcome = ReplayResult()
    core = engine.core_of(signatures, limits)
    given = {"sampling": sampling, "assumptions": assumptions, "resume": resume, "behaviour": behaviour}
    chosen = {name: value for name, value in given.items() if value is not None}
    line = _LaterLine(signatures, {**chosen, "plausible": plausible}, steps)
    try:
        for events in Batches(core, engine, sources, outcome):
            line.step(events)
            if progress:
                progress(core.stats().get("source_bytes", 0))
    except KeyboardInterrupt:
        outcome.interrupted = True
    if line.is_there:
        _sort(outcome, line.pipeline.finish())
    outcome.counters = core.stats()
    core.close()
    outcome.lines = dict(line.pipeline.counters) if line.is_there else LaterCounters(lambda: line.pipeline.counters)
    outcome.chunks_off_clock = outcome.lines.get("chunks_off_clock", 0) if line.is_there else 0
    place = {source: index for index, source in enumerate(sources)}
    outcome.problems.sort(key=lambda problem: place.get(problem.source, -1))
    return outcome


class LaterCounters(Mapping[str, int]):
    """Counters that are counted when they are asked for."""

    def __init__(self, count: Callable[[], dict[str, int]]) -> None:
        self._count = count

    def __getitem__(self, name: str) -> int:
        return self._count()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._count())

    def __len__(self) -> int:
        return len(self._count())


class _LaterLine:
    """The line over events, made and imported for the first one that matters: while captures only end there is nothing
    to read, and to begin with all that reads takes longer than the captures."""

    def __init__(self, signatures: SignatureSource, given: Mapping[str, Any], steps: CaptureSteps | None) -> None:
        self._signatures, self._given, self._steps = signatures, given, steps
        self._pipeline: Pipeline | None = None
        self._stepper: CaptureStepper | None = None
        self._ended: list[Event] = []

    @property
    def is_there(self) -> bool:
        """Whether anything came that matters."""
        return self._pipeline is not None

    @property
    def pipeline(self) -> Pipeline:
        """The line, with all that came before."""
        if self._pipeline is None:
            signatures = self._signatures.loaded()
            from sensor.line.pipeline import Pipeline

            self._pipeline = Pipeline(signatures, **self._given)
            self._pipeline.step(self._ended)
        return self._pipeline

    def step(self, events: Sequence[Event]) -> None:
        """Take events in their order."""
        if self._steps is not None:  # a ledger hears of each capture
            self._recorder(self._steps).step(events)
        elif self.is_there or not all(isinstance(event, End) for event in events):
            self.pipeline.step(events)
        else:
            self._ended += events

    def _recorder(self, steps: CaptureSteps) -> CaptureStepper:
        if self._stepper is None:
            from sensor.line.capture_steps import CaptureStepper

            self._stepper = CaptureStepper(self.pipeline, steps)
        return self._stepper


class Batches:
    """All event batches of all sources: sources are opened a few ahead of the one being read."""

    def __init__(self, core: PacketCore, engine: Engine, sources: Sequence[str], outcome: ReplayResult) -> None:
        self.core, self.engine, self.outcome = core, engine, outcome
        self.waiting = list(reversed(sources))
        self.open = 0
        if not sources:
            core.finish()

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> list[Event]:
        self._attach()
        if self.core.finished:
            raise StopIteration
        events = self.core.poll(BATCH_EVENTS, WAIT_MS)
        for event in events:
            if isinstance(event, End):
                self._ended(event)
        return events

    def _attach(self) -> None:
        while self.waiting and self.open < AHEAD:
            source = self.waiting.pop()
            try:
                self.engine.attach(self.core, source)
                self.open += 1
            except SourceError as error:
                self.outcome.problems.append(Problem(error.source, error.reason))
            if not self.waiting:
                self.core.finish()

    def _ended(self, end: End) -> None:
        self.open -= 1
        self.outcome.sources += 1
        if end.error is not None:
            self.outcome.problems.append(Problem(end.source, end.error, end.offset, end.packets))


def _sort(outcome: ReplayResult, records: Sequence[Record]) -> None:
    """Put the newest state of each record where it belongs, by its identity. What became another finding was only of
    interest while it went on."""
    from sensor.model.finding import Finding
    from sensor.model.record import record_id, record_order

    found = {record_id(record): record for record in records}
    over = [name for name, record in found.items() if isinstance(record, Finding) and record.merged_into is not None]
    outcome.passed = [found.pop(name) for name in over]
    outcome.records = sorted(found.values(), key=record_order)
