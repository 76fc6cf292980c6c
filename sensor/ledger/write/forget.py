"""Forgets an address, an enterprise or a person: their records go, and sums that stay lose whose they were. SQL within
one transaction.

Figures of past periods stay what they were, so that they still agree with each other: the series of roll-ups go on
under a name that leads nowhere. Open cases are closed, and their history loses its sentences. What a sensor is writing
at this moment cannot be forgotten: it would come back whole with its next report.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, or_, select, update

from sensor.cases import states
from sensor.ledger.store.records import (
    dump_enterprise,
    load_enterprise,
    load_report,
    loads,
)
from sensor.ledger.store.schema import (
    ADDRESSES,
    ATTACHMENTS,
    CASES,
    CHANGES,
    CONNECTIONS,
    DEAD_LETTERS,
    ENTERPRISES,
    FINDINGS,
    LEASES,
    MACHINES,
    NODES,
    OUTBOX,
    PARTS,
    REPORTS,
    SERIES,
    SITES,
)
from sensor.ledger.write.named import FORGOTTEN, NamedSubject, names, rewrite_others
from sensor.model.attribution import Enterprise
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record

#: The beginning of names that lead nowhere.
FORGOTTEN_PREFIX = "forgotten:"
#: Rows in one query.
PAGE = 500
_WITH_HASH = (ATTACHMENTS.c.removed_why == FORGOTTEN, ATTACHMENTS.c.sha256 != "")


class ForgetError(ValueError):
    """It cannot be forgotten; one sentence."""


@dataclass(slots=True)
class Forgotten:
    """How many records of each kind went, and which findings those were."""

    findings: int = 0
    connections: int = 0
    nodes: int = 0
    machines: int = 0
    owners: int = 0  # of addresses: whose they were
    events: int = 0  # that waited for delivery
    series: int = 0  # of roll-ups that lost their address
    sites: int = 0  # that lost their premises and enterprise
    cases: int = 0  # that lost their sentences; open ones were closed
    rewritten: int = 0  # records of others that named it
    pools: int = 0  # findings of others at this address as a pool, which stay
    finding_ids: tuple[str, ...] = ()
    remains: bool = False  # whether pages that are free now may hold it yet: a sensor writes the file

    @property
    def anything(self) -> bool:
        """Whether the ledger held something of it."""
        return any((self.findings, self.nodes, self.machines, self.owners, self.series, self.sites, self.cases))


@dataclass(frozen=True, slots=True)
class ForgetSubject:
    """What is to be forgotten: an address in the form that records have, or an enterprise or person by identity."""

    address: str | None = None
    enterprise_id: str | None = None

    def forget(self, connection: Connection, now_ns: int) -> Forgotten:
        """Forget it. Raises ForgetError."""
        if self.address is not None:
            return forget_address(connection, self.address, now_ns)
        return forget_enterprise(connection, self.enterprise_id or "", now_ns)


def forget_address(connection: Connection, address: str, now_ns: int) -> Forgotten:
    """Forget an address in the form that records have. Raises ForgetError while a sensor follows it."""
    done = Forgotten()
    its_cases = _ids(connection, CASES, CASES.c.case_id, CASES.c.address == address)
    its_cases += connection.scalars(
        select(FINDINGS.c.case_id).where(FINDINGS.c.miner_ip == address, FINDINGS.c.case_id.is_not(None)).distinct()
    )
    _delete_findings(connection, done, FINDINGS.c.miner_ip == address)
    done.pools = connection.scalar(select(func.count()).where(FINDINGS.c.pool_ip == address)) or 0
    named = or_(NODES.c.address == address, NODES.c.record.contains(f'"{address}"', autoescape=True))
    done.nodes = connection.execute(delete(NODES).where(named)).rowcount
    done.machines = connection.execute(delete(MACHINES).where(MACHINES.c.miner_ip == address)).rowcount
    done.owners = connection.execute(delete(ADDRESSES).where(ADDRESSES.c.address == address)).rowcount
    _rename_series(connection, done, SERIES.c.miner_ip == address)
    own = _ids(connection, CASES, CASES.c.case_id, CASES.c.address == address)
    _close(connection, done, own, now_ns)
    for case_id in own:
        name = {"address": f"{FORGOTTEN_PREFIX}{secrets.token_hex(8)}"}
        connection.execute(update(CASES).where(CASES.c.case_id == case_id).values(name))
    _blank_address(connection, set(its_cases) - set(own), address)
    _delete_events(connection, done, set(done.finding_ids), address)
    return done


def forget_enterprise(connection: Connection, enterprise_id: str, now_ns: int) -> Forgotten:
    """Forget an enterprise or a person by identity. Raises ForgetError while a sensor follows one of its addresses."""
    done = Forgotten()
    row = connection.execute(select(ENTERPRISES).where(ENTERPRISES.c.enterprise_id == enterprise_id)).one_or_none()
    if row is None:
        raise ForgetError(f"the ledger has no enterprise and no person {enterprise_id}")
    sites = _ids(connection, SITES, SITES.c.site_id, SITES.c.enterprise_id == enterprise_id)
    held = connection.execute(
        select(ADDRESSES.c.address, ADDRESSES.c.first_ns, ADDRESSES.c.last_ns).where(ADDRESSES.c.site_id.in_(sites))
    ).all()
    _delete_findings(connection, done, FINDINGS.c.site_id.in_(sites))
    for address, first_ns, last_ns in held:
        its = (NODES.c.address == address, NODES.c.last_ns >= first_ns, NODES.c.first_ns <= last_ns)
        done.nodes += connection.execute(delete(NODES).where(*its)).rowcount
    done.machines = connection.execute(delete(MACHINES).where(MACHINES.c.site_id.in_(sites))).rowcount
    done.owners = connection.execute(delete(ADDRESSES).where(ADDRESSES.c.site_id.in_(sites))).rowcount
    _rename_series(connection, done, SERIES.c.site_id.in_(sites))
    cases = _ids(connection, CASES, CASES.c.case_id, CASES.c.site_id.in_([site for site in sites if site]))
    _close(connection, done, cases, now_ns)
    streets = connection.scalars(
        select(SITES.c.address).where(SITES.c.site_id.in_(sites), SITES.c.address.is_not(None))
    )
    enterprise = load_enterprise(row.record)
    subject = NamedSubject(enterprise_id, (enterprise.name, *enterprise.aliases, enterprise.uscc or "", *streets))
    _anonymise(connection, done, enterprise, sites)
    done.rewritten = rewrite_others(connection, subject)
    _delete_events(connection, done, set(done.finding_ids), None, enterprise_id)
    return done


def _ids(connection: Connection, table: Table, column: ColumnElement[int], where: ColumnElement[bool]) -> list[int]:
    return list(connection.scalars(select(column).select_from(table).where(where)))


def _delete_findings(connection: Connection, done: Forgotten, where: ColumnElement[bool]) -> None:
    """Delete findings with their parts and connections. Raises ForgetError if a sensor follows one of them now."""
    found = list(connection.scalars(select(FINDINGS.c.finding_id).where(where)))
    leased = select(LEASES.c.run_id)
    for start in range(0, len(found), PAGE):
        page = found[start : start + PAGE]
        followed = (PARTS.c.finding_id.in_(page), PARTS.c.state != "closed", PARTS.c.run_id.in_(leased))
        count = connection.scalar(select(func.count(func.distinct(PARTS.c.finding_id))).where(*followed))
        if count:
            raise ForgetError(
                f"{count} of its findings {'is' if count == 1 else 'are'} open at a running sensor, which would report "
                "it again: wait until it ends, or stop the sensor"
            )
        connection.execute(delete(PARTS).where(PARTS.c.finding_id.in_(page)))
        gone = delete(CONNECTIONS).where(CONNECTIONS.c.finding_id.in_(page))
        done.connections += connection.execute(gone).rowcount
        done.findings += connection.execute(delete(FINDINGS).where(FINDINGS.c.finding_id.in_(page))).rowcount
    done.finding_ids = tuple(found)


def _rename_series(connection: Connection, done: Forgotten, where: ColumnElement[bool]) -> None:
    """Give series of roll-ups a name that leads nowhere, one for each address, so that addresses are still counted."""
    for address in list(connection.scalars(select(SERIES.c.miner_ip).where(where).distinct())):
        if address.startswith(FORGOTTEN_PREFIX):
            continue
        name = {"miner_ip": f"{FORGOTTEN_PREFIX}{secrets.token_hex(8)}"}
        done.series += connection.execute(
            update(SERIES).where(where, SERIES.c.miner_ip == address).values(name)
        ).rowcount


def _close(connection: Connection, done: Forgotten, cases: Sequence[int], now_ns: int) -> None:
    """Cases lose their sentences; open ones are closed."""
    for case_id in cases:
        its = CASES.c.case_id == case_id
        if connection.scalar(select(CASES.c.state).where(its)) in states.OPEN:
            connection.execute(update(CASES).where(its).values(state="closed", since_ns=now_ns))
            change = {"case_id": case_id, "at_ns": now_ns, "state": "closed", "who": states.SENSOR, "why": FORGOTTEN}
            change |= {"kind": "move"}
            connection.execute(insert(CHANGES).values(change))
        connection.execute(update(CASES).where(its).values(own_due_ns=None, conclusion=None, assignee=None))
        connection.execute(update(CHANGES).where(CHANGES.c.case_id == case_id).values(why=FORGOTTEN, details=None))
        _forget_files(connection, case_id, now_ns)
        done.cases += 1


def _forget_files(connection: Connection, case_id: int, now_ns: int) -> None:
    """Of a case's files there stays that there were some. Their hashes stay until the files are deleted, by whoever
    comes to it."""
    its = ATTACHMENTS.c.case_id == case_id
    gone = {"removed_ns": now_ns, "removed_by": states.SENSOR}
    connection.execute(update(ATTACHMENTS).where(its, ATTACHMENTS.c.removed_ns.is_(None)).values(gone))
    connection.execute(update(ATTACHMENTS).where(its).values(name=FORGOTTEN, removed_why=FORGOTTEN))


def has_hashes(connection: Connection) -> bool:
    """Whether forgotten files have their hashes yet."""
    return connection.execute(select(ATTACHMENTS.c.case_id).where(*_WITH_HASH).limit(1)).first() is not None


def blank_hashes(connection: Connection) -> None:
    """Forgotten files, which are deleted now, lose their hashes."""
    connection.execute(update(ATTACHMENTS).where(*_WITH_HASH).values(sha256=""))


def _blank_address(connection: Connection, cases: Iterable[int], address: str) -> None:
    """The history of a site's case loses one address."""
    whole = re.compile(rf"(?<![0-9A-Fa-f:.]){re.escape(address)}(?![0-9A-Fa-f:]|\.\d)")
    for case_id in cases:
        changes = connection.execute(select(CHANGES).where(CHANGES.c.case_id == case_id)).all()
        for change in changes:
            why = whole.sub(FORGOTTEN, change.why)
            details = None if change.details is None else whole.sub(FORGOTTEN, change.details)
            if (why, details) != (change.why, change.details):
                its = CHANGES.c.change_id == change.change_id
                connection.execute(update(CHANGES).where(its).values(why=why, details=details))
        for file in connection.execute(select(ATTACHMENTS).where(ATTACHMENTS.c.case_id == case_id)).all():
            name = whole.sub(FORGOTTEN, file.name)
            if name != file.name:
                its_row = (ATTACHMENTS.c.case_id == case_id, ATTACHMENTS.c.number == file.number)
                connection.execute(update(ATTACHMENTS).where(*its_row).values(name=name))


