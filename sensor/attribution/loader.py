"""Reads the books of a configuration into an Attributor, or says everything that is wrong with them.

The only part of attribution that knows the clock and which source reads which file; what is loaded is only asked from
then on.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sensor.attribution.answer.attributor import Attributor
from sensor.attribution.books.book import AttributionError, Books, Progress
from sensor.attribution.books.divisions import Divisions
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.settings import AttributionSettings, module


def load_books(
    settings: AttributionSettings, previous: Attributor | None = None, progress: Progress | None = None
) -> Attributor:
    """Read all sources and put them in order.

    A book that has less than half of the rows it had in `previous` is refused, unless its source says `allow_shrink`:
    half a book names wrong holders with confidence. Raises AttributionError with every problem at once; `previous`
    stays as it was.
    """
    problems: list[str] = []
    try:
        divisions = Divisions(Path(settings.divisions) if settings.divisions else None)
    except (OSError, ValueError) as error:
        problems.append(f"{settings.place('divisions')}: attribution.divisions: {_reason(error)}")
        divisions = Divisions()
    books = Books(divisions, progress)
    with _no_collector():
        for position, source in enumerate(settings.sources):
            _read(source, settings.place(position), books, problems)
        problems += _shrunk(books, previous)
        if problems:
            raise AttributionError(problems)
        points = [(point.interface, point.vlan, point.vrf) for point in settings.points]
        return Attributor(books, points, time.time_ns(), settings.proxies)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Books make millions of objects and no cycles: looking for these again and again took a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _read(source: SourceConfig, place: str, books: Books, problems: list[str]) -> None:
    """Let a source read its files; whatever hinders it is a sentence."""
    kind: str = getattr(source, "kind", "")
    if source.path and not files(source.path):
        problems.append(f"{place}: {source.path}: {_missing(source.path)}")
        return
    try:
        module(kind).load(source, books)
    except AttributionError as error:
        problems += [f"{place}: {text}" for text in error.problems]
    except OSError as error:
        problems.append(f"{place}: {error.filename or source.path}: {_reason(error)}")


def _shrunk(books: Books, previous: Attributor | None) -> list[str]:
    if previous is None:
        return []
    before: Mapping[str, int] = {book.shrink_key: book.rows for book in previous.books.books}
    now = {book.shrink_key: book for book in books.books}
    return [
        f"{book.path}: {book.rows} rows, {before[key]} before: more than half are gone "
        "(allow_shrink: true takes it all the same)"
        for key, book in now.items()
        if not book.allow_shrink and 2 * book.rows < before.get(key, 0)
    ]


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _missing(name: str) -> str:
    return "is a folder: name the files in it, e.g. with *.csv" if Path(name).is_dir() else "no such file"
