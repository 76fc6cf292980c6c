"""What came in and what moved since a moment. SQL in, plain data out."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, distinct, func, select

from sensor.ledger.read.lists.records import ListedFinding, cases_of, findings_of
from sensor.ledger.read.selection import Selection
from sensor.ledger.store.schema import CASES, CHANGES, COUNTED, FINDINGS
from sensor.model.summary import Case


class Changed(NamedTuple):
    """Counts of everything, and the newest of each."""

    findings: int
    cases: int
    newest_findings: list[ListedFinding]
    newest_cases: list[Case]


def changed_since(connection: Connection, chosen: Selection, since_ns: int, most: int) -> Changed:
    """Findings that began since, and cases that were opened or moved, those of last first."""
    # A finding that began since was seen since: by that a database begins with few of them.
    began = (COUNTED, chosen.findings, FINDINGS.c.last_ns >= since_ns, FINDINGS.c.first_ns >= since_ns)
    count = connection.scalar(select(func.count()).select_from(FINDINGS).where(*began)) or 0
    newest = select(FINDINGS.c.finding_id).where(*began).order_by(FINDINGS.c.first_ns.desc(), FINDINGS.c.finding_id)
    identities = list(connection.scalars(newest.limit(most)))
    moved = (CHANGES.c.at_ns >= since_ns, chosen.cases, CASES.c.last_ns >= 0)
    joined = CHANGES.join(CASES, CASES.c.case_id == CHANGES.c.case_id)
    cases = connection.scalar(select(func.count(distinct(CASES.c.case_id))).select_from(joined).where(*moved)) or 0
    last = func.max(CHANGES.c.at_ns)
    ordered = select(CASES.c.case_id).select_from(joined).where(*moved).group_by(CASES.c.case_id)
    numbers = list(connection.scalars(ordered.order_by(last.desc(), CASES.c.case_id).limit(most)))
    newest_cases = cases_of(connection, chosen, numbers)
    return Changed(count, cases, findings_of(connection, chosen, identities), newest_cases)
