"""The cases in their tables: opened by findings, moved by people, closed by silence, opened again by relapse. SQL within a transaction.

A case is of a site whose enterprise is named, or of an address of which nobody is named. It follows findings that are told and certain:
mining that was spoken. Its times are those of the packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from sensor.cases import silence
from sensor.cases import states as cases
from sensor.ledger.amounts import HOUR_NS
from sensor.ledger.schema import CASES, CHANGES, ROLLUPS, SERIES, WATCHED
from sensor.ledger.write.owners import Owner, clean
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.summary import State

#: From this grade on somebody is to be told.
LEAST = Grade.SPEAKS
#: A case is not asked whether it is over before so many hours of silence.
LEAST_SILENCE_HOURS = 24
Subject = tuple[int, str]


def subject(owner: Owner, address: str) -> Subject:
    """Of what a case is."""
    return (owner.site_id, "") if owner.named else (0, address)


class Casebook:
    """The cases of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: dict[Subject, dict[str, Any] | None] = {}
        self._changed: set[Subject] = set()

    def false_alarm(self, whose: Subject) -> str | None:
        """Why nothing is to be said of a subject: its case was called a false alarm."""
        case = self._case(whose)
        if case is None or case["state"] != "false-alarm":
            return None
        why = self._connection.scalar(
            select(CHANGES.c.why)
            .where(CHANGES.c.case_id == case["case_id"])
            .order_by(CHANGES.c.change_id.desc())
            .limit(1)
        )
        return f"false alarm: {why} (case {case['case_id']})"

    def saw(self, finding: Finding, whose: Subject, more_shares: bool) -> int | None:
        """A finding that is told was seen; the number of its case. A closed one relapses when shares came after it was closed."""
        case = self._case(whose)
        if case is None and finding.grade < LEAST:
            return None
        if whose[0]:
            case = self._joined(whose, case, finding)
        if case is None:
            case = self._open(whose, finding)
        elif case["state"] == "closed" and more_shares and finding.last_ns > max(case["since_ns"], case["last_ns"]):
            why = f"mining again: {finding.miner_ip} at {finding.pool_ip} port {finding.pool_port}"
            case.update(moved(self._connection, case, "relapsed", cases.SENSOR, why, finding.last_ns))
        if finding.first_ns < case["first_ns"] or finding.last_ns > case["last_ns"]:
            case |= {
                "first_ns": min(case["first_ns"], finding.first_ns),
                "last_ns": max(case["last_ns"], finding.last_ns),
            }
            self._changed.add(whose)
        return int(case["case_id"])

    def write(self) -> None:
        """Write the times of cases that were seen again."""
        for whose in self._changed:
            case = self._held[whose]
            assert case is not None
            times = {"first_ns": case["first_ns"], "last_ns": case["last_ns"]}
            self._connection.execute(update(CASES).where(CASES.c.case_id == case["case_id"]).values(times))
        self._changed.clear()

    def _case(self, whose: Subject) -> dict[str, Any] | None:
        if whose not in self._held:
            found = select(CASES).where(CASES.c.site_id == whose[0], CASES.c.address == whose[1])
            row = self._connection.execute(found).mappings().one_or_none()
            self._held[whose] = None if row is None else dict(row)
        return self._held[whose]

    def _open(self, whose: Subject, finding: Finding) -> dict[str, Any]:
        at_ns = finding.last_ns
        case: dict[str, Any] = {
            "site_id": whose[0],
            "address": whose[1],
            "state": "new",
            "since_ns": at_ns,
            "opened_ns": at_ns,
        }
        case |= {"first_ns": finding.first_ns, "last_ns": finding.last_ns}
        case["case_id"] = self._connection.scalar(insert(CASES).values(case).returning(CASES.c.case_id))
        why = f"{finding.miner_ip} mines at {finding.pool_ip} port {finding.pool_port}: {finding.grade.label}"
        _note(self._connection, case["case_id"], at_ns, "new", cases.SENSOR, why)
        self._held[whose] = case
        return case

    def _joined(self, whose: Subject, case: dict[str, Any] | None, finding: Finding) -> dict[str, Any] | None:
        """The owner of an address became known: what was begun about the address goes on as the owner's case."""
        alone = self._case((0, finding.miner_ip))
        if alone is None or alone["state"] not in cases.OPEN:
            return case
        if case is None:
            self._held[whose] = case = alone | {"site_id": whose[0], "address": ""}
            self._held[0, finding.miner_ip] = None
            self._changed.discard((0, finding.miner_ip))
            same = CASES.c.case_id == alone["case_id"]
            self._connection.execute(update(CASES).where(same).values(site_id=whose[0], address=""))
            return case
        why = f"the address is of a site known by now: goes on as case {case['case_id']}"
        alone.update(moved(self._connection, alone, "closed", cases.SENSOR, why, finding.last_ns))
        return case


