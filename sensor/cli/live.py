"""What a person sees while the sensor runs: a row for each finding that opens or changes, a line that says how it
stands, and the summary at the end.

A thread of its own writes: a terminal that stands still (Ctrl-S, a pager) must not stop the line. Rows it has no room
for are counted.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from exporters.forms import table
from exporters.forms.amounts import counted, digits, duration, prefixed, quantity, rate_unit, size
from exporters.forms.sentence import sentence
from sensor.daemon.journal import goes_to_journal
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record
from sensor.model.status import Status
from sensor.model.time import SECOND_NS, second_text

if TYPE_CHECKING:
    from sensor.daemon.setup import Setup

#: Rows that wait for a terminal, findings (without connections and evidence, a few kilobytes each) that are kept for
#: the summary, and rows a minute.
MOST_WAITING, MOST_KEPT, MOST_ROWS = 1_000, 2_000, 120
#: Seconds that the end waits for the terminal.
END_S = 2.0
#: Into a pipe or a file there is no width to fit.
PIPED_WIDTH = 160
#: What became of a finding, as a row says it.
CHANGES = {"opened": "new", "updated": "now", "closed": "end"}

Task = Callable[[], None]


def view(setup: Setup, engine: str, *, quiet: bool) -> LiveView | None:
    """The view of a sensor on standard output; None for a service, or where events go there."""
    eve = setup.config.exporters.get("eve", [])
    as_service = "NOTIFY_SOCKET" in os.environ or goes_to_journal(sys.stdout)
    if quiet or as_service or any(instance.path == "-" for instance in eve):
        return None
    capture = setup.config.capture
    sources = len(capture.interfaces) or 1
    noun = "interface" if capture.interfaces else "folder" if capture.folder is not None else "file"
    return LiveView(engine, setup.config.workers, sources, noun)


class ViewConsole(Console):
    """A console whose reader may go away without ending the process, as the library would have it."""

    def on_broken_pipe(self) -> None:
        """Leave it to whoever writes."""
        raise BrokenPipeError


class LiveView:
    """Fed by the line's thread; it never waits for the terminal."""

    def __init__(self, engine: str, workers: int, sources: int, noun: str, console: Console | None = None) -> None:
        self._engine, self._workers, self._sources, self._noun = engine, workers, sources, noun
        self._console = console if console is not None else _console()
        self._findings: dict[str, Finding] = {}
        self._nodes: dict[str, Node] = {}
        self._minute = self._rows = self._unshown = self._forgotten = 0
        self._tasks: queue.Queue[Task | None] = queue.Queue(MOST_WAITING)
        self._line = Live(Text(), console=self._console, auto_refresh=False, transient=True)
        self._thread = threading.Thread(target=self._write, name="view", daemon=True)

    def show(self, record: Record) -> None:
        """A finding that opened, changed or ended; a node, which only the summary names."""
        if isinstance(record, Node):
            if len(self._nodes) < MOST_KEPT or record.node_id in self._nodes:
                self._nodes[record.node_id] = record
        elif isinstance(record, Finding):
            self._show(record)

    def _show(self, finding: Finding) -> None:
        self._findings.pop(finding.finding_id, None)
        if finding.merged_into is not None:
            return
        self._findings[finding.finding_id] = replace(finding, flows=[], evidence=[], observations=(), timeline=None)
        if len(self._findings) > MOST_KEPT:
            del self._findings[next(iter(self._findings))]
            self._forgotten += 1
        minute = time.monotonic_ns() // (60 * SECOND_NS)
        if minute != self._minute:
            self._minute, self._rows = minute, 0
        self._rows += 1
        if self._rows > MOST_ROWS:
            self._unshown += 1
            return
        row = f"{second_text(finding.last_ns)[11:]} {CHANGES[finding.state]} {sentence(finding)}"
        self._put(lambda: self._console.print(Text(row), soft_wrap=True))

    def status(self, status: Status) -> None:
        """How the sensor stands; on a terminal the last line says it."""
        if self._console.is_terminal:
            line = Text(status_line(status, time.time_ns()), style="dim", no_wrap=True, overflow="ellipsis")
            self._put(lambda: self._line.update(line, refresh=True))

    def end(self, status: Status) -> None:
        """The summary, as a replay ends with it."""
        run = table.Run(
            engine=self._engine,
            workers=self._workers,
            sources=self._sources,
            packets=status.core.get("packets", 0),
            bytes=status.core.get("bytes", 0),
            flows=status.core.get("flows_opened", 0),
            seconds=(time.time_ns() - status.start_ns) / SECOND_NS,
            capture_loss=_loss(status),
            noun=self._noun,
        )
        findings, nodes = list(self._findings.values()), list(self._nodes.values())
        unshown, forgotten = self._unshown, self._forgotten

        def summary() -> None:
            self._line.stop()
            if forgotten:
                self._console.print(f"{counted(forgotten, 'finding')} not in this summary: the ledger has them")
            if unshown:
                self._console.print(f"{counted(unshown, 'row')} of findings not shown: too many at once")
            table.render(self._console, findings, nodes, [], run)

        self._begin()
        for task in (summary, None):
            try:
                self._tasks.put(task, timeout=END_S)
            except queue.Full:
                break
        self._thread.join(END_S)

    def _begin(self) -> None:
        """The thread begins with the first task: by then the process is in its sandbox, which threads inherit."""
        if self._thread.ident is None:
            self._thread.start()

    def _put(self, task: Task) -> None:
        self._begin()
        try:
            self._tasks.put_nowait(task)
        except queue.Full:
            self._unshown += 1

    def _write(self) -> None:
        """Until the end, or until nobody reads any more."""
        try:
            if self._console.is_terminal:
                self._line.start()
            while (task := self._tasks.get()) is not None:
                task()
        except (OSError, ValueError):  # the reader went away: the sensor goes on without a view
            while self._tasks.get() is not None:
                pass


