"""The words about books: `books check`, `books import`, and the part of `explain` that says whose an address was.

What books mean is `sensor.attribution`'s; here are arguments, sentences and exit codes.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sensor.attribution import settings
from sensor.attribution.books.source import SourceConfig, files
from sensor.daemon import configuration
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.settings.document import ConfigError
from sensor.sheets.dates import instant_text, moment_ns

if TYPE_CHECKING:
    from sensor.attribution.answer.attributor import Attributor
    from sensor.attribution.books.book import Book
    from sensor.daemon.configuration import Configuration
    from sensor.model.attribution import Claim

#: Claims that do not hold are shown up to this many; a shared address has thousands.
MOST_OTHERS = 20


def say(sentence: str) -> None:
    """One sentence for the operator."""
    print(f"minewatch: {sentence}", file=sys.stderr)


def load(chosen: Configuration, wanted: bool = False, previous: Attributor | None = None) -> Attributor | None:
    """The books of the configuration, or None where it names none. AttributionError with every problem."""
    if not chosen.attribution.sources:
        return None
    from sensor.attribution import load_books

    with progress(wanted) as tell:
        return load_books(chosen.attribution, previous, tell)


def told_of(loaded: Attributor) -> str:
    """One line for each book: rows, and how many were refused."""
    return "\n".join(
        f"{book.path}: {book.rows:,} rows"
        + (f", {len(book.refused):,} refused (minewatch books check {book.path} names them)" if book.refused else "")
        for book in loaded.books.books
    )


@contextmanager
def progress(wanted: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar for each file that is read, on standard error, on a terminal only."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:

        def tell(path: str, done: int, size: int) -> None:
            if path not in tasks:
                tasks[path] = bar.add_task(Path(path).name, total=size or None)
            bar.update(tasks[path], completed=done)

        yield tell


def books_word(options: argparse.Namespace) -> int:
    """`minewatch books check|import`: prove books before they are used, or bring them into one form."""
    from sensor.attribution import AttributionError, load_books

    try:
        chosen = configuration.load(options.config, options.overrides)
        sources = [_source(name, options, chosen) for name in options.files]
        with progress(not options.quiet) as tell:
            loaded = load_books(
                settings.AttributionSettings(sources=sources, divisions=chosen.attribution.divisions), None, tell
            )
    except (ConfigError, AttributionError) as error:
        for problem in error.problems:
            say(re.sub(r"^attribution\.sources\.\d+: ", "", problem))
        return CONFIG
    wrong = _report(loaded)
    if options.action == "check":
        return RUN_ERROR if wrong else OK
    return _import(loaded, options, wrong)


def _source(name: str, options: argparse.Namespace, chosen: Configuration) -> SourceConfig:
    """How a file is to be read: as the configuration says of it, else as the command does."""
    for source in chosen.attribution.sources:
        if source.path and any(path.resolve() == Path(name).resolve() for path in files(source.path)):
            return source.model_copy(update={"path": name})
    kind, _, form = (options.kind or "inventory").partition(":")
    if kind not in settings.kinds() or kind == "nat":
        raise ConfigError(
            [f"--as {options.kind}: must be one of {', '.join(one for one in settings.kinds() if one != 'nat')}"]
        )
    keys: dict[str, Any] = {"kind": kind, "path": name}
    if form:
        keys["preset" if kind == "inventory" else "format"] = form
    try:
        made: SourceConfig = settings.module(kind).Config.model_validate(keys)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError([f"--as {options.kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}"]) from None
    return made


def _report(loaded: Attributor) -> bool:
    """Say every row that was refused, put right, or cannot be right beside another; whether there is any wrong one."""
    from sensor.attribution.overlaps import overlaps

    found: dict[int, list[tuple[int, str]]] = {}
    for overlap in overlaps(loaded):
        found.setdefault(overlap.book, []).append((overlap.line, f"overlap: {overlap.text}"))
    wrong = False
    for book in loaded.books.books:
        remarks = [*found.get(book.number, []), *((one.line, f"note: {one.text}") for one in book.notes)]
        remarks += [(one.line, f"refused: {one.text}") for one in book.refused]
        for line, text in sorted(remarks):
            print(f"{book.place(line)}: {text}")
        clashes = len(found.get(book.number, []))
        print(_summary(book, clashes))
        wrong = wrong or bool(book.refused) or clashes > 0
    return wrong


def _summary(book: Book, clashes: int) -> str:
    return f"{book.path}: {book.rows:,} rows taken, {len(book.refused):,} refused, {clashes:,} overlaps, {len(book.notes):,} notes"


def _import(loaded: Attributor, options: argparse.Namespace, wrong: bool) -> int:
    from sensor.attribution import canonical

    if options.to is None:
        say("books import: name the book to write with --to FILE.csv")
        return USAGE
    target = Path(options.to)
    before, now = canonical.rows_of(target), sum(book.rows for book in loaded.books.books)
    if 2 * now < before and not options.allow_shrink:
        say(
            f"{target}: {now:,} rows, {before:,} before: more than half are gone; the old book stays (--allow-shrink takes it all the same)"
        )
        return RUN_ERROR
    try:
        count = canonical.write(loaded, target)
    except OSError as error:
        say(f"--to {target}: cannot be written: {(error.strerror or str(error)).lower()}")
        return RUN_ERROR
    print(f"{target}: {count:,} rows written")
    return RUN_ERROR if wrong else OK


def explain(options: argparse.Namespace) -> int:
    """`minewatch explain ADDRESS[:PORT]`: each section says one thing that is known about an address."""
    from sensor.attribution import AttributionError
    from sensor.cli import explain as known

    try:
        address, port = _address(options.address)
        at_ns = time.time_ns() if options.at is None else moment_ns(options.at, 0)[0]
    except ValueError as error:
        say(f"explain: {error}")
        return USAGE
    try:
        chosen = configuration.load(options.config, options.overrides)
        loaded = load(chosen, wanted=not options.quiet)
    except (ConfigError, AttributionError) as error:
        for problem in error.problems:
            say(problem)
        return CONFIG
    asked = f"{address}{'' if port is None else f' port {port}'}, at {instant_text(at_ns)} UTC"
    print(asked)
    known.show(chosen, address, datetime.fromtimestamp(at_ns / 1e9, UTC).date())
    if loaded is None:
        print("\nWhose\n  not known: no books are configured (attribution.sources)")
        return OK
    point = {"vlan": tuple(options.vlan or ()), "interface": options.interface, "vrf": options.vrf}
    _whose(loaded, (address, port, at_ns), point)
    return OK


def _address(text: str) -> tuple[str, int | None]:
    """`192.0.2.1`, `192.0.2.1:3333`, `2001:db8::1`, `[2001:db8::1]:3333`."""
    found = re.fullmatch(
        r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|(\d+\.\d+\.\d+\.\d+)(?::(\d{1,5}))?|([0-9A-Fa-f:.]+)", text
    )
    if found is None:
        raise ValueError(f"{text} is no address, and no address with a port")
    port = found[2] or found[4]
    if port is not None and int(port) > 65_535:
        raise ValueError(f"{port} is no port")
    return found[1] or found[3] or found[5], None if port is None else int(port)


def _whose(loaded: Attributor, asked: tuple[str, int | None, int], point: dict[str, Any]) -> None:
    """The section about attribution: the answer, why, the claims, and the rows that do not hold."""
    answer = loaded.answer(*asked, **point)
    print(f"\nWhose ({answer.result})")
    if answer.enterprise is not None:
        known = answer.enterprise
        print(
            f"  {known.name}"
            + (f", {known.uscc}" if known.uscc else "")
            + (f", {known.category}" if known.category else "")
        )
        if answer.site is not None:
            print("  " + " ".join(filter(None, (answer.site.division, answer.site.division_name, answer.site.address))))
    else:
        print("  nobody is named")
    print("\nWhy")
    for reason in answer.reasons:
        print(f"  {reason}")
    if answer.claims:
        print("\nClaims")
    for claim in answer.claims:
        print(f"  {claim.standing:<8} {claim.strength:<5g} {_line(claim)}")
    others = loaded.others(*asked, **point)
    if others:
        print("\nRows of that address that do not hold")
    for claim, why in others[:MOST_OTHERS]:
        print(f"  {why}: {_line(claim)}")
    if len(others) > MOST_OTHERS:
        print(f"  and {len(others) - MOST_OTHERS:,} more")


def _line(claim: Claim) -> str:
    from sensor.attribution.answer.claims import period, scope

    whom = claim.enterprise.name if claim.enterprise else f"subscriber {claim.subscriber}" if claim.subscriber else ""
    said = ", ".join(f"{name} {value}" for name, value in claim.detail.items())
    as_of = "" if claim.as_of_ns is None else f"as of {instant_text(claim.as_of_ns)}"
    return " | ".join(filter(None, (f"{claim.source} {claim.place}", scope(claim), period(claim), whom, said, as_of)))
