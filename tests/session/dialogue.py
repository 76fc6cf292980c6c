"""Dialogues for tests: lines of `C ...` and `S ...` become events, and events become records."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, PathFacts
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.time import MINUTE_NS
from sensor.signatures import SignatureSet, load
from sensor.signatures.model import DialogueLine


@functools.cache
def shipped() -> SignatureSet:
    return load()


def lines(text: str) -> list[DialogueLine]:
    found = []
    for raw in text.strip().splitlines():
        side, _, rest = raw.strip().partition(" ")
        found.append(DialogueLine({"C": 0, "S": 1}[side], rest.encode() + b"\n"))
    return found


def events(text: str, **options: object) -> list[Event]:
    return list(dialogue_events(lines(text), **options))  # type: ignore[arg-type]


def run(stream: Iterable[Event]) -> tuple[list[Finding | Node], dict[str, int]]:
    pipeline = Pipeline(shipped())
    pipeline.step(list(stream))
    return pipeline.finish(), pipeline.counters


def findings(text: str, **options: object) -> list[Finding]:
    records, _ = run(events(text, **options))
    return [one for one in records if isinstance(one, Finding)]


def only(text: str, **options: object) -> Finding:
    found = findings(text, **options)
    assert len(found) == 1, [(one.dialect, one.login) for one in found]
    return found[0]


def unseen(stream: list[Event], direction: int) -> list[Event]:
    """The same flow captured without one direction, whose answers the other acknowledges, over a minute at least."""
    kept = [one for one in stream if not (isinstance(one, Chunk) and one.direction == direction)]
    closed = kept[-1]
    assert isinstance(closed, Close)
    packets = (0, closed.packets[1]) if direction == 0 else (closed.packets[0], 0)
    nobody, answered = PathFacts(0, 0, 0, 0), PathFacts(5, 400, 0, 0)
    paths = (nobody, answered) if direction == 0 else (answered, nobody)
    last_ns = max(closed.last_ns, closed.first_ns + MINUTE_NS)
    return [*kept[:-1], closed._replace(packets=packets, paths=paths, ts_ns=last_ns, last_ns=last_ns)]
