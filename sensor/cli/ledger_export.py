"""`minewatch ledger export`: the mining list of a period, as CSV or JSON, or its findings as a STIX bundle."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.forms import mining_list, stix
from sensor.cli.case_filter import OwnerFilter
from sensor.cli.frame import CommandError, grounds_of, os_reason
from sensor.cli.list_period import list_period
from sensor.model.exit_codes import OK, RUN_ERROR
from sensor.model.finding import Finding
from sensor.model.summary import Line, Summary
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
    # The cases are listed as they are now, not as they were at the end of the period.
    whole = ledger.reader.summary(from_ns, to_ns, grounds_of(settings))
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
    if target is None:
        sys.stdout.buffer.write(text.encode())
        return OK
    try:
        target.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(RUN_ERROR, f"--to {target}: cannot be written: {os_reason(error)}") from None
    print(f"{target}: {len(period.lines)} rows, {minute_text(from_ns, zone)} to {minute_text(to_ns, zone)}")
    return OK


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
    return stix.dumps(stix.encode([finding for finding in found if _fits_finding(finding, asked)]))


def _fits_finding(finding: Finding, asked: OwnerFilter) -> bool:
    answer = finding.attribution
    texts = (finding.miner_ip, finding.pool_ip, finding.pool.host, finding.algorithm, finding.coin, finding.login)
    owner = (answer.enterprise, answer.site) if answer is not None else (None, None)
    return asked.fits_owner(*owner, finding.grade, texts)
