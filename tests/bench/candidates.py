"""`python -m tests.bench.candidates CAPTURE ...`: which gates open in captures, and how many of them for nothing.

A candidate is of use if a dialect recognised a message in it, a wrapping was read past, a node was recognised, or it
has part in a finding; and it mines if it is so by a message or a finding. Each is told by what opened it: an opening
or a literal with the signatures that have it, sizes of first flights, or "missing start". Beside it stand the chunks'
bytes that Python was given, and the CPU time that the Python middle took for candidates (names and encrypted sessions
are not in it). `--json` gives the same for programs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sensor import signatures
from sensor.intake.engine import load
from sensor.line.ended import Ended
from sensor.line.lifecycle import Identified
from sensor.line.open_flow import OpenFlow, node_seen
from sensor.line.pipeline import Pipeline
from sensor.line.replay import Batches, ReplayResult
from sensor.model.events import Chunk, Close, Event, Hit, Open, Shape
from sensor.model.gate_opening import GateOpening
from sensor.signatures.model import SignatureSet

MISSING_START = "missing start"
CANDIDATES_EVENTS = (Open, Chunk, Hit, Shape, Close)
#: As `minewatch replay` with one worker.
LIMITS = {"workers": 1}


@dataclass
class Opened:
    """Candidates that the same thing opened."""

    candidates: int = 0
    useful: int = 0
    mining: int = 0
    chunk_bytes: int = 0


@dataclass
class Tally:
    """What came of the gates of one capture."""

    by_cause: dict[str, Opened] = field(default_factory=dict)
    middle_s: float = 0.0

    @property
    def candidates(self) -> int:
        """All gates that opened."""
        return sum(one.candidates for one in self.by_cause.values())

    @property
    def useful(self) -> int:
        """Those of use."""
        return sum(one.useful for one in self.by_cause.values())

    @property
    def mining(self) -> int:
        """Those that mine."""
        return sum(one.mining for one in self.by_cause.values())

    @property
    def useless_share(self) -> float:
        """The share of gates that opened for nothing."""
        return 1 - self.useful / self.candidates if self.candidates else 0.0


class Causes:
    """What opened a gate, by the first events of its flow."""

    def __init__(self, known: SignatureSet) -> None:
        self._openings = [(opening, _owners(known, opening)) for opening in known.openings]
        self._literals = [
            f"literal {literal.decode('latin-1')!r}" if literal.isascii() else f"literal {literal.hex(' ')}"
            for literal in known.literals
        ]

    def of(self, opened: Open, first: Sequence[Event]) -> str:
        """The cause, by what came after an Open until its first Chunk or Shape."""
        last = first[-1]
        if isinstance(last, Shape):
            return f"flights {last.shape}"
        if isinstance(last, Chunk) and last.offset == 0 and not last.gap:
            for opening, name in self._openings:
                if opening.fits(opened.proto, last.data):
                    return name
        hits = [self._literals[event.literal] for event in first if isinstance(event, Hit)]
        return hits[0] if hits else MISSING_START


def _owners(known: SignatureSet, opening: GateOpening) -> str:
    """An opening for people, with the signatures that have it."""
    names = [header.name for header in known.headers if opening in header.gate.openings]
    return f"{', '.join(names)}: {' '.join(_byte(*pair) for pair in opening.pattern)}"


def _byte(low: int, high: int) -> str:
    if low == high:
        return f"{low:02x}"
    return "??" if (low, high) == (0, 255) else f"{low:02x}-{high:02x}"


class Watched(Pipeline):
    """The line, with an eye on what opened each flow and what came of it."""

    def __init__(self, known: SignatureSet) -> None:
        super().__init__(known)
        self.tally = Tally()
        self._known = known
        self._causes = Causes(known)
        self._fresh: dict[int, tuple[Open, list[Event]]] = {}
        self._of_flow: dict[int, Opened] = {}
        self._contributing: set[int] = set()  # flows with part in a finding

    def watch(self, events: Sequence[Event]) -> None:
        """Take events as `step` does."""
        for event in events:
            if isinstance(event, Open):
                self._fresh[event.flow] = (event, [])
            elif isinstance(event, Hit | Chunk | Shape | Close):
                self._note(event)
        for is_candidates, some in groupby(events, lambda event: isinstance(event, CANDIDATES_EVENTS)):
            began = time.thread_time()
            self.step(some)
            self.tally.middle_s += time.thread_time() - began if is_candidates else 0.0

    def _note(self, event: Hit | Chunk | Shape | Close) -> None:
        fresh = self._fresh.get(event.flow)
        if fresh is not None:
            opened, first = fresh
            first.append(event)
            if not isinstance(event, Hit):
                del self._fresh[event.flow]
                gates = self.tally.by_cause.setdefault(self._causes.of(opened, first), Opened())
                gates.candidates += 1
                self._of_flow[event.flow] = gates
        if isinstance(event, Chunk) and event.flow in self._of_flow:
            self._of_flow[event.flow].chunk_bytes += len(event.data)

    def _end(self, number: int, flow: OpenFlow, closed: Close | None, *, given_up: bool = False) -> None:
        super()._end(number, flow, closed, given_up=given_up)
        gates = self._of_flow.pop(number, None)
        if gates is not None:
            mines = number in self._contributing or bool(flow.heard.readings)
            gates.mining += mines
            gates.useful += mines or self._is_useful(flow)
            self._contributing.discard(number)

    def _contribute(self, ended: Ended) -> Sequence[Identified]:
        contributed = super()._contribute(ended)
        if contributed:
            self._contributing.add(ended.number)
        return contributed

    def _is_useful(self, flow: OpenFlow) -> bool:
        return flow.conversation.carriage.transport != "tcp" or node_seen(self._known, flow) is not None


def look(capture: Path) -> Tally:
    """The gates of one capture."""
    known, engine = signatures.load(), load("compiled")
    core = engine.core_of(known, LIMITS)
    line = Watched(known)
    for events in Batches(core, engine, [str(capture)], ReplayResult()):
        line.watch(events)
    began = time.thread_time()
    line.finish()
    line.tally.middle_s += time.thread_time() - began
    core.close()
    return line.tally


def rows(tally: Tally) -> Iterator[tuple[str, Opened]]:
    """The causes, the most wasteful first."""
    return iter(sorted(tally.by_cause.items(), key=lambda row: (row[1].useful - row[1].candidates, row[0])))


def main(words: Sequence[str]) -> None:
    """Look at captures and print what their gates were good for."""
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    for word in (word for word in words if word != "--json"):
        tally = look(Path(word))
        summary = (
            f"{word}: {tally.candidates:,} candidates, {tally.useful:,} of use ({tally.mining:,} mine), "
            f"{tally.useless_share:.1%} useless, middle {tally.middle_s:.2f} s of CPU"
        )
        if "--json" in words:
            found = {name: asdict(one) for name, one in rows(tally)}
            print(json.dumps({"capture": word, "useless": tally.useless_share, "middle": tally.middle_s, **found}))
            continue
        table = Table(title=summary, title_justify="left")
        for column in ("opened by", "candidates", "of use", "mine", "useless", "chunk bytes"):
            table.add_column(column, justify="left" if column == "opened by" else "right", no_wrap=True)
        for name, one in rows(tally):
            useless = one.candidates - one.useful
            figures = (one.candidates, one.useful, one.mining, useless, one.chunk_bytes)
            table.add_row(name, *(f"{figure:,}" for figure in figures))
        console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