@dataclass(frozen=True)
class Closed:
    """A case that the sensor closed."""

    case_id: int
    why: str


def put(connection: Connection, case_id: int, state: State, said: tuple[str, str], at_ns: int) -> State:
    """Move a case by command, `said` is who and why; the state it was in. Raises CaseError."""
    row = connection.execute(select(CASES).where(CASES.c.case_id == case_id)).mappings().one_or_none()
    if row is None:
        raise cases.CaseError(f"there is no case {case_id}")
    cases.check(row["state"], state)
    moved(connection, dict(row), state, *said, at_ns)
    before: State = row["state"]
    return before


def moved(connection: Connection, case: dict[str, Any], state: State, who: str, why: str, at_ns: int) -> dict[str, Any]:
    """Write a case's new state and its history; what changed of it."""
    changed = {"state": state, "since_ns": max(at_ns, case["since_ns"])}
    connection.execute(update(CASES).where(CASES.c.case_id == case["case_id"]).values(changed))
    _note(connection, case["case_id"], changed["since_ns"], state, who, why)
    return changed


def quiet(connection: Connection, now_ns: int, after: int, most: int) -> list[RowMapping]:
    """A page of the open cases that were silent long enough to be asked about."""
    silent = CASES.c.last_ns < now_ns - LEAST_SILENCE_HOURS * HOUR_NS
    query = (
        select(CASES)
        .where(CASES.c.state.in_(cases.OPEN), silent, CASES.c.case_id > after)
        .order_by(CASES.c.case_id)
        .limit(most)
    )
    return list(connection.execute(query).mappings())


def close_if_silent(connection: Connection, case: RowMapping, now_ns: int) -> Closed | None:
    """Close a case if its silence would be improbable for a miner that is still there."""
    known, last_hour = history(connection, case["site_id"], case["address"], now_ns)
    silent = _watched_hours(connection, last_hour + 1, now_ns // HOUR_NS)
    if silence.probability(known, silent) > silence.IMPROBABLE:
        return None
    why = silence.told(known, silent)
    moved(connection, dict(case), "closed", cases.SENSOR, why, now_ns)
    return Closed(case["case_id"], why)


def history(connection: Connection, site_id: int, address: str, now_ns: int) -> tuple[silence.History, int]:
    """What is known of a case's miners from the hours kept, and the last hour with a share (0: none)."""
    whose = SERIES.c.site_id == site_id if site_id else (SERIES.c.site_id == 0) & (SERIES.c.miner_ip == address)
    series = connection.scalars(select(SERIES.c.series_id).where(whose, SERIES.c.muted == 0)).all()
    shares: dict[int, int] = {}
    since = now_ns // HOUR_NS - silence.HISTORY_HOURS
    for start in range(0, len(series), 500):
        page = ROLLUPS.c.series_id.in_(series[start : start + 500])
        query = select(ROLLUPS.c.hour, func.sum(ROLLUPS.c.shares)).where(
            page, ROLLUPS.c.hour >= since, ROLLUPS.c.hours == 1
        )
        for hour, count in connection.execute(query.group_by(ROLLUPS.c.hour)):
            shares[hour] = shares.get(hour, 0) + int(count)
    last = max((hour for hour, count in shares.items() if count > 0), default=0)
    return silence.history(shares), last


def _watched_hours(connection: Connection, first: int, last: int) -> float:
    """Hours of listening from one hour up to another."""
    query = select(func.sum(WATCHED.c.seconds)).where(WATCHED.c.hour >= first, WATCHED.c.hour <= last)
    return float(connection.scalar(query) or 0.0) / 3_600.0


def _note(connection: Connection, case_id: int, at_ns: int, state: State, who: str, why: str) -> None:
    row = {
        "case_id": case_id,
        "at_ns": at_ns,
        "state": state,
        "who": clean(who),
        "why": why.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:2_000],
    }
    connection.execute(insert(CHANGES).values(row))
