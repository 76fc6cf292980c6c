"""Reads cases, whole, as they were at the end of a period or are now. SQL in, plain data out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, func, or_, select

from sensor.cases import states
from sensor.cases.steps import work_of
from sensor.ledger.read.owners import UNKNOWN_OWNER, SiteOwner, site_owners
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.store.records import readable
from sensor.ledger.store.schema import CASES, CHANGES, COUNTED_SERIES, FINDINGS, SERIES
from sensor.model.evidence import Grade
from sensor.model.summary import Case, CaseSubject, Change

FOREVER = 1 << 62


def cases(
    connection: Connection,
    from_ns: int = 0,
    to_ns: int = FOREVER,
    case_id: int | None = None,
    chosen: Selection = ALL,
    case_ids: Collection[int] | None = None,
) -> dict[CaseSubject, Case]:
    """The cases opened before a moment, with what had become of them until then.

    A false alarm is one whenever it was called so: what turned out to be wrong is not shown of the past either.
    `from_ns` leaves out cases that had ended before it.
    """
    query = select(CASES).where(CASES.c.opened_ns < to_ns, CASES.c.last_ns >= 0, chosen.cases)
    query = query.order_by(CASES.c.case_id)
    history = select(CHANGES).where(CHANGES.c.at_ns < to_ns).order_by(CHANGES.c.case_id, CHANGES.c.change_id)
    if case_id is not None:
        query, history = query.where(CASES.c.case_id == case_id), history.where(CHANGES.c.case_id == case_id)
    if case_ids is not None:
        query, history = query.where(CASES.c.case_id.in_(case_ids)), history.where(CHANGES.c.case_id.in_(case_ids))
    rows = connection.execute(query).mappings().all()
    changes: dict[int, list[Change]] = defaultdict(list)
    for row in connection.execute(history).mappings():
        changes[row["case_id"]].append(_change(row))
    owners = site_owners(connection, (row["site_id"] for row in rows))
    found: dict[CaseSubject, Case] = {}
    for row in rows:
        case = _case(row, changes[row["case_id"]], owners.get(row["site_id"], UNKNOWN_OWNER))
        if case.state != "closed" or max(case.since_ns, case.last_ns) >= from_ns:
            found[CaseSubject(row["site_id"], row["address"])] = case
    return found


def addresses(connection: Connection, case: Case) -> list[str]:
    """The addresses that a case is about."""
    if case.site_id is None:
        return [case.address or ""]
    query = select(SERIES.c.miner_ip).where(SERIES.c.site_id == case.site_id, COUNTED_SERIES)
    return list(connection.scalars(query.distinct().order_by(SERIES.c.miner_ip)))


def of_address(connection: Connection, address: str) -> list[Case]:
    """The cases that an address belongs to: its own, and those of sites that it was seen to mine for."""
    at_sites = select(SERIES.c.site_id).where(SERIES.c.miner_ip == address, COUNTED_SERIES).distinct()
    its = [site_id for site_id in connection.scalars(at_sites) if site_id]
    query = select(CASES.c.case_id).where(or_(CASES.c.address == address, CASES.c.site_id.in_(its)))
    wanted = list(connection.scalars(query.order_by(CASES.c.case_id)))
    return [case for case_id in wanted for case in cases(connection, case_id=case_id).values()]


def grades(connection: Connection) -> dict[int, Grade]:
    """The highest grade of the findings of each case, by its number; of some none are kept any more."""
    query = select(FINDINGS.c.case_id, func.max(FINDINGS.c.grade)).where(FINDINGS.c.case_id.is_not(None))
    return {case_id: Grade(grade) for case_id, grade in connection.execute(query.group_by(FINDINGS.c.case_id))}


def logins(connection: Connection, case_id: int) -> list[str]:
    """The logins, or wallets, of a case's findings."""
    query = select(FINDINGS.c.wallet).where(FINDINGS.c.case_id == case_id, FINDINGS.c.wallet.is_not(None))
    return list(connection.scalars(query.distinct().order_by(FINDINGS.c.wallet)))


def _change(row: RowMapping) -> Change:
    with readable():
        details = None if row["details"] is None else json.loads(row["details"])
    return Change(row["at_ns"], row["state"], row["who"], row["why"], row["kind"], details)


def _case(row: RowMapping, changes: list[Change], owner: SiteOwner) -> Case:
    state, since_ns = row["state"], row["since_ns"]
    if state != "false-alarm" and changes:
        entered = changes[states.entered([change.state for change in changes])]
        state, since_ns = entered.state, entered.at_ns
    with readable():
        work = work_of(changes)
    return Case(
        case_id=row["case_id"],
        state=state,
        since_ns=since_ns,
        opened_ns=row["opened_ns"],
        due_ns=work.own_due_ns or states.due_ns(state, since_ns),
        site_id=row["site_id"] or None,
        address=row["address"] or (owner.site.address if owner.site and not owner.enterprise else None),
        enterprise=owner.enterprise,
        site=owner.site,
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        changes=tuple(changes),
        work=work,
    )
