"""`minewatch ledger export`: the mining list of a period, as CSV or JSON, or its findings as a STIX bundle."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.forms import mining_list, stix
from exporters.forms.documents.languages import Language
from sensor.cli.case_filter import OwnerFilter
from sensor.cli.frame import CommandError, grounds_of, os_reason, site_weights_of
from sensor.cli.language import command_language
from sensor.cli.ledger_activity import as_text, findings_of, fits
from sensor.cli.list_period import list_period
from sensor.cli.streams import private
from sensor.model.exit_codes import OK, RUN_ERROR
from sensor.model.summary import Line, Summary
from sensor.model.text import N_
from sensor.model.time import minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger

#: The newest findings that are looked through for a bundle.
MAX_BUNDLED = 100_000


def export(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Write the list. Raises CommandError, and ValueError for dates that are none and filters that fit nothing."""
    zone = settings.ledger.zone
    asked = OwnerFilter.of_options(options, settings)
    from_ns, to_ns = list_period(options, zone, ledger)
    if options.activity != "mining":
        language = command_language(options, settings.output.language)
        return _export_others(options, ledger, asked, (from_ns, to_ns), language)
    # The cases are listed as they are now, not as they were at the end of the period.
    whole = ledger.reader.summary(from_ns, to_ns, grounds_of(settings), site_weights_of(settings))
    whole = dataclasses.replace(whole, cases=tuple(ledger.reader.cases()))
    period = dataclasses.replace(whole, lines=tuple(line for line in whole.lines if _fits_line(line, whole, asked)))
    target = None if options.to in (None, "-") else Path(options.to)
    form = options.format or ("json" if target is not None and target.suffix.lower() == ".json" else "csv")
    if form == "stix":
        text = _bundle(ledger, from_ns, to_ns, asked)
    elif form == "json":
        text = mining_list.as_json(period, zone, options.persons)
    else:
        text = mining_list.as_csv(period, zone, options.persons)
    if _written(target, text):
        form = command_language(options, settings.output.language).translate(
            N_("{file}: {count} rows, {first} to {last}")
        )
        times = {"first": minute_text(from_ns, zone), "last": minute_text(to_ns, zone)}
        print(form.format(file=target, count=len(period.lines), **times))
    return OK


def _export_others(
    options: argparse.Namespace, ledger: Ledger, asked: OwnerFilter, period: tuple[int, int], language: Language
) -> int:
    """Write the findings of an activity that is no mining."""
    if asked.state is not None:
        raise ValueError(f"--state does not go with --activity {options.activity}: what is no mining has no case")
    target = None if options.to in (None, "-") else Path(options.to)
    form = options.format or ("json" if target is not None and target.suffix.lower() == ".json" else "csv")
    found = findings_of(ledger, options.activity, asked, period)
    if _written(target, as_text(found, form, options.persons)):
        text = language.translate(N_("{file}: {count} findings, none of them mining"))
        print(text.format(file=target, count=len(found)))
    return OK


def _written(target: Path | None, text: str) -> bool:
    """Write a text to a file, or to the output; whether it is a file."""
    if target is None:
        sys.stdout.buffer.write(text.encode())
        return False
    try:
        with open(target, "wb", opener=private) as file:
            file.write(text.encode())
    except OSError as error:
        raise CommandError(RUN_ERROR, f"--to {target}: cannot be written: {os_reason(error)}") from None
    return True


def _fits_line(line: Line, period: Summary, asked: OwnerFilter) -> bool:
    case, about = period.case(line), period.about(line)
    if asked.state is not None and (case is None or case.state != asked.state):
        return False
    texts = (line.address, line.algorithm, *line.coins, *line.pools)
    owner = (about.enterprise, about.site) if about is not None else (None, None)
    return asked.fits_owner(*owner, line.grade, texts)


def _bundle(ledger: Ledger, from_ns: int, to_ns: int, asked: OwnerFilter) -> str:
    """The findings of a period, those that are suppressed left out, as a STIX bundle."""
    if asked.state is not None:
        raise ValueError("--state does not go with --format stix: a finding of a bundle has no case")
    found = ledger.reader.reported_findings(from_ns, to_ns, MAX_BUNDLED)
    return stix.dumps(stix.encode([finding for finding in found if fits(finding, asked)]))
