"""`minewatch bulletin`: which period, from which ledger, in which languages and forms, and where to.

Without a folder one form goes to standard output. With one, every form in every language asked for is a file there,
each written whole or not at all. The figures are `sensor.bulletin`'s, the documents the exporters'.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exporters.forms.documents.basis import basis_text
from exporters.forms.documents.bulletin import document
from sensor.attribution.books.divisions import Division, DivisionError
from sensor.bulletin import aggregate, meters, period
from sensor.bulletin.aggregate import Frame
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period, PeriodError
from sensor.bulletin.regions import lines_in
from sensor.cli.audit import audit_head
from sensor.cli.case_filter import divisions_of
from sensor.cli.frame import (
    CommandError,
    exit_on,
    grounds_of,
    load_configuration,
    open_ledger,
    os_reason,
    say,
    show_configuration,
    site_weights_of,
)
from sensor.cli.language import chosen_language
from sensor.cli.streams import private
from sensor.meter import readings
from sensor.meter.expected import Listened, SeenEnergy, SeenMining
from sensor.meter.readings import MeterError, Meters
from sensor.meter.registers import MeterValues
from sensor.model.audit_head import AuditHead
from sensor.model.coverage import Grounds
from sensor.model.exit_codes import OK, RUN_ERROR, USAGE
from sensor.model.figures import Figures, Rates
from sensor.model.range import Range, total
from sensor.model.summary import Place, Summary
from sensor.model.version import VERSION

if TYPE_CHECKING:
    from exporters.forms.documents.model import Document
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

#: Forms by their suffix, and the files that write them.
FORMS = {"html": "page", "xlsx": "workbook", "csv": "sheets", "json": "data", "md": "text"}


class Task(NamedTuple):
    """What the options ask for."""

    settings: Configuration
    period: Period
    languages: tuple[str, ...]
    forms: tuple[str, ...]
    folder: Path | None
    meter: Path | None
    meter_values: MeterValues
    division: Division | None


def run(options: argparse.Namespace) -> int:
    """Write every document asked for; 0 if all were written and every meter was read. Raises CommandError."""
    settings = load_configuration(options, _overrides(options))
    if options.dump_config:
        return show_configuration(settings)
    try:
        task = _task(options, settings, datetime.now(UTC))
    except (PeriodError, DivisionError) as error:
        raise CommandError(USAGE, f"bulletin: {error}") from None
    if task.division is not None and task.division.note is not None:
        say(task.division.note)
    figures, problems, notes = _compute(task)
    for sentence in (*problems, *notes):
        say(sentence)
    code = _write(task, figures)
    if code == OK:
        language = chosen_language(options, settings.output.language)  # of the terminal, not of the document
        say(f"bulletin {task.period.name}: {basis_text(figures, language)}")
    return max(code, RUN_ERROR if problems else OK)


def _overrides(options: argparse.Namespace) -> list[str]:
    """What the options mean, as `key=value` of the configuration."""
    region = options.region if options.region and options.region[0].isdigit() else None  # a name is looked up later
    keys = {"ledger.url": options.ledger, "bulletin.language": options.lang, "bulletin.region": region}
    persons = ["bulletin.name_persons=true"] if options.persons else []
    return [*(f'{key}="{value}"' for key, value in keys.items() if value is not None), *persons]


def _task(options: argparse.Namespace, settings: Configuration, now: datetime) -> Task:
    zone = settings.ledger.zone
    today = now.astimezone(zone).date()
    chosen = period.chosen_period(options.week, options.first, options.last, zone, today)
    both = settings.bulletin.language == "both"
    languages = ("zh", "en") if both else (settings.bulletin.language,)
    forms = tuple(dict.fromkeys(options.format or (FORMS if options.output else ("md",))))
    if options.output is None and len(forms) * len(languages) > 1:
        raise PeriodError("several documents need a folder: -o DIR")
    region = options.region or settings.bulletin.region
    division = None if region is None else divisions_of(settings).division(region, chosen.last.year)
    return Task(settings, chosen, languages, forms, options.output, options.meter, options.meter_values, division)


def _compute(task: Task) -> tuple[Figures, tuple[str, ...], tuple[str, ...]]:
    """The figures, what could not be read of the meters, and what their values were taken for. Raises CommandError."""
    settings, chosen, url = task.settings.bulletin, task.period, task.settings.ledger.url
    with exit_on(MeterError, code=RUN_ERROR):
        measured = readings.read(task.meter, chosen.zone, task.meter_values) if task.meter else None
    with open_ledger(task.settings.ledger, missing=f"ledger {url}: there is none") as ledger:
        owners = OwnerDisplay(divisions_of(task.settings), chosen.last.year, settings.name_persons)
        rates = Rates(settings.co2_kg_per_kwh, settings.surcharge_yuan_per_kwh)
        successors = task.division.codes[1:] if task.division else ()
        region = settings.region or (task.division.code if task.division else None)  # as it was asked for
        frame = Frame(chosen, region, owners, rates, successors)
        grounds = grounds_of(task.settings)
        weights = site_weights_of(task.settings)
        spans = (chosen, chosen.before)
        now, before = (ledger.reader.summary(span.from_ns, span.to_ns, grounds, weights) for span in spans)
        places = {line.place for line in lines_in(now, frame.divisions)}
        days = [(day.first, _energy(ledger, day, places, grounds)) for day in period.shown_days(chosen)]
        seen = _seen(ledger, now, measured) if measured else None
    if measured is None:
        return aggregate.figures(now, before, days, frame), (), ()
    checks = meters.check_meters(now, measured.readings, owners, seen, measured.unclear)
    return aggregate.figures(now, before, days, frame, checks), measured.problems, measured.notes


def _seen(ledger: Ledger, now: Summary, measured: Meters) -> SeenMining | None:
    """What the ledger has of the sites behind the meters in the time of their readings, and when sensors listened."""
    time = meters.time_of(measured)
    if time is None:
        return None
    sites = ledger.reader.site_energy(meters.sites_of(now, measured.readings), *time)
    by_site = {site_id: tuple(SeenEnergy(*piece) for piece in pieces) for site_id, pieces in sites.items()}
    return SeenMining(by_site, tuple(Listened(*stretch) for stretch in ledger.reader.listened(*time)))


def _energy(ledger: Ledger, day: Period, places: set[Place], grounds: Grounds) -> Range:
    """The energy seen on one day in kWh, of the places that the bulletin shows."""
    found = ledger.reader.energy_by_place(day.from_ns, day.to_ns, grounds.level)
    return total(kwh for place, kwh in found.items() if place in places)


def _write(task: Task, figures: Figures) -> int:
    """Write the documents, or the one to standard output; the exit code."""
    now, code, head = datetime.now(UTC), OK, _audit_head(task.settings)
    written: list[Path] = []
    if task.folder is not None:
        try:
            task.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = "is a file" if isinstance(error, FileExistsError) else os_reason(error)
            raise CommandError(RUN_ERROR, f"-o {task.folder}: cannot be written to: {reason}") from None
    for language in task.languages:
        whole = document(figures, language, VERSION, now, head)
        for form in task.forms:
            data = _bytes(whole, form)
            if task.folder is None:
                sys.stdout.flush()
                sys.stdout.buffer.write(data)
                continue
            path = task.folder / f"bulletin-{task.period.name}.{language}.{form}"
            try:
                _replace(path, data)
                written.append(path)
            except OSError as error:
                say(f"{path}: cannot be written: {os_reason(error)}")
                code = RUN_ERROR
    # Only now: whoever reads the names may go away (`| head`), and no file is missing for that.
    for path in written:
        print(path)
    return code


def _audit_head(settings: Configuration) -> AuditHead | None:
    """The head of the audit's chain. Who may not read the audit makes a bulletin without it, and is told."""
    from sensor.audit.store import AuditError

    try:
        return audit_head(settings)
    except AuditError as error:
        say(f"the head of the audit is not on it: {error}")
        return None


def _bytes(whole: Document, form: str) -> bytes:
    data: bytes = importlib.import_module(f"exporters.forms.documents.{FORMS[form]}").write(whole)
    return data


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole, in the place of one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb", opener=private) as file:
            file.write(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
