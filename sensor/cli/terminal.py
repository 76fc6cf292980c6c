"""What a person at a terminal sees: progress bars, and at the end of a replay its summary and problems.

It chooses the stream and its width; what the summary looks like is the exporter's.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from exporters.forms.closing import NO_MINING, Run, closing_text
from sensor.cli.frame import AdvanceFile, say
from sensor.intake.sources import size

if TYPE_CHECKING:
    from sensor.line.replay import ReplayResult

#: Into a pipe or a file there is no width to fit; this one has room for the reasons.
PIPED_WIDTH = 160
#: Variables by which the library that draws takes anything for a terminal (rich.console).
FORCED_COLOURS = frozenset(("FORCE_COLOR", "TTY_COMPATIBLE"))
#: Called with the bytes that are read.
Advance = Callable[[int], None]


@contextmanager
def replay_progress(sources: Sequence[str], *, show: bool) -> Iterator[Advance | None]:
    """A bar of bytes on standard error, on a terminal only; gone when the reading is over."""
    if not show or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    sizes = [size(source) for source in sources]
    total = None if None in sizes else sum(item or 0 for item in sizes)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def book_progress(show: bool) -> Iterator[AdvanceFile | None]:
    """A bar for each book that is read, on standard error, on a terminal only."""
    if not show or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def advance(path: str, done: int, size: int) -> None:
            if path not in tasks:
                tasks[path] = bar.add_task(Path(path).name, total=size or None)
            bar.update(tasks[path], completed=done)

        yield advance


def show_summary(
    outcome: ReplayResult, engine: str, workers: int, options: argparse.Namespace, eve_on_stdout: bool
) -> None:
    """Say what could not be read, and show the summary: on standard error if events are on standard output."""
    stream: IO[str] = sys.stderr if eve_on_stdout else sys.stdout
    shown = (
        not options.quiet and (outcome.sources > 0 or outcome.interrupted) and (not eve_on_stdout or stream.isatty())
    )
    # On one terminal the table of problems says it all; anywhere else each problem is a line on standard error.
    if not (shown and stream.isatty() and sys.stderr.isatty()):
        for problem in outcome.problems:
            say(str(problem))
    if shown:
        _draw(stream, outcome, engine, workers, options.verbose)


def _draw(stream: IO[str], outcome: ReplayResult, engine: str, workers: int, verbose: int) -> None:
    counters = outcome.counters
    run = Run(
        engine=engine,
        workers=workers,
        sources=outcome.sources,
        packets=counters.get("packets", 0),
        bytes=counters.get("bytes", 0),
        flows=counters.get("flows_opened", 0),
        seconds=outcome.seconds,
        capture_loss=outcome.capture_loss,
        interrupted=outcome.interrupted,
    )
    if not (outcome.records or outcome.problems or verbose) and _is_plain(stream):
        closing = closing_text(run)
        if len(closing) <= _piped_width():  # nothing to draw: the library that draws is slow to import
            stream.write(f"{NO_MINING}\n\n{closing}\n")
            return
    from rich.console import Console

    from exporters.forms import table

    width = None if stream.isatty() else _piped_width()
    console = Console(file=stream, width=width, highlight=False, soft_wrap=False, emoji=False, markup=False)
    troubles = [table.Trouble(item.source, item.reason, item.offset, item.packets) for item in outcome.problems]
    table.render(console, outcome.findings, outcome.nodes, troubles, run, everything=verbose > 0)
    if verbose:
        for part, moved in (("core", counters), ("line", outcome.lines)):
            figures = [f"{name} {value:,}" for name, value in sorted(moved.items()) if value]
            console.print(f"{part}: {', '.join(figures)}", style="dim")


def _is_plain(stream: IO[str]) -> bool:
    """Whether nothing is drawn there in colours: it is no terminal, and nobody asks for colours all the same."""
    return not stream.isatty() and FORCED_COLOURS.isdisjoint(os.environ)


def _piped_width() -> int:
    """COLUMNS where it is set, else enough for everything on one row."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) >= 40 else PIPED_WIDTH
