"""The files that a replay writes besides its summary: events, the page, the bundle. They are opened before anything is read, so that a
wrong place is told at once and no input is overwritten.

What stands in them is the exporters' matter; this knows places, and that what is to be handed on is redacted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sensor.intake.sources import STDIN
from sensor.model.exit_codes import RUN_ERROR, USAGE
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.version import VERSION

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.line.replay import ReplayResult


class Unwritable(Exception):  # noqa: N818
    """A place that cannot be written to, or must not be: the sentence, and the exit code."""

    def __init__(self, sentence: str, code: int = RUN_ERROR) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class Output:
    """One open file; `flag` is what asked for it."""

    flag: str
    target: str
    file: IO[str]

    @property
    def on_stdout(self) -> bool:
        """Whether nothing else may go to standard output."""
        return self.target == STDIN

    def write(self, pieces: Iterable[str]) -> None:
        """Write all and close. Raises Unwritable; a reader that went away stays a BrokenPipeError."""
        try:
            for piece in pieces:
                self.file.write(piece)
            self.file.flush()
            if not self.on_stdout:
                self.file.close()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _refused(self.flag, self.target, error) from None


def opened(targets: Mapping[str, str | None], inputs: Sequence[str]) -> list[Output]:
    """Open what is asked for, by flag. Raises Unwritable, and then has changed no input and no other of the outputs' files twice."""
    wanted = {flag: target for flag, target in targets.items() if target is not None}
    places: dict[object, str] = {}
    for flag, target in wanted.items():
        path = Path(target)
        for source in inputs:
            if target != STDIN and path.exists() and Path(source).exists() and path.samefile(source):
                raise Unwritable(f"{flag} {target}: this is the input {source}; it would be overwritten", USAGE)
        place = STDIN if target == STDIN else path.resolve()
        if place in places:
            raise Unwritable(f"{flag} {target}: {places[place]} writes there already", USAGE)
        places[place] = flag
    return [Output(flag, target, _open(flag, target)) for flag, target in wanted.items()]


def events(outcome: ReplayResult, settings: Configuration, engine: str) -> Iterator[str]:
    """Every record as one line of JSON, with the counters where asked."""
    from exporters.forms.event import dumps, encode, encode_stats

    for record in _records(outcome, settings):
        yield dumps(encode(record)) + "\n"
    if settings.output.stats:
        counters = {**{f"line_{name}": value for name, value in outcome.lines.items()}, **outcome.counters}
        yield dumps(encode_stats(counters, counters.get("last_packet_ns", 0), engine)) + "\n"


def page(outcome: ReplayResult, settings: Configuration, engine: str, sources: Sequence[str]) -> Iterable[str]:
    """The page to look at."""
    from exporters.forms.report.page import ReplayResult, write
    from exporters.forms.table import Trouble

    records = _records(outcome, settings)
    return write(
        ReplayResult(
            findings=[one for one in records if isinstance(one, Finding)],
            nodes=[one for one in records if isinstance(one, Node)],
            troubles=[Trouble(item.source, item.reason, item.offset, item.packets) for item in outcome.problems],
            sources=sources,
            counters=outcome.counters,
            lines=outcome.lines,
            capture_loss=outcome.capture_loss,
            maker=f"minewatch {VERSION}, {engine} engine",
            interrupted=outcome.interrupted,
            redacted=settings.output.redact,
        )
    )


def bundle(outcome: ReplayResult, settings: Configuration) -> Iterable[str]:
    """The findings as a STIX bundle."""
    from exporters.forms.stix import dumps, encode

    return [dumps(encode([one for one in _records(outcome, settings) if isinstance(one, Finding)]))]


def _records(outcome: ReplayResult, settings: Configuration) -> list[Finding | Node]:
    from exporters.redaction.finding import redacted

    hide = settings.output.redact
    return [redacted(record) if hide and isinstance(record, Finding) else record for record in outcome.records]


def _open(flag: str, target: str) -> IO[str]:
    if target == STDIN:
        return sys.stdout
    try:
        return Path(target).open("w", encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise _refused(flag, target, error) from None


def _refused(flag: str, target: str, error: OSError) -> Unwritable:
    return Unwritable(f"{flag} {target}: cannot be written: {(error.strerror or str(error)).lower()}")
