"""Cases read out of the ledger, whole, as they stood at the end of a period or stand now. SQL in, plain data out."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, RowMapping, func, select

from sensor.cases import states as cases
from sensor.ledger.database import reading
from sensor.ledger.ledger import Ledger
from sensor.ledger.schema import ADDRESSES, CASES, CHANGES, SERIES
from sensor.ledger.write.owners import attribution, sites
from sensor.model.attribution import Attribution, Enterprise, Site
from sensor.model.summary import Case, Change

FOREVER = 1 << 62


def case_files(
    connection: Connection, from_ns: int = 0, to_ns: int = FOREVER, case_id: int | None = None
) -> dict[tuple[int, str], Case]:
    """By subject (site, or 0 and an address) the cases opened before a moment, with what had become of them until then.

    A false alarm is one whenever it was called so: what is known to be wrong is not told of the past either. `from_ns` leaves out
    cases that had ended before it.
    """
    query = select(CASES).where(CASES.c.opened_ns < to_ns, CASES.c.last_ns >= 0).order_by(CASES.c.case_id)
    history = select(CHANGES).where(CHANGES.c.at_ns < to_ns).order_by(CHANGES.c.case_id, CHANGES.c.change_id)
    if case_id is not None:
        query, history = query.where(CASES.c.case_id == case_id), history.where(CHANGES.c.case_id == case_id)
    rows = connection.execute(query).mappings().all()
    changes: dict[int, list[Change]] = defaultdict(list)
    for row in connection.execute(history).mappings():
        changes[row["case_id"]].append(Change(row["at_ns"], row["state"], row["who"], row["why"]))
    known = sites(connection, [row["site_id"] for row in rows])
    made = {
        (row["site_id"], row["address"]): _case(row, changes[row["case_id"]], known.get(row["site_id"], (None, None)))
        for row in rows
    }
    ended = ("closed",)
    return {
        whose: one for whose, one in made.items() if one.state not in ended or max(one.since_ns, one.last_ns) >= from_ns
    }


def cases_of(ledger: Ledger, case_id: int | None = None) -> list[Case]:
    """All cases as they stand now, or one. Raises LedgerError."""
    with reading(ledger.engine) as connection:
        return list(case_files(connection, case_id=case_id).values())


def newest_ns(ledger: Ledger) -> int | None:
    """When the last of all mining was seen. Raises LedgerError."""
    with reading(ledger.engine) as connection:
        newest: int | None = connection.scalar(select(func.max(SERIES.c.last_ns)))
    return newest


def attributions(ledger: Ledger, address: str) -> list[tuple[int, int, Attribution]]:
    """Whose an address was: from when, until when, by what. Raises LedgerError."""
    query = (
        select(ADDRESSES)
        .where(ADDRESSES.c.address == address, ADDRESSES.c.record.is_not(None))
        .order_by(ADDRESSES.c.first_ns)
    )
    with reading(ledger.engine) as connection:
        return [(row.first_ns, row.last_ns, attribution(row.record)) for row in connection.execute(query)]


def addresses_of(ledger: Ledger, case: Case) -> list[str]:
    """The addresses that a case is about. Raises LedgerError."""
    if case.site_id is None:
        return [case.address or ""]
    query = (
        select(SERIES.c.miner_ip)
        .where(SERIES.c.site_id == case.site_id, SERIES.c.muted == 0)
        .distinct()
        .order_by(SERIES.c.miner_ip)
    )
    with reading(ledger.engine) as connection:
        return list(connection.scalars(query))


def _case(row: RowMapping, changes: list[Change], place: tuple[Enterprise | None, Site | None]) -> Case:
    state, since_ns = row["state"], row["since_ns"]
    if state != "false-alarm" and changes:
        state, since_ns = changes[-1].state, changes[-1].at_ns
    return Case(
        case_id=row["case_id"],
        state=state,
        since_ns=since_ns,
        opened_ns=row["opened_ns"],
        due_ns=cases.due_ns(state, since_ns),
        site_id=row["site_id"] or None,
        address=row["address"] or None,
        enterprise=place[0],
        site=place[1],
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        changes=tuple(changes),
    )
