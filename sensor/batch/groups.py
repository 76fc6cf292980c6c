"""Which captures are one task: those of one folder, which are one sensor's, in order of their time; or each by itself.

Connections and findings go on from one capture of a task to the next. From one task to another nothing is carried; what
that leaves in parts, `merge` counts. Knows paths and times; reads nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sensor.batch.task import CaptureTask
from sensor.intake.clock import off_clock
from sensor.model.time import PlausibleTime

Grouping = Literal["folder", "file"]


def tasks_of(sources: Sequence[str], starts: Sequence[int | None], by: Grouping) -> list[CaptureTask]:
    """The tasks, in the order in which the first capture of each is named. `starts` is when each capture begins; where
    that is not known, it comes last."""
    if by == "file":
        groups = [[at] for at in range(len(sources))]
    else:
        groups = [sorted(group, key=lambda at: _when(starts, at)) for group in _folders(sources)]
    return [CaptureTask(number, tuple(sources[at] for at in group)) for number, group in enumerate(groups)]


def borders(tasks: Sequence[CaptureTask]) -> int:
    """How many borders between captures of one folder are borders of tasks, too: what crosses them is not carried."""
    parts = Counter(folder for task in tasks for folder in {_folder(source) for source in task.sources})
    return sum(parts.values()) - len(parts)


def refused(sources: Sequence[str], starts: Sequence[int | None], plausible: PlausibleTime) -> dict[int, str]:
    """Which captures are of a time that cannot be, and why: by the clock, or by others of their folder. Where that is
    all of them, or there is one alone, none is refused."""
    reasons: dict[int, str] = {}
    for group in _folders(sources):
        found = off_clock([starts[at] for at in group], plausible)
        reasons.update({group[at]: why for at, why in found.items()})
    return {} if len(reasons) == len(sources) or len(sources) < 2 else reasons


def _folders(sources: Sequence[str]) -> list[list[int]]:
    """The places of the sources by their folder."""
    groups: dict[Path, list[int]] = {}
    for at, source in enumerate(sources):
        groups.setdefault(_folder(source), []).append(at)
    return list(groups.values())


def _folder(source: str) -> Path:
    return Path(source).parent.resolve()


def _when(starts: Sequence[int | None], at: int) -> tuple[bool, int, int]:
    start_ns = starts[at]
    return start_ns is None, start_ns or 0, at