def _anonymise(connection: Connection, done: Forgotten, enterprise: Enterprise, sites: Sequence[int]) -> None:
    """Sites stay for their sums, as those of somebody of the same category, in the same city."""
    nobody = Enterprise(f"{FORGOTTEN_PREFIX}{secrets.token_hex(8)}", FORGOTTEN, None, enterprise.category)
    row = {"enterprise_id": nobody.enterprise_id, "name": nobody.name, "record": dump_enterprise(nobody)}
    connection.execute(insert(ENTERPRISES).values(row))
    for site_id in sites:
        its = SITES.c.site_id == site_id
        division = connection.scalar(select(SITES.c.division).where(its))
        values = {
            "site_key": secrets.token_hex(20),
            "enterprise_id": nobody.enterprise_id,
            "address": None,
            "division": f"{division[:4]}00" if division and len(division) == 6 else None,
            "division_name": None,
        }
        done.sites += connection.execute(update(SITES).where(its).values(values)).rowcount
    its = ENTERPRISES.c.enterprise_id == enterprise.enterprise_id
    connection.execute(delete(ENTERPRISES).where(its))


def _delete_events(
    connection: Connection,
    done: Forgotten,
    finding_ids: set[str],
    address: str | None,
    enterprise_id: str | None = None,
) -> None:
    """Events and reports that wait for delivery go, if they are of it or name it."""

    def is_its(record: Record) -> bool:
        if isinstance(record, Finding):
            return record.finding_id in finding_ids or (enterprise_id is not None and names(record, enterprise_id))
        return isinstance(record, Node) and address in (record.key.src_ip, record.key.dest_ip)

    done.events += _delete_queued(connection, OUTBOX, lambda text: is_its(loads(text)))
    done.events += _delete_queued(connection, REPORTS, lambda text: any(map(is_its, load_report(text).records)))
    done.events += _delete_letters(connection, [name for name in (address, enterprise_id) if name])


def _delete_letters(connection: Connection, names_of_it: Sequence[str]) -> int:
    """Delete messages that were put aside and have one of these names; nobody could read them, so bytes decide."""
    quoted = [f'"{name}"'.encode() for name in names_of_it]
    gone = [
        letter_id
        for letter_id, body in connection.execute(select(DEAD_LETTERS.c.letter_id, DEAD_LETTERS.c.body))
        if any(name in bytes(body) for name in quoted)
    ]
    for start in range(0, len(gone), PAGE):
        connection.execute(delete(DEAD_LETTERS).where(DEAD_LETTERS.c.letter_id.in_(gone[start : start + PAGE])))
    return len(gone)


def _delete_queued(connection: Connection, table: Table, is_its: Callable[[str], bool]) -> int:
    """Delete the rows of an outbox whose record is to go; how many."""
    after, count = 0, 0
    while True:
        query = select(table.c.sequence, table.c.record).where(table.c.sequence > after).order_by(table.c.sequence)
        page = connection.execute(query.limit(PAGE)).all()
        if not page:
            return count
        after = page[-1].sequence
        gone = [sequence for sequence, text in page if is_its(text)]
        if gone:
            count += connection.execute(delete(table).where(table.c.sequence.in_(gone))).rowcount
