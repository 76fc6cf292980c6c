"""The ways in which the same captures are read, by name. The first is what the others are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.province.build import Province
from tests.province.runs import Run, days_of

ONE_SITTING = "one replay"
DAILY_REPLAY, RESTARTED, KILLED = "a replay a day", "daemon, SIGTERM daily", "daemon, kill -9 daily"
HOURS_1, HOURS_6, HOURS_24 = "daemon, files of 1 h", "daemon, files of 6 h", "daemon, files of 24 h"
BACKLOG = "daemon, all files at once"
WRONG_REPLAY, WRONG_AMONG = "one replay, 1970 first and 2036 last", "one replay, 2036 and 1970 among"
WRONG_DAEMON = "daemon, 2036 and 1970 among"
#: What is read in pieces, or broken off, must come to the sums of one sitting.
PIECES = (DAILY_REPLAY, RESTARTED, KILLED)
#: What is only cut otherwise must come to the same bulletin.
CUTS = (HOURS_1, HOURS_6, HOURS_24, BACKLOG)
WRONG = {WRONG_REPLAY: ONE_SITTING, WRONG_AMONG: ONE_SITTING, WRONG_DAEMON: HOURS_6}  # and what they are compared with

Way = Callable[[str], Run]


def ways(province: Province, hours: int = 1) -> dict[str, Way]:
    """All ways; what is not about the cut reads files of so many hours."""
    runner, files, per_day = province.runner, province.files, 24 // hours
    daily = days_of(files[hours], per_day)
    return {
        ONE_SITTING: lambda name: runner.replayed(name, [files[1]]),
        DAILY_REPLAY: lambda name: runner.replayed(name, days_of(files[1], 24)),
        RESTARTED: lambda name: runner.watched(name, daily, restart=True),
        KILLED: lambda name: runner.killed(name, daily, "killed"),
        HOURS_1: lambda name: runner.watched(name, days_of(files[1], 24)),
        HOURS_6: lambda name: runner.watched(name, days_of(files[6], 4)),
        HOURS_24: lambda name: runner.watched(name, days_of(files[24], 1)),
        BACKLOG: lambda name: runner.watched(name, [files[hours]]),
        WRONG_REPLAY: lambda name: runner.replayed(name, [_by_name(files[1], province)], refusals=True),
        WRONG_AMONG: lambda name: runner.replayed(name, [_among(files[1], province)], refusals=True),
        WRONG_DAEMON: lambda name: runner.watched(name, days_of(_among(files[6], province), 4)),
    }


def begin(chosen: Mapping[str, Way], pool: ThreadPoolExecutor) -> dict[str, Future[Run]]:
    """Begin to go these ways, in their order; one that fails with RunError does not stop the others."""
    return {name: pool.submit(way, name) for name, way in chosen.items()}


def _among(files: Iterable[Path], province: Province) -> list[Path]:
    """The files with those of the wrong clocks where they really were."""
    return sorted([*files, *province.wrong.values()], key=lambda path: path.stat().st_mtime_ns)


def _by_name(files: Iterable[Path], province: Province) -> list[Path]:
    """The same as `minewatch replay` orders a folder: by the dates in their names, which are the clock's."""
    return sorted([*files, *province.wrong.values()], key=lambda path: path.name)
