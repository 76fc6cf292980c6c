"""The cases in their tables: opened by findings, moved by people, closed by silence, opened again by relapse. SQL
within a transaction.

A case is of a site whose enterprise is named, of one of several subscribers behind an address, or of an address of
which nobody is named. It follows findings that are reported and certain: mining that was spoken. Its times are those of
the packets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from sensor.cases import states
from sensor.cases.commands import MAX_REASON_CHARACTERS
from sensor.cases.steps import begins_round
from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import CASES, CHANGES
from sensor.ledger.write.numbers import RowNumbers
from sensor.ledger.write.owners import SiteRef
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.upsert import append, upsert
from sensor.model.finding import Finding
from sensor.model.summary import CaseSubject, State
from sensor.model.text import N_
from sensor.model.time import HOUR_NS, SECOND_NS

#: Work that opens a case: a share that was not refused within a time that is no test of a pool's latency; or so long
#: without one, by the time in which a connection was there, for tests of latency are repeated for days.
LEAST_SPAN_NS, LONG_SPAN_NS = 30 * SECOND_NS, 600 * SECOND_NS
#: A finding is recorded within this after it began; an older one was suppressed until now, and its case begins now.
FIRST_REPORT_NS = 2 * HOUR_NS


def case_subject(site: SiteRef, address: str) -> CaseSubject:
    """What a case about an address of a site is of."""
    return CaseSubject(site.site_id, "") if site.site_id else CaseSubject(0, address)


@dataclass(slots=True)
class CaseRecord:
    """One case as its table holds it."""

    case_id: int
    site_id: int
    address: str
    state: State
    since_ns: int
    opened_ns: int
    first_ns: int
    last_ns: int

    @property
    def subject(self) -> CaseSubject:
        """What it is of."""
        return CaseSubject(self.site_id, self.address)


def case_record(row: RowMapping) -> CaseRecord:
    """The case of a row of CASES."""
    return CaseRecord(**{field.name: row[field.name] for field in fields(CaseRecord)})


class CaseWriter:
    """The cases of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cases: dict[CaseSubject, CaseRecord | None] = {}
        self._numbers = RowNumbers(connection, CASES)
        self._changed: set[CaseSubject] = set()  # new, or seen again
        self._openings: list[dict[str, Any]] = []  # what is to be written of new ones

    def load(self, addresses: Collection[str]) -> None:
        """Read the cases of addresses of which nobody is named at once."""
        subjects = [CaseSubject(0, address) for address in sorted(set(addresses))]
        wanted = [subject for subject in subjects if subject not in self._cases]
        self._cases.update(dict.fromkeys(wanted))
        for start in range(0, len(wanted), PAGE):
            page = CASES.c.address.in_([subject.address for subject in wanted[start : start + PAGE]])
            for row in self._connection.execute(select(CASES).where(CASES.c.site_id == 0, page)).mappings():
                case = case_record(row)
                self._cases[case.subject] = case

    def false_alarm(self, subject: CaseSubject) -> str | None:
        """Why a subject's findings are suppressed; None unless its case was called a false alarm."""
        case = self._case(subject)
        if case is None or case.state != "false-alarm":
            return None
        history = select(CHANGES.c.state, CHANGES.c.why).where(CHANGES.c.case_id == case.case_id)
        changes = self._connection.execute(history.order_by(CHANGES.c.change_id)).all()
        why = changes[states.entered([state for state, _ in changes])][1] if changes else None
        return N_("false alarm: {why} (case {case})").format(why=why, case=case.case_id)

    def add(
        self, finding: Finding, subject: CaseSubject, more_shares: bool, wholly_since_ns: int | None = None
    ) -> int | None:
        """A reported finding was seen; the number of its case. A closed one relapses when shares came after it was
        closed. `wholly_since_ns`: from when on the address is the subject's by every port; None: it is not."""
        if not finding.counts:  # what is to be checked neither opens a case nor keeps it alive
            return None
        case = self._case(subject)
        if case is None and not _is_sustained(finding):
            return None
        if subject.site_id and wholly_since_ns is not None:
            case = self._take_over(subject, case, finding, wholly_since_ns)
        if case is None:
            case = self._open(subject, finding)
        elif (
            case.state == "closed"
            and more_shares
            and finding.last_ns > max(case.since_ns, case.last_ns)
            and _is_sustained(finding)
        ):
            self.write()
            why = N_("mining again: {miner} at {pool} port {number}").format(
                miner=finding.miner_ip, pool=finding.pool_ip, number=finding.pool_port
            )
            write_move(self._connection, case, "relapsed", states.SENSOR, why, finding.last_ns)
        if finding.first_ns < case.first_ns or finding.last_ns > case.last_ns:
            case.first_ns = min(case.first_ns, finding.first_ns)
            case.last_ns = max(case.last_ns, finding.last_ns)
            self._changed.add(subject)
        return case.case_id

    def write(self) -> None:
        """Write new cases, and the times of those that were seen again."""
        self._numbers.note()
        changed = [case for case in map(self._cases.get, self._changed) if case is not None]
        rows = [asdict(case) for case in sorted(changed, key=lambda case: case.case_id)]
        upsert(self._connection, CASES, rows, replace=("first_ns", "last_ns"))
        append(self._connection, CHANGES, self._openings)
        self._changed.clear()
        self._openings.clear()

    def _case(self, subject: CaseSubject) -> CaseRecord | None:
        if subject not in self._cases:
            query = select(CASES).where(CASES.c.site_id == subject.site_id, CASES.c.address == subject.address)
            row = self._connection.execute(query).mappings().one_or_none()
            self._cases[subject] = None if row is None else case_record(row)
        return self._cases[subject]

    def _open(self, subject: CaseSubject, finding: Finding) -> CaseRecord:
        fresh = finding.last_ns - finding.first_ns <= FIRST_REPORT_NS
        at_ns = finding.first_ns if fresh else finding.last_ns
        number = self._numbers.take()
        case = CaseRecord(number, *subject, "new", at_ns, at_ns, finding.first_ns, finding.last_ns)
        why = N_("{miner} mines at {pool} port {number}: {grade}").format(
            miner=finding.miner_ip, pool=finding.pool_ip, number=finding.pool_port, grade=finding.grade.label
        )
        self._openings.append(_change_row(case, states.SENSOR, why, at_ns))
        self._cases[subject] = case
        self._changed.add(subject)
        return case

    def _take_over(
        self, subject: CaseSubject, case: CaseRecord | None, finding: Finding, since_ns: int
    ) -> CaseRecord | None:
        """The owner of an address became known: the case of the address goes on as the owner's, if the address was its
        in all of the case's time, by every port. Else it may be another subscriber's."""
        ownerless = CaseSubject(0, finding.miner_ip)
        earlier = self._case(ownerless)
        if earlier is None or earlier.state not in states.OPEN or earlier.first_ns < since_ns:
            return case
        self.write()
        if case is None:
            self._cases[ownerless] = None
            self._changed.discard(ownerless)
            earlier.site_id, earlier.address = subject
            self._cases[subject] = earlier
            same = CASES.c.case_id == earlier.case_id
            self._connection.execute(update(CASES).where(same).values(site_id=subject.site_id, address=""))
            return earlier
        why = N_("the address is of a site known by now: goes on as case {case}").format(case=case.case_id)
        write_move(self._connection, earlier, "closed", states.SENSOR, why, finding.last_ns)
        return case


