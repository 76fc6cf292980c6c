"""`minewatch bulletin`: which period, from which ledger, in which languages and forms, and where to. Files and sentences; reckons nothing.

Without a folder one form goes to standard output; with one, every form in every language asked for is a file there, each written whole
or not at all.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sensor.attribution.books.divisions import Divisions
from sensor.bulletin import meters, period
from sensor.bulletin.aggregate import Frame, figures
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period, PeriodError
from sensor.bulletin.regions import lines_in
from sensor.daemon import configuration
from sensor.daemon.configuration import Configuration
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.store.database import exists
from sensor.meter import readings
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE
from sensor.model.figures import Figures, MeterCheck, Rates
from sensor.model.summary import Place, Range, Summary
from sensor.model.version import VERSION
from sensor.settings.document import ConfigError

if TYPE_CHECKING:
    from exporters.forms.documents.model import Document

#: Forms by their suffix, and the files that write them.
FORMS = {"html": "page", "xlsx": "workbook", "csv": "sheets", "json": "data", "md": "text"}
DAYS_SHOWN = 62


class Task(NamedTuple):
    """What is asked for."""

    settings: Configuration
    period: Period
    languages: tuple[str, ...]
    forms: tuple[str, ...]
    folder: Path | None
    meter: Path | None


def say(sentence: str) -> None:
    """One sentence for the operator."""
    print(f"minewatch: {sentence}", file=sys.stderr)


def bulletin(options: argparse.Namespace) -> int:
    """The word: 0 if every file was written."""
    try:
        settings = _settings(options)
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        return CONFIG
    if options.dump_config:
        print(settings.dump(), end="")
        return OK
    try:
        task = _task(options, settings, datetime.now(UTC))
        given, problems = _reckoned(task)
    except PeriodError as error:
        say(f"bulletin: {error}")
        return USAGE
    except (LedgerError, readings.MeterError) as error:
        say(str(error))
        return RUN_ERROR
    for problem in problems:
        say(problem)
    return max(_write(task, given), RUN_ERROR if problems else OK)


def _settings(options: argparse.Namespace) -> Configuration:
    """The configuration with the flags of this word over it."""
    overrides = list(options.overrides)
    for key, value in (
        ("ledger.url", options.ledger),
        ("bulletin.language", options.lang),
        ("bulletin.region", options.region),
    ):
        if value is not None:
            overrides.append(f'{key}="{value}"')
    return configuration.load(options.config, overrides)


def _task(options: argparse.Namespace, settings: Configuration, now: datetime) -> Task:
    zone = settings.ledger.zone
    if options.first is not None:
        chosen = period.days_of(options.first, options.last, zone)
    elif options.last is not None:
        raise PeriodError("--to needs --from")
    else:
        chosen = period.week_of(options.week, zone, now.astimezone(zone).date())
    both = settings.bulletin.language == "both"
    languages = ("zh", "en") if both else (settings.bulletin.language,)
    forms = tuple(dict.fromkeys(options.format or (FORMS if options.output else ("md",))))
    if options.output is None and len(forms) * len(languages) > 1:
        raise PeriodError("several documents need a folder: -o DIR")
    return Task(settings, chosen, languages, forms, options.output, options.meter)


def _reckoned(task: Task) -> tuple[Figures, tuple[str, ...]]:
    """The figures, and what could not be read of the meters."""
    settings, chosen = task.settings.bulletin, task.period
    measured = readings.read(task.meter, chosen.zone) if task.meter else None
    if not exists(task.settings.ledger.url):
        raise LedgerError(f"ledger {task.settings.ledger.url}: there is none")
    books = task.settings.attribution.divisions
    owners = OwnerDisplay(Divisions(Path(books) if books else None), chosen.last.year, settings.name_persons)
    rates = Rates(settings.co2_kg_per_kwh, settings.surcharge_yuan_per_kwh)
    frame = Frame(chosen, settings.region, owners, rates)
    ledger = Ledger.open(task.settings.ledger.url)
    try:
        now, before = (_summary(ledger, one) for one in (chosen, chosen.before))
        shown = {line.place for line in lines_in(now, settings.region)}
        days = [(day.first, _energy(ledger, day, shown)) for day in _days(chosen)]
    finally:
        ledger.close()
    checks: tuple[MeterCheck, ...] | None = meters.check_meters(now, measured.readings, owners) if measured else None
    return figures(now, before, days, frame, checks), measured.problems if measured else ()


def _days(chosen: Period) -> list[Period]:
    """The days that are shown one by one; of a long period none."""
    days = list(chosen.days())
    return days if 1 < len(days) <= DAYS_SHOWN else []


def _summary(ledger: Ledger, chosen: Period) -> Summary:
    return ledger.reader.summary(chosen.from_ns, chosen.to_ns)


def _energy(ledger: Ledger, day: Period, shown: set[Place]) -> Range:
    """The energy of one day, of the places that the bulletin shows."""
    found = ledger.reader.energy_by_place(day.from_ns, day.to_ns)
    return sum((kwh for place, kwh in found.items() if place in shown), Range())


def _write(task: Task, given: Figures) -> int:
    """Write the documents, or the one to standard output."""
    from exporters.forms.documents.bulletin import document

    made = datetime.now(UTC)
    code = OK
    for language in task.languages:
        whole = document(given, language, VERSION, made)
        for form in task.forms:
            data = _bytes(whole, form)
            if task.folder is None:
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
                continue
            path = task.folder / f"bulletin-{task.period.name}.{language}.{form}"
            try:
                _replace(path, data)
                print(path)
            except OSError as error:
                say(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}")
                code = RUN_ERROR
    return code


def _bytes(whole: Document, form: str) -> bytes:
    data: bytes = importlib.import_module(f"exporters.forms.documents.{FORMS[form]}").write(whole)
    return data


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole, in the place of one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
