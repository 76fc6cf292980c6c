"""Findings and cases as lists. SQL in, plain data out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, not_, or_, select

from sensor.cases import states
from sensor.ledger.read import cases as case_reader
from sensor.ledger.read.findings import StoredFinding
from sensor.ledger.read.lists.asked import IS_PERSON
from sensor.ledger.read.lists.cut import ListCut, like
from sensor.ledger.read.selection import Selection, division_within, finding_within
from sensor.ledger.store.records import load_finding
from sensor.ledger.store.schema import CASES, COUNTED, ENTERPRISES, FINDINGS, SITES
from sensor.ledger.write.rows import PAGE, rows_of
from sensor.model.evidence import Grade
from sensor.model.scope import Scope
from sensor.model.summary import Case
from sensor.model.time import DAY_NS

#: Whoever has no case; no login has a space.
NOBODY = "no one"
#: Of cases for which nothing is awaited: behind all others.
NEVER_DUE_NS = 1 << 62
#: When the next step is due, from the state of the row.
_DUE = case(
    (CASES.c.own_due_ns.is_not(None), CASES.c.own_due_ns),
    *((CASES.c.state == state, CASES.c.since_ns + days * DAY_NS) for state, days in states.DUE_DAYS.items()),
    else_=NEVER_DUE_NS,
)


@dataclass(frozen=True)
class AskedFindings:
    """Nothing asked is everything in the scope."""

    miners: Collection[str] | None = None
    pool: str | None = None  # address
    dialect: str | None = None
    algorithm: str | None = None
    grade: Grade | None = None  # that or a higher one
    activity: str | None = None
    open: bool | None = None
    division: Scope | None = None
    site_id: int | None = None
    case_id: int | None = None
    wallet: str | None = None  # part of the wallet or account
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True)
class AskedCases:
    """Nothing asked is everything in the scope."""

    state: str | None = None
    open: bool | None = None
    overdue_at_ns: int | None = None  # only those whose step was due before
    name: str | None = None  # part of an organisation's name or code, or of an address
    division: Scope | None = None
    site_ids: Collection[int] | None = None
    address: str | None = None
    assignee: str | None = None  # login, or NOBODY
    conclusion: str | None = None


class ListedFinding(NamedTuple):
    """A finding as it is stored, with its site and case."""

    stored: StoredFinding
    site_id: int
    case_id: int | None


def listed_findings(
    connection: Connection, chosen: Selection, asked: AskedFindings, cut: ListCut
) -> list[ListedFinding]:
    """Findings, those seen last first."""
    query = select(FINDINGS.c.finding_id).where(chosen.findings)
    for column, value in (
        (FINDINGS.c.pool_ip, asked.pool),
        (FINDINGS.c.dialect, asked.dialect),
        (FINDINGS.c.algorithm, asked.algorithm),
        (FINDINGS.c.site_id, asked.site_id),
        (FINDINGS.c.case_id, asked.case_id),
        (FINDINGS.c.activity, asked.activity),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.miners is not None:
        query = query.where(FINDINGS.c.miner_ip.in_(sorted(asked.miners)))
    if asked.grade is not None:
        query = query.where(FINDINGS.c.grade >= int(asked.grade))
    if asked.open is not None:
        query = query.where(FINDINGS.c.state != "closed" if asked.open else FINDINGS.c.state == "closed")
    if asked.division is not None:
        within = select(SITES.c.site_id).where(division_within(SITES.c.division, asked.division))
        query = query.where(FINDINGS.c.site_id.in_(within))
    if asked.wallet is not None:
        query = query.where(FINDINGS.c.wallet.ilike(like(asked.wallet), escape="\\"))
    if asked.from_ns is not None:
        query = query.where(FINDINGS.c.last_ns >= asked.from_ns)
    if asked.to_ns is not None:
        query = query.where(FINDINGS.c.first_ns < asked.to_ns)
    # Records are long: they are read of the page alone, not of all rows that are put in order.
    identities = list(connection.scalars(cut.of(query, FINDINGS.c.last_ns, FINDINGS.c.finding_id)))
    return findings_of(connection, chosen, identities)


def findings_of(connection: Connection, chosen: Selection, identities: Sequence[str]) -> list[ListedFinding]:
    """The findings of identities that are of the scope, in their order."""
    rows = {row["finding_id"]: row for row in rows_of(connection, FINDINGS, identities)}
    return [_finding(rows[identity], chosen) for identity in identities if identity in rows]


def one_finding(connection: Connection, chosen: Selection, finding_id: str) -> ListedFinding | None:
    """The finding of an identity; None where there is none in the scope."""
    query = select(FINDINGS).where(chosen.findings, FINDINGS.c.finding_id == finding_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else _finding(row, chosen)


def listed_cases(connection: Connection, chosen: Selection, asked: AskedCases, cut: ListCut) -> list[Case]:
    """Cases, what is due first at the top; what nothing is awaited for stands last."""
    query = select(CASES.c.case_id).where(chosen.cases, CASES.c.last_ns >= 0)
    if asked.state is not None:
        query = query.where(CASES.c.state == asked.state)
    if asked.open is not None:
        query = query.where(CASES.c.state.in_(states.OPEN) if asked.open else CASES.c.state.not_in(states.OPEN))
    if asked.overdue_at_ns is not None:
        query = query.where(_DUE.__lt__(asked.overdue_at_ns))
    if asked.assignee is not None:
        its = CASES.c.assignee
        query = query.where(its.is_(None) if asked.assignee == NOBODY else its == asked.assignee)
    if asked.conclusion is not None:
        query = query.where(CASES.c.conclusion == asked.conclusion)
    if asked.address is not None:
        query = query.where(or_(CASES.c.address == asked.address, _at_site_of(asked.address)))
    if asked.site_ids is not None:
        query = query.where(CASES.c.site_id.in_(sorted(asked.site_ids)))
    if asked.division is not None:
        within = select(SITES.c.site_id).where(division_within(SITES.c.division, asked.division))
        query = query.where(CASES.c.site_id.in_(within))
    if asked.name is not None:
        query = query.where(or_(CASES.c.address == asked.name, CASES.c.site_id.in_(_sites_called(asked.name))))
    numbers = list(connection.scalars(cut.of(query, _DUE, CASES.c.case_id, rising=True)))
    return cases_of(connection, chosen, numbers)


def cases_of(connection: Connection, chosen: Selection, numbers: Sequence[int]) -> list[Case]:
    """The cases of numbers that are of the scope, in their order."""
    found: dict[int, Case] = {}
    for start in range(0, len(numbers), PAGE):
        page = case_reader.cases(connection, chosen=chosen, case_ids=numbers[start : start + PAGE])
        found.update((its.case_id, its) for its in page.values())
    return [found[number] for number in numbers if number in found]


def due_rank(its: Case) -> int:
    """The place of a case in its list."""
    return NEVER_DUE_NS if its.due_ns is None else its.due_ns


def one_case(connection: Connection, chosen: Selection, case_id: int) -> Case | None:
    """The case of a number; None where there is none in the scope."""
    return next(iter(_case(connection, chosen, case_id)), None)


def _case(connection: Connection, chosen: Selection, case_id: int) -> list[Case]:
    return list(case_reader.cases(connection, case_id=case_id, chosen=chosen).values())


def _finding(row: object, chosen: Selection) -> ListedFinding:
    its: dict[str, object] = dict(row)  # type: ignore[call-overload]
    whole = finding_within(load_finding(str(its["record"])), chosen.scope)
    stored = StoredFinding(whole, its["muted"], its["recorded_ns"])  # type: ignore[arg-type]
    return ListedFinding(stored, its["site_id"] or 0, its["case_id"])  # type: ignore[arg-type]


def _at_site_of(address: str) -> ColumnElement[bool]:
    its = (FINDINGS.c.miner_ip == address, FINDINGS.c.site_id == CASES.c.site_id, COUNTED)
    return and_(CASES.c.site_id != 0, exists().where(*its))


def _sites_called(name: str) -> Select[tuple[int]]:
    pattern = like(name)
    texts = (ENTERPRISES.c.name, ENTERPRISES.c.enterprise_id, SITES.c.address)
    joined = select(SITES.c.site_id).join(ENTERPRISES, ENTERPRISES.c.enterprise_id == SITES.c.enterprise_id)
    return joined.where(not_(IS_PERSON), or_(*(text.ilike(pattern, escape="\\") for text in texts)))