def _is_sustained(finding: Finding) -> bool:
    """Whether somebody worked for some time: a session of a moment accuses nobody, for anyone can make one up."""
    if finding.shares.submitted > finding.shares.rejected:
        return finding.last_ns - finding.first_ns >= LEAST_SPAN_NS
    return finding.active_seconds * SECOND_NS >= LONG_SPAN_NS


def write_move(
    connection: Connection, case: CaseRecord, state: State, who: str, why: str, at_ns: int, kind: str = "move"
) -> None:
    """Write a case's new state and its history, never before its last change. A due date of its own was that of the
    step before; a new round has no conclusion yet."""
    new_round = begins_round(case.state, state)
    case.state, case.since_ns = state, max(at_ns, case.since_ns)
    values: dict[str, object] = {"state": case.state, "since_ns": case.since_ns, "own_due_ns": None}
    if new_round:
        values["conclusion"] = None
    connection.execute(update(CASES).where(CASES.c.case_id == case.case_id).values(values))
    connection.execute(insert(CHANGES), _change_row(case, who, why, case.since_ns, kind))


def open_cases(connection: Connection, before_ns: int, after_id: int, most: int) -> list[CaseRecord]:
    """A page of the open cases that were last seen before a moment, in the order of their numbers."""
    quiet = CASES.c.last_ns < before_ns
    query = select(CASES).where(CASES.c.state.in_(states.OPEN), quiet, CASES.c.case_id > after_id)
    rows = connection.execute(query.order_by(CASES.c.case_id).limit(most)).mappings()
    return [case_record(row) for row in rows]


def _change_row(case: CaseRecord, who: str, why: str, at_ns: int, kind: str = "move") -> dict[str, object]:
    """The row of a step that a case took."""
    return {
        "case_id": case.case_id,
        "at_ns": at_ns,
        "state": case.state,
        "who": column_text(who),
        "why": column_text(why, MAX_REASON_CHARACTERS),
        "kind": kind,
    }
