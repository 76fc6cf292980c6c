"""`minewatch ledger list`: the cases that are asked for, overdue ones first, a page at a time."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from sensor.answers.case_object import case_object
from sensor.cases import states as cases
from sensor.cli.case_commands import NOBODY
from sensor.cli.case_filter import OwnerFilter
from sensor.cli.json_text import print_json
from sensor.cli.language import command_language
from sensor.cli.ledger_activity import list_findings
from sensor.cli.ledger_text import due_text, page_text, print_table, safe, state_text, subject
from sensor.cli.list_period import seen_between
from sensor.model.address import canonical
from sensor.model.exit_codes import OK
from sensor.model.summary import Case
from sensor.model.text import N_
from sensor.model.time import day_text, minute_text

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.ledger import Ledger


def list_cases(options: argparse.Namespace, settings: Configuration, ledger: Ledger) -> int:
    """Print a page of the cases. Raises ValueError for what cannot be asked, CommandError for an unreadable table."""
    if options.activity != "mining":
        return list_findings(options, settings, ledger)
    now_ns, zone = time.time_ns(), settings.ledger.zone
    grades = ledger.reader.case_grades()
    found = _found(options, settings, ledger, now_ns)
    overdue = sum(case.overdue(now_ns) for case in found)
    first = options.offset
    shown = found[first:] if options.limit is None else found[first : first + options.limit]
    if options.json:
        listed = [
            {**case_object(case, now_ns, options.persons), "grade": grade and grade.label}
            for case in shown
            for grade in (grades.get(case.case_id),)
        ]
        head = {"total": len(found), "overdue": overdue, "offset": first, "limit": options.limit}
        print_json({**head, "cases": listed})
        return OK
    language = command_language(options, settings.output.language)
    _ = language.translate
    rows = [
        (
            str(case.case_id),
            state_text(case.state, language),
            day_text(case.since_ns, zone),
            due_text(case, now_ns, zone, language),
            minute_text(case.last_ns, zone),
            safe(case.work.assignee or "-"),
            subject(case, options.persons, language),
        )
        for case in shown
    ]
    if rows:
        head_row = (_("case"), _("state"), _("since"), _("due"), _("last seen"), _("assigned"), _("whose"))
        print_table([head_row, *rows])
    form = N_("{count} case, {overdue} overdue") if len(found) == 1 else N_("{count} cases, {overdue} overdue")
    whole = _(form).format(count=len(found), overdue=overdue)
    print(page_text(whole, len(found), first, len(shown), language))
    return OK


def _found(options: argparse.Namespace, settings: Configuration, ledger: Ledger, now_ns: int) -> list[Case]:
    """All cases that fit, in the order in which they are listed."""
    asked = OwnerFilter.of_options(options, settings)
    address = None if options.address is None else canonical(options.address)
    from_ns, to_ns = seen_between(options, settings.ledger.zone)
    assigned = options.assigned and options.assigned.strip().lower()
    candidates = ledger.reader.cases() if address is None else ledger.reader.cases_of(address)
    grades = ledger.reader.case_grades() if asked.least_grade is not None else {}
    found = [
        case
        for case in candidates
        if (case.state == asked.state or (asked.state is None and (options.all or case.state in cases.OPEN)))
        and (case.overdue(now_ns) or not options.overdue)
        and (assigned is None or (case.work.assignee or NOBODY) == assigned)
        and (from_ns is None or case.last_ns >= from_ns)
        and (to_ns is None or case.first_ns < to_ns)
        and asked.fits_case(
            case,
            grades.get(case.case_id),
            ledger.reader.case_addresses(case) if asked.text is not None else (),
        )
    ]
    return sorted(found, key=lambda case: (not case.overdue(now_ns), case.due_ns or 1 << 62, case.case_id))