def status_line(status: Status, now_ns: int) -> str:
    """`12,345 packets, 8.1 MB, 0 dropped, 45 flows, 3 findings, sha256d 95 TH/s, 3.2 kW, for 35 s`; what is wrong comes
    first."""
    core = status.core
    parts = [
        *status.troubles[:1],
        counted(core.get("packets", 0), "packet"),
        size(core.get("bytes", 0)),
        *([f"{core.get('kernel_dropped', 0):,} dropped"] if status.interfaces else []),
        counted(core.get("flows", 0), "flow"),
        counted(sum(status.findings_open.values()), "open finding"),
        *(_rate(name, bounds.best) for name, bounds in status.hashrate_hps.items()),
        *_power(status),
    ]
    return f"{', '.join(parts)}, for {duration((now_ns - status.start_ns) / SECOND_NS)}"


def _power(status: Status) -> list[str]:
    """The power of all; where that of some is not known, it is at least so much."""
    watts = sum(bounds.best for bounds in status.power_watts.values())
    partial = status.findings_unknown or set(status.hashrate_hps) - set(status.power_watts)
    return [f"{'at least ' if partial else ''}{quantity(watts, 'W')}"] if watts else []


def _rate(algorithm: str, hashrate_hps: float) -> str:
    scale, prefix = prefixed(hashrate_hps)
    return f"{algorithm} {digits(hashrate_hps / scale)} {prefix}{rate_unit(None)}"


def _loss(status: Status) -> float:
    received = status.core.get("kernel_received", 0)
    return status.core.get("kernel_dropped", 0) / received if received else 0.0


def _console() -> Console:
    columns = os.environ.get("COLUMNS", "")
    piped = int(columns) if columns.isdigit() and int(columns) >= 40 else PIPED_WIDTH
    width = None if sys.stdout.isatty() else piped
    return ViewConsole(file=sys.stdout, width=width, highlight=False, emoji=False, markup=False)
