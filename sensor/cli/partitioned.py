"""A replay in independent tasks: `--engine processes` on this host, `--engine spark` on a cluster. What a task is, and
how results become one, is the batch's.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.batch.groups import refused, tasks_of
from sensor.batch.merge import TaskResults
from sensor.batch.processes import read_in_processes
from sensor.batch.task import CaptureTask, ReadingPlan, TaskResult, signatures_key
from sensor.cli import terminal
from sensor.cli.frame import CommandError, exit_on, os_reason, say
from sensor.intake.clock import first_packet_ns
from sensor.intake.engine import Engine
from sensor.intake.sources import STDIN, Problem, size
from sensor.model.exit_codes import CONFIG, RUN_ERROR, USAGE
from sensor.model.time import PlausibleTime
from sensor.signatures.signature_error import SignatureError

if TYPE_CHECKING:
    from sensor.cli.replay_settings import ReplaySettings
    from sensor.line.judged_session import BehaviourRules
    from sensor.line.replay import ReplayResult

#: What is said where captures of one sensor are in several tasks, and where tasks prove not to be independent.
BORDERS = "{borders} borders between captures of one folder are borders of tasks: no connection is carried across them"
DIVIDED = (
    "{findings} findings and {connections} connections stand in several tasks, and each task tells its part of them: "
    "nothing is carried from one to another"
)


class PartitionedReplay:
    """One replay in tasks, from its options to its result."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Raises CommandError for what tasks cannot do."""
        self._options, self._where = options, options.engine
        if options.ledger is not None:
            sentence = "not with --ledger, which is told hour by hour in one sitting"
            raise CommandError(USAGE, f"--engine {self._where}: {sentence}")
        if STDIN in options.paths:
            raise CommandError(USAGE, f"--engine {self._where}: standard input is no file that a worker could open")
        if self._where == "spark":
            self._require_spark()
        #: How many processes read at once: as asked for, else as there are processors for this one.
        self.processes = 1 if self._where == "spark" else int(options.jobs or len(os.sched_getaffinity(0)))
        self.sources: list[str] = []  # those that are read
        self.refused: list[Problem] = []  # those that are not
        self._tasks: list[CaptureTask] = []

    def _require_spark(self) -> None:
        if self._options.jobs is not None:
            raise CommandError(USAGE, "--engine spark: not with -j: Spark's own settings say how much it uses")
        from sensor.batch.spark import SparkError, require_spark

        with self._sentence(SparkError):
            require_spark()

    def split(self, sources: Sequence[str], plausible: PlausibleTime) -> None:
        """Make the tasks. Captures of a time that cannot be are in none."""
        starts = [first_packet_ns(source, plausible) for source in sources]
        reasons = refused(sources, starts, plausible)
        places = [at for at in range(len(sources)) if at not in reasons]
        self.refused = [Problem(sources[at], f"{why}; it is not read") for at, why in reasons.items()]
        self.sources = [sources[at] for at in places]
        self._tasks = tasks_of(self.sources, [starts[at] for at in places], self._options.tasks or "folder")

    def read(self, settings: ReplaySettings, engine: Engine, rules: BehaviourRules | None) -> ReplayResult:
        """Read all tasks and put their results together. An interrupt ends the reading; what was found so far is kept.
        Raises CommandError."""
        plan = _plan(settings, engine, rules)
        results, done_bytes, interrupted = TaskResults(self._tasks), 0, False
        began = time.perf_counter()
        with terminal.replay_progress(self.sources, show=not self._options.quiet) as advance:
            try:
                with closing(self._results(plan)) as arriving:
                    for result in arriving:
                        if results.add(result) and advance:
                            done_bytes += sum(size(source) or 0 for source in self._tasks[result.number].sources)
                            advance(done_bytes)
            except KeyboardInterrupt:
                interrupted = True
        outcome = results.outcome(self.sources)
        outcome.seconds, outcome.interrupted = time.perf_counter() - began, interrupted
        _say_what_is_not_carried(outcome.counters)
        return outcome

    def _results(self, plan: ReadingPlan) -> Generator[TaskResult, None, None]:
        if self._where != "spark":
            try:
                yield from read_in_processes(plan, self._tasks, self.processes)
            except OSError as error:
                sentence = f"--engine {self._where}: a worker cannot be started: {os_reason(error)}"
                raise CommandError(RUN_ERROR, sentence) from None
            return
        from sensor.batch.spark import SparkError, read_by_spark

        with self._sentence(SparkError):
            yield from read_by_spark(plan, self._tasks)

    @contextmanager
    def _sentence(self, error: type[Exception]) -> Iterator[None]:
        try:
            yield
        except error as problem:
            raise CommandError(RUN_ERROR, f"--engine {self._where}: {problem}") from None


def _say_what_is_not_carried(counters: Mapping[str, int]) -> None:
    if counters["tasks_borders"]:
        say(BORDERS.format(borders=counters["tasks_borders"]))
    findings, connections = counters["tasks_divided_findings"], counters["tasks_divided_connections"]
    if findings or connections:
        say(DIVIDED.format(findings=findings, connections=connections))


def _plan(settings: ReplaySettings, engine: Engine, rules: BehaviourRules | None) -> ReadingPlan:
    files, lists = tuple(settings.signature_files), tuple(settings.host_lists)
    with exit_on(SignatureError, code=CONFIG):
        key = signatures_key(files, lists)
    return ReadingPlan(
        folder=str(Path.cwd()),
        engine="compiled" if engine.name == "compiled" else "reference",
        limits={"workers": 1, **settings.limits},
        signatures_key=key,
        signature_files=files,
        host_lists=lists,
        sampling=settings.sampling,
        assumptions=settings.assumptions,
        behaviour=rules,
    )
