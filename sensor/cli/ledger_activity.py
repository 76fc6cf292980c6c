"""The findings of a ledger that are no mining: attempts, observers, probes. They have no case and no place in a list of
mining, so what is listed and exported of them is the findings themselves.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from typing import TYPE_CHECKING

from sensor.answers.finding_object import finding_object
from sensor.cli.case_filter import OwnerFilter
from sensor.cli.explain import place
from sensor.cli.json_text import print_json
from sensor.cli.language import command_language
from sensor.cli.ledger_text import page_text, print_table, safe
from sensor.cli.list_period import seen_between
from sensor.model.address import canonical
from sensor.model.exit_codes import OK
from sensor.model.finding import Finding
from sensor.model.text import N_
from sensor.model.time import minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger, StoredFinding

#: The newest findings that are looked through.
MAX_FINDINGS = 100_000
#: What somebody does who does not mine, in words; in English it stands as it is.
ACTIVITIES = {"attempt": N_("attempt"), "observer": N_("observer"), "probe": N_("probe")}
#: The columns of the table that is exported.
COLUMNS = (
    *("finding_id", "activity", "grade", "miner_ip", "pool_ip", "pool_port", "dialect", "coin", "login"),
    *("first_seen", "last_seen", "reported", "suppressed"),
)


def list_findings(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Print a page of the findings of an activity. Raises ValueError for what cannot be asked."""
    zone = settings.ledger.zone
    from_ns, to_ns = seen_between(options, zone)
    address = None if options.address is None else canonical(options.address)
    asked = OwnerFilter.of_options(options, settings)
    _refuse(options, "state", "overdue", "all")
    found = findings_of(ledger, options.activity, asked, (from_ns, to_ns), address)
    first = options.offset
    shown = found[first:] if options.limit is None else found[first : first + options.limit]
    if options.json:
        head = {"total": len(found), "offset": first, "limit": options.limit}
        print_json({**head, "findings": [finding_object(entry, options.persons) for entry in shown]})
        return OK
    language = command_language(options, settings.output.language)
    _ = language.translate
    rows = [
        (
            language.label(finding.activity or "", ACTIVITIES),
            finding.miner_ip,
            place(finding, language),
            safe(finding.dialect or ""),
            minute_text(finding.first_ns, zone),
            minute_text(finding.last_ns, zone),
        )
        for finding in (entry.finding for entry in shown)
    ]
    if rows:
        titles = (_("activity"), _("address"), _("pool"), _("dialect"), _("since"), _("last seen"))
        print_table([titles, *rows])
    whole = language.number(
        len(found), N_("{count} finding, none of them mining"), N_("{count} findings, none of them mining")
    )
    print(page_text(whole, len(found), first, len(shown), language))
    return OK


def findings_of(
    ledger: Ledger,
    activity: str,
    asked: OwnerFilter,
    period: tuple[int | None, int | None],
    address: str | None = None,
) -> list[StoredFinding]:
    """The findings of an activity that fit, newest first; the period in nanoseconds since the epoch."""
    from_ns, to_ns = period
    stored = ledger.reader.findings(address, activity=activity, limit=MAX_FINDINGS)
    return [
        entry
        for entry in stored
        if (from_ns is None or entry.finding.last_ns >= from_ns)
        and (to_ns is None or entry.finding.first_ns < to_ns)
        and fits(entry.finding, asked)
    ]


def fits(finding: Finding, asked: OwnerFilter) -> bool:
    """Whether a finding is one of those that are asked for."""
    answer = finding.attribution
    texts = (finding.miner_ip, finding.pool_ip, finding.pool.host, finding.algorithm, finding.coin, finding.login)
    owner = (answer.enterprise, answer.site) if answer is not None else (None, None)
    return asked.fits_owner(*owner, finding.grade, texts)


def as_text(found: list[StoredFinding], form: str, persons: bool) -> str:
    """Findings as a table (`csv`) or as they are (`json`). Raises ValueError for another form."""
    objects = [finding_object(entry, persons) for entry in found]
    if form == "json":
        return json.dumps({"findings": objects}, ensure_ascii=False, indent=1) + "\n"
    if form != "csv":
        raise ValueError(f"--format {form} does not go with --activity: what is no mining is in no bundle")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in objects)
    return "\ufeff" + text.getvalue()


def _cell(value: object) -> str:
    """A cell; one that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _refuse(options: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(options, name, None):
            raise ValueError(f"--{name} does not go with --activity {options.activity}: what is no mining has no case")
