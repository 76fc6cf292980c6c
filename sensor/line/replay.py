"""The line over stored captures: sources in, final records out, in an order that depends on the packets alone.

It owns the loop and nothing of its steps. A source that cannot be read is a problem with a name and a byte offset;
the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sensor.estimate import Assumptions
from sensor.intake.engine import Engine, PacketCore, SourceError
from sensor.intake.sources import Problem
from sensor.line.capture_steps import CaptureStepper, CaptureSteps
from sensor.line.judged_session import USUAL_RULES, BehaviourRules
from sensor.line.pipeline import Pipeline
from sensor.line.resumed import Resume, nothing_before
from sensor.model.events import End, Event
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record, record_id, record_order
from sensor.model.time import ANY_TIME, PlausibleTime
from sensor.session.verify import Sampling
from sensor.signatures import SignatureSet

#: Sources opened ahead of the one being read: enough that no thread waits for a file, few enough for any limit on open
#: files.
AHEAD = 4
#: Batches past 16 events gain nothing more; a big one keeps the share of calls small all the same.
BATCH_EVENTS, WAIT_MS = 1024, 100

SAMPLED, ASSUMED = Sampling(), Assumptions()

Progress = Callable[[int], None]


@dataclass
class ReplayResult:
    """What a replay found and how it went."""

    records: list[Record] = field(default_factory=list)
    passed: list[Record] = field(default_factory=list)  # findings that became others while it was read
    problems: list[Problem] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)  # the pipeline's counters
    sources: int = 0  # read to their end, or as far as possible
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def findings(self) -> list[Finding]:
        """The miners among the records."""
        return [record for record in self.records if isinstance(record, Finding)]

    @property
    def nodes(self) -> list[Node]:
        """The nodes among the records."""
        return [record for record in self.records if isinstance(record, Node)]

    @property
    def capture_loss(self) -> float:
        """Share of the candidates' stream bytes that were never seen."""
        missed, seen = self.counters.get("gap_bytes", 0), self.counters.get("chunk_bytes", 0)
        return missed / (missed + seen) if missed else 0.0


def replay(
    sources: Sequence[str],
    signatures: SignatureSet,
    engine: Engine,
    limits: Mapping[str, int],
    progress: Progress | None = None,
    *,
    sampling: Sampling = SAMPLED,
    assumptions: Assumptions = ASSUMED,
    steps: CaptureSteps | None = None,
    resume: Resume = nothing_before,
    plausible: PlausibleTime = ANY_TIME,
    behaviour: BehaviourRules = USUAL_RULES,
) -> ReplayResult:
    """Read the sources one after another and judge what they hold. An interrupt ends the reading; what was found so
    far is kept.

    `steps` hears of each hour that ends and each capture that was read; `resume` tells what was known of a connection
    before (`sensor/line/resumed.py`).
    """
    outcome = ReplayResult()
    core = engine.core(signatures.literals, signatures.openings, limits, signatures.flights)
    pipeline = Pipeline(
        signatures,
        sampling=sampling,
        assumptions=assumptions,
        resume=resume,
        plausible=plausible,
        behaviour=behaviour,
    )
    found: dict[str, Record] = {}
    stepper = None if steps is None else CaptureStepper(pipeline, steps)
    try:
        for events in Batches(core, engine, sources, outcome):
            (pipeline if stepper is None else stepper).step(events)
            if progress:
                progress(core.stats().get("source_bytes", 0))
    except KeyboardInterrupt:
        outcome.interrupted = True
    _keep(found, pipeline.finish())
    outcome.counters = core.stats()
    core.close()
    outcome.lines = dict(pipeline.counters)
    # What became another finding was only of interest while it went on.
    over = [name for name, record in found.items() if isinstance(record, Finding) and record.merged_into is not None]
    outcome.passed = [found.pop(name) for name in over]
    outcome.records = sorted(found.values(), key=record_order)
    place = {source: index for index, source in enumerate(sources)}
    outcome.problems.sort(key=lambda problem: place.get(problem.source, -1))
    return outcome


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


def _keep(found: dict[str, Record], records: Sequence[Record]) -> None:
    """The newest state of each record, by its identity."""
    for record in records:
        found[record_id(record)] = record
