"""The files that a replay writes besides its summary: events, as lines and as a table, the page, the bundle.

They are opened before anything is read, so that a wrong path is reported at once and no input is overwritten. What
stands in them is the exporters' matter; this knows paths, and whether findings are redacted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sensor.cli.frame import os_reason
from sensor.cli.streams import private
from sensor.intake.sources import STDIN
from sensor.model.exit_codes import RUN_ERROR, USAGE
from sensor.model.version import VERSION

if TYPE_CHECKING:
    from sensor.cli.replay_settings import ReplaySettings
    from sensor.line.replay import ReplayResult
    from sensor.model.record import Record


#: What is no text, and cannot share standard output with any.
BINARY = frozenset({"--parquet"})


class UnwritableError(Exception):
    """A file that cannot be written, or must not be: the sentence, and the exit code."""

    def __init__(self, sentence: str, code: int = RUN_ERROR) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class OutputFile:
    """One open file, and the flag that asked for it."""

    flag: str
    target: str
    file: IO[Any]  # of text, or of bytes where the flag is one of BINARY

    @property
    def on_stdout(self) -> bool:
        """Whether nothing else may go to standard output."""
        return self.target == STDIN

    def write(self, pieces: Iterable[str]) -> None:
        """Write all and close. Raises UnwritableError; a reader that went away stays a BrokenPipeError."""

        def each(file: IO[Any]) -> None:
            for piece in pieces:
                file.write(piece)

        self.fill(each)

    def fill(self, write: Callable[[IO[Any]], None]) -> None:
        """Let `write` do it, and close. Raises as `write` does."""
        try:
            write(self.file)
            self.file.flush()
            if not self.on_stdout:
                self.file.close()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _refused(self.flag, self.target, error) from None


def open_all(targets: Mapping[str, str | None], inputs: Sequence[str]) -> list[OutputFile]:
    """Open a file for each flag that has a target; `-` is standard output.

    Raises UnwritableError for a path that cannot be written, is one of the inputs, or stands there for two flags.
    """
    requested = {flag: target for flag, target in targets.items() if target is not None}
    for flag in BINARY.intersection(requested):
        if requested[flag] == STDIN:
            raise UnwritableError(f"{flag} -: it needs a file, for it is no text", USAGE)
    places: dict[object, str] = {}
    for flag, target in requested.items():
        path = Path(target)
        for source in inputs:
            if target != STDIN and path.exists() and Path(source).exists() and path.samefile(source):
                raise UnwritableError(f"{flag} {target}: this is the input {source}; it would be overwritten", USAGE)
        place = STDIN if target == STDIN else path.resolve()
        if place in places:
            raise UnwritableError(f"{flag} {target}: {places[place]} writes there already", USAGE)
        places[place] = flag
    return [OutputFile(flag, target, _open(flag, target)) for flag, target in requested.items()]


def events(outcome: ReplayResult, settings: ReplaySettings, engine: str) -> Iterator[str]:
    """Every record as one line of JSON, with the counters where asked."""
    if not outcome.records and not settings.stats:
        return
    from exporters.forms.event import dumps

    for event in _events(outcome, settings, engine):
        yield dumps(event) + "\n"


def rows(outcome: ReplayResult, settings: ReplaySettings, engine: str) -> Callable[[IO[bytes]], None]:
    """What writes the same events as a table of Parquet."""
    from exporters.forms import parquet

    return lambda file: parquet.write(file, _events(outcome, settings, engine))


def _events(outcome: ReplayResult, settings: ReplaySettings, engine: str) -> Iterator[dict[str, object]]:
    from exporters.forms.event import encode, encode_stats

    for record in _records(outcome, settings):
        yield encode(record)
    if settings.stats:
        counters = {**{f"line_{name}": value for name, value in outcome.lines.items()}, **outcome.counters}
        yield encode_stats(counters, counters.get("last_packet_ns", 0), engine)


def page(outcome: ReplayResult, settings: ReplaySettings, engine: str, sources: Sequence[str]) -> Iterable[str]:
    """The page to look at; by now `settings.language` is the name of a language."""
    from exporters.forms.report.page import PageContent, write
    from exporters.forms.table import Trouble
    from sensor.model.finding import Finding

    records = _records(outcome, settings)
    return write(
        PageContent(
            findings=[record for record in records if isinstance(record, Finding)],
            nodes=outcome.nodes,
            troubles=[
                Trouble(problem.source, problem.reason, problem.offset, problem.packets) for problem in outcome.problems
            ],
            sources=sources,
            counters=outcome.counters,
            lines=outcome.lines,
            capture_loss=outcome.capture_loss,
            maker=f"minewatch {VERSION}, {engine} engine",
            interrupted=outcome.interrupted,
            redacted=settings.redact,
            language=settings.language,
        )
    )


def bundle(outcome: ReplayResult, settings: ReplaySettings) -> Iterable[str]:
    """The findings as a STIX bundle."""
    from exporters.forms.stix import dumps, encode
    from sensor.model.finding import Finding

    findings = [record for record in _records(outcome, settings) if isinstance(record, Finding)]
    return [dumps(encode(findings))]


def _records(outcome: ReplayResult, settings: ReplaySettings) -> list[Record]:
    if not settings.redact:
        return outcome.records
    from exporters.redaction.finding import redacted
    from sensor.model.finding import Finding

    return [redacted(record) if isinstance(record, Finding) else record for record in outcome.records]


def _open(flag: str, target: str) -> IO[Any]:
    if target == STDIN:
        return sys.stdout
    try:
        if flag in BINARY:
            return open(target, "wb", opener=private)
        return open(target, "w", encoding="utf-8", errors="replace", newline="\n", opener=private)
    except OSError as error:
        raise _refused(flag, target, error) from None


def _refused(flag: str, target: str, error: OSError) -> UnwritableError:
    return UnwritableError(f"{flag} {target}: cannot be written: {os_reason(error)}")
