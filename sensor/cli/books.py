"""`minewatch books check|map|import`: prove books of allocations before they are used, propose how their columns are to
be mapped, or bring them into one form.

What books mean is `sensor.attribution`'s; here are arguments, sentences and exit codes.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sensor.attribution import AttributionError, Attributor, canonical, load_books, settings
from sensor.attribution.books.source import SourceConfig, files
from sensor.attribution.own_prefixes import cover_of
from sensor.cli import book_map, book_report, terminal
from sensor.cli.frame import CommandError, load_configuration, os_reason
from sensor.cli.json_text import print_json
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.sheets.sheet import SheetError

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration


def run(options: argparse.Namespace) -> int:
    """Check, map or import the books that the options name. Raises CommandError for those that cannot be read."""
    configuration = load_configuration(options)
    if not options.files and (options.action != "check" or not configuration.attribution.sources):
        raise CommandError(USAGE, f"books {options.action}: name a book")
    sources = [_source(name, options, configuration) for name in options.files]
    sources = sources or [source for source in configuration.attribution.sources if source.path]
    if options.action == "map":
        return _map(sources, options)
    chosen = settings.AttributionSettings(sources=sources, divisions=configuration.attribution.divisions)
    try:
        with terminal.book_progress(not options.quiet) as advance:
            attributor = load_books(chosen, None, advance)
    except AttributionError as error:
        problems = [re.sub(r"^attribution\.sources\.\d+: ", "", problem) for problem in error.problems]
        raise CommandError(CONFIG, *problems) from None
    if options.action == "check":
        return _check(attributor, configuration.attribution.prefixes, as_json=options.json)
    return _import(attributor, options)


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


def _check(attributor: Attributor, prefixes: list[str], *, as_json: bool) -> int:
    """Print what became of every column and row; the exit code says whether anything is wrong."""
    reports = book_report.reports(attributor)
    own = book_report.prefixes_document(cover_of(attributor, prefixes, time.time_ns()), attributor)
    flawed = any(map(book_report.flawed, reports))
    if as_json:
        print_json({"ok": not flawed, "books": reports, "own_prefixes": own})
    else:
        for report in reports:
            print(*book_report.text_of(report), sep="\n")
        print(*book_report.prefixes_text(own), sep="\n")
    return RUN_ERROR if flawed else OK


def _map(sources: list[SourceConfig], options: argparse.Namespace) -> int:
    """Print or write the section of the configuration for these books."""
    configs: list[tuple[str, Any]] = []
    for source in sources:
        found = files(source.path)
        if getattr(source, "kind", "") != "inventory":
            raise CommandError(USAGE, f"{source.path}: only books of allocations have columns to map")
        if not found:
            raise CommandError(CONFIG, f"{source.path}: no such file")
        shown = str(found[0].resolve()) if options.config else source.path
        configs.append((shown, source.model_copy(update={"path": str(found[0])})))
    try:
        text = "\n".join(book_map.sections(configs)) + "\n"
    except (SheetError, OSError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise CommandError(CONFIG, f"{sources[0].path}: {reason}") from None
    if options.to is None:
        print(text, end="")
        return OK
    try:
        with Path(options.to).open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise CommandError(
            RUN_ERROR, f"--to {options.to}: is there already; without --to the section is printed, to be taken over"
        ) from None
    except OSError as error:
        raise CommandError(RUN_ERROR, f"--to {options.to}: cannot be written: {os_reason(error)}") from None
    print(f"{options.to}: written")
    return OK


def _import(attributor: Attributor, options: argparse.Namespace) -> int:
    """Write the rows as one book, unless that would drop more than half of those that are there."""
    if options.to is None:
        raise CommandError(USAGE, "books import: name the book to write with --to FILE.csv")
    reports = book_report.reports(attributor)
    target = Path(options.to)
    before, now = canonical.rows_of(target), sum(book.rows for book in attributor.books.books)
    if not options.json:
        for report in reports:
            print(*book_report.text_of(report), sep="\n")
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
    flawed = any(map(book_report.flawed, reports))
    if options.json:
        print_json({"ok": not flawed, "books": reports, "path": str(target), "rows": count})
    else:
        print(f"{target}: {count:,} rows written")
    return RUN_ERROR if flawed else OK
