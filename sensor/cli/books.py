"""`minewatch books check|import`: prove books of allocations before they are used, or bring them into one form.

What books mean is `sensor.attribution`'s; here are arguments, sentences and exit codes.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sensor.attribution import AttributionError, Attributor, canonical, load_books, settings
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.overlaps import overlaps
from sensor.cli import terminal
from sensor.cli.frame import CommandError, load_configuration, os_reason
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE

if TYPE_CHECKING:
    from sensor.attribution.books.book import Book
    from sensor.daemon.configuration import Configuration


def run(options: argparse.Namespace) -> int:
    """Check or import the books that the options name. Raises CommandError for those that cannot be read at all."""
    configuration = load_configuration(options)
    sources = [_source(name, options, configuration) for name in options.files]
    chosen = settings.AttributionSettings(sources=sources, divisions=configuration.attribution.divisions)
    try:
        with terminal.book_progress(not options.quiet) as advance:
            attributor = load_books(chosen, None, advance)
    except AttributionError as error:
        problems = [re.sub(r"^attribution\.sources\.\d+: ", "", problem) for problem in error.problems]
        raise CommandError(CONFIG, *problems) from None
    flawed = _report(attributor)
    if options.action == "check":
        return RUN_ERROR if flawed else OK
    return _import(attributor, options, flawed)


def _source(name: str, options: argparse.Namespace, configuration: Configuration) -> SourceConfig:
    """How a file is to be read: as the configuration describes it, else as the options do. Raises CommandError."""
    for source in configuration.attribution.sources:
        if source.path and any(path.resolve() == Path(name).resolve() for path in files(source.path)):
            return source.model_copy(update={"path": name})
    kind, _, form = (options.kind or "inventory").partition(":")
    if kind not in settings.kinds() or kind == "nat":
        choices = ", ".join(choice for choice in settings.kinds() if choice != "nat")
        raise CommandError(CONFIG, f"--as {options.kind}: must be one of {choices}")
    keys: dict[str, Any] = {"kind": kind, "path": name}
    if form:
        keys["preset" if kind == "inventory" else "format"] = form
    try:
        described: SourceConfig = settings.module(kind).Config.model_validate(keys)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise CommandError(CONFIG, f"--as {options.kind}: {key}: {first['msg']}") from None
    return described


def _report(attributor: Attributor) -> bool:
    """Print every row that was refused, put right, or contradicts another; True if any is wrong."""
    by_book: dict[int, list[tuple[int, str]]] = {}
    for overlap in overlaps(attributor):
        by_book.setdefault(overlap.book, []).append((overlap.line, f"overlap: {overlap.text}"))
    flawed = False
    for book in attributor.books.books:
        clashes = by_book.get(book.number, [])
        remarks = [*clashes, *((note.line, f"note: {note.text}") for note in book.notes)]
        remarks += [(refusal.line, f"refused: {refusal.text}") for refusal in book.refused]
        for line, text in sorted(remarks):
            print(f"{book.place(line)}: {text}")
        print(_counts(book, len(clashes)))
        flawed = flawed or bool(book.refused) or bool(clashes)
    return flawed


def _counts(book: Book, clashes: int) -> str:
    return (
        f"{book.path}: {book.rows:,} rows taken, {len(book.refused):,} refused, "
        f"{clashes:,} overlaps, {len(book.notes):,} notes"
    )


def _import(attributor: Attributor, options: argparse.Namespace, flawed: bool) -> int:
    """Write the rows as one book, unless that would drop more than half of those that are there."""
    if options.to is None:
        raise CommandError(USAGE, "books import: name the book to write with --to FILE.csv")
    target = Path(options.to)
    before, now = canonical.rows_of(target), sum(book.rows for book in attributor.books.books)
    if 2 * now < before and not options.allow_shrink:
        raise CommandError(
            RUN_ERROR,
            f"{target}: {now:,} rows, {before:,} before: more than half are gone; the old book stays "
            "(--allow-shrink takes it all the same)",
        )
    try:
        count = canonical.write(attributor, target)
    except OSError as error:
        raise CommandError(RUN_ERROR, f"--to {target}: cannot be written: {os_reason(error)}") from None
    print(f"{target}: {count:,} rows written")
    return RUN_ERROR if flawed else OK
