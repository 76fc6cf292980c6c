"""Results of tasks as one, the same in whatever order they come and however often: by the number of the task, then by
the identity of each event.

Pure. What lies in several tasks is counted, for no task knows of another: a finding of which each has its part, and a
connection of which each has seen some.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sensor.batch.groups import borders
from sensor.batch.task import CaptureTask, TaskResult, failed
from sensor.intake.sources import Problem
from sensor.line.replay import ReplayResult
from sensor.model.finding import Finding
from sensor.model.record import Record, event_id, record_id, record_order

#: Of times the latest is taken, not the sum.
LATEST = frozenset({"last_packet_ns"})
UNREAD = "it was not read: the run was interrupted"
DIFFERENT = "read twice, and the two results differ; the first is taken"


class TaskResults:
    """Collects the results of the tasks of one run."""

    def __init__(self, tasks: Sequence[CaptureTask]) -> None:
        self._tasks = {task.number: task for task in tasks}
        self._results: dict[int, TaskResult] = {}
        self._repeated = 0
        self._differing: list[int] = []

    def add(self, result: TaskResult) -> bool:
        """Take a result; False, and nothing changes, where there is one of that task already."""
        before = self._results.get(result.number)
        if before is None:
            self._results[result.number] = result
            return True
        self._repeated += 1
        if before != result:
            self._differing.append(result.number)
        return False

    def outcome(self, sources: Sequence[str] = ()) -> ReplayResult:
        """All results so far as that of one replay, problems in the order of these sources. A task without a result is
        a problem of each of its captures."""
        missing = [failed(task, UNREAD) for number, task in self._tasks.items() if number not in self._results]
        results = sorted([*self._results.values(), *missing], key=lambda result: result.number)
        records = _once(results)
        problems = [problem for result in results for problem in result.problems]
        problems += [
            Problem(path, DIFFERENT) for number in sorted(set(self._differing)) for path in self._tasks[number].sources
        ]
        place = {source: at for at, source in enumerate(sources)}
        problems.sort(key=lambda problem: place.get(problem.source, -1))
        return ReplayResult(
            records=records,
            problems=problems,
            counters={**_summed(result.counters for result in results), **self._counters(results, records)},
            lines=_summed(result.lines for result in results),
            chunks_off_clock=sum(result.lines.get("chunks_off_clock", 0) for result in results),
            sources=sum(result.sources for result in results),
        )

    def _counters(self, results: Sequence[TaskResult], records: Sequence[Record]) -> dict[str, int]:
        """What is only said of a run in tasks."""
        return {
            "tasks": len(results),
            "tasks_unread": sum(not result.sources for result in results),
            "tasks_repeated": self._repeated,
            "tasks_borders": borders(list(self._tasks.values())),
            "tasks_same_events": sum(len(result.records) for result in results) - len(records),
            "tasks_divided_findings": _divided(
                [{record_id(record) for record in result.records} for result in results]
            ),
            "tasks_divided_connections": _divided([_connections(result.records) for result in results]),
        }


def _once(results: Iterable[TaskResult]) -> list[Record]:
    """Each event once, in the order of a replay; of equal ones that of the first task."""
    events: dict[str, Record] = {}
    for result in results:
        for record in result.records:
            events.setdefault(event_id(record), record)
    return [events[name] for name in sorted(events, key=lambda name: (record_order(events[name]), name))]


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counters of all; of times the latest."""
    total: Counter[str] = Counter()
    for part in counts:
        for name, count in part.items():
            total[name] = max(total[name], count) if name in LATEST else total[name] + count
    return dict(total)


def _connections(records: Iterable[Record]) -> set[str]:
    """The connections that findings list, by both ends."""
    return {flow.key.community_id for record in records if isinstance(record, Finding) for flow in record.flows}


def _divided(parts: Iterable[set[str]]) -> int:
    """How many identities stand in more than one part."""
    return sum(count > 1 for count in Counter(name for part in parts for name in part).values())
