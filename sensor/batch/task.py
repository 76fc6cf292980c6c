"""One task: captures that are read one after another, in the order in which they are named. Its result is what a replay
of them finds, and depends on nothing else, so a task that is read twice tells the same twice.

This is the code that runs in a worker, whoever started it; it knows neither processes nor clusters. Paths come in and
records go out, never what is in a capture.
"""

from __future__ import annotations

import functools
import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.intake.engine import EngineError, EngineName, load
from sensor.intake.sources import Problem
from sensor.line.replay import replay
from sensor.signatures import files, gate_file, source
from sensor.signatures.signature_error import SignatureError

if TYPE_CHECKING:
    from sensor.estimate import Assumptions
    from sensor.line.judged_session import BehaviourRules
    from sensor.model.record import Record
    from sensor.session.verify import Sampling

#: What is said of a worker that would read by something else than was asked for.
OTHER_SIGNATURES = (
    "the worker has another version of minewatch, or other signature files or lists of hosts, under the same paths"
)


@dataclass(frozen=True, slots=True)
class CaptureTask:
    """Captures to be read in one go, and which task of its run it is."""

    number: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """How all tasks of a run are read. What is None is as usual."""

    folder: str  # in which relative paths begin
    engine: EngineName
    limits: Mapping[str, int]
    signatures_key: str  # of the signatures that the run began with (`signatures_key`)
    signature_files: tuple[str, ...] = ()
    host_lists: tuple[str, ...] = ()
    sampling: Sampling | None = None
    assumptions: Assumptions | None = None
    behaviour: BehaviourRules | None = None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What one task found, and how it went."""

    number: int
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    counters: Mapping[str, int]
    lines: Mapping[str, int]
    sources: int = 0  # read to their end, or as far as possible


def failed(task: CaptureTask, reason: str) -> TaskResult:
    """The result of a task of which nothing was found out: each of its captures with the reason."""
    return TaskResult(task.number, (), tuple(Problem(path, reason) for path in task.sources), {}, {})


def signatures_key(signature_files: Sequence[str], host_lists: Sequence[str]) -> str:
    """A name of the version, the shipped signatures, these files and these lists. Raises SignatureError."""
    problems: list[str] = []
    texts = [*files.shipped(), *files.own([Path(name) for name in signature_files], problems)]
    for name in host_lists:
        try:
            texts.append((name, Path(name).read_text("utf-8", "surrogateescape")))
        except OSError as error:
            problems.append(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}")
    if problems:
        raise SignatureError(problems)
    return gate_file.key_of(texts)


class TaskReader:
    """Reads tasks by one plan, one after another; signatures and core are loaded once."""

    def __init__(self, plan: ReadingPlan) -> None:
        """Raises OSError, SignatureError and EngineError where this host has not what the plan names."""
        os.chdir(plan.folder)
        self._plan = plan
        self._engine = load(plan.engine)
        self._is_same = signatures_key(plan.signature_files, plan.host_lists) == plan.signatures_key
        lists = [Path(name) for name in plan.host_lists]
        self._signatures, _ = source.find([Path(name) for name in plan.signature_files], lists)

    def read(self, task: CaptureTask) -> TaskResult:
        """What a replay of the task's captures finds. Never raises for what is in them."""
        if not self._is_same:
            return failed(task, OTHER_SIGNATURES)
        plan = self._plan
        try:
            outcome = replay(
                task.sources,
                self._signatures,
                self._engine,
                plan.limits,
                sampling=plan.sampling,
                assumptions=plan.assumptions,
                behaviour=plan.behaviour,
            )
        except RuntimeError as error:
            return failed(task, f"the core stopped: {error}")
        return TaskResult(
            task.number,
            tuple(outcome.records),
            tuple(outcome.problems),
            outcome.counters,
            dict(outcome.lines),
            outcome.sources,
        )


def packed(plan: ReadingPlan) -> bytes:
    """A plan as it is handed to workers."""
    return pickle.dumps(plan)


def read_task(packed_plan: bytes, task: CaptureTask) -> TaskResult:
    """Read a task by a plan that the run itself packed. Whatever goes wrong is in the result."""
    try:
        return _reader(packed_plan).read(task)
    except (EngineError, SignatureError) as error:
        return failed(task, f"the worker cannot read it: {' '.join(str(error).splitlines())}")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return failed(task, f"the worker cannot read it: {place}{(error.strerror or str(error)).lower()}")
    except Exception as error:
        return failed(task, f"the worker failed: {type(error).__name__}: {error}")


@functools.lru_cache(maxsize=1)
def _reader(packed_plan: bytes) -> TaskReader:
    """The reader of a plan: a worker reads many tasks of one run."""
    plan: ReadingPlan = pickle.loads(packed_plan)
    return TaskReader(plan)
