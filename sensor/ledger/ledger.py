"""The ledger itself: records in, each step one transaction; what is known of an address out.

Called from the line's thread; makes no network call unless its URL names a database elsewhere. It judges nothing and formats nothing.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, delete, func, or_, select, update

from sensor.ledger.amounts import HOUR_NS
from sensor.ledger.bounds import Bounds
from sensor.ledger.database import connect, reading, writing
from sensor.ledger.outbox import Outbox
from sensor.ledger.records import Record, dumps, loads, packed
from sensor.ledger.schema import FINDINGS, NODES
from sensor.ledger.write import casebook, rollups
from sensor.ledger.write.step import ASKED, Findings, Nodes, finding_of
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.summary import State

#: Silent cases that are looked at in one transaction, and pages of series that are aged at once: the line waits for both.
REVIEWED, AGED = 50, 4
DEFAULT_BOUNDS = Bounds()
NOT_MUTED: Mapping[str, str] = {}


@dataclass(frozen=True)
class Entry:
    """One finding as the ledger holds it."""

    finding: Finding
    muted: str | None  # why nothing was sent about it
    recorded_ns: int
    run_id: str


class Ledger:
    """One database. Reading may be done from any thread; recording from one at a time."""

    def __init__(self, engine: Engine, bounds: Bounds, run_id: str) -> None:
        self.run_id = run_id
        self.engine = engine
        self._bounds = bounds
        self._lock = threading.Lock()
        self._reviewed = 0  # the case that was looked at last
        self._aged: int | None = None  # the day before which hours become days
        self._aging: int | None = None  # the series that was looked at last for that; None: all were
        self.outbox = Outbox(engine, bounds.outbox_rows, bounds.outbox_bytes, self._lock)

    @classmethod
    def open(cls, url: str, *, bounds: Bounds = DEFAULT_BOUNDS, run_id: str | None = None) -> Ledger:
        """Open or create a database (`sqlite:////var/lib/minewatch/ledger.db`, `postgresql+psycopg://...`) and bring its schema up to date.

        `run_id` names the process that follows findings; a fresh one if none is given. Raises LedgerError, one sentence.
        """
        ledger = cls(connect(url), bounds, run_id or secrets.token_hex(8))
        while ledger._fill():
            pass
        return ledger

    def close(self) -> None:
        """Give the database back."""
        self.engine.dispose()

    def record(self, records: Sequence[Record], now_ns: int, muted: Mapping[str, str] = NOT_MUTED) -> list[Record]:
        """Record a step: all of it, or (LedgerError) nothing. Returns the records as they now stand, with what earlier runs knew.

        `muted` gives for the identity of a finding why nothing is to be sent about it.
        """
        if not records:
            return []
        with self._lock, writing(self.engine) as connection:
            findings = Findings(
                connection, [one.finding_id for one in records if isinstance(one, Finding)], self.run_id, now_ns
            )
            nodes = Nodes(connection, [one.node_id for one in records if isinstance(one, Node)], now_ns)
            events: list[Record] = []
            recorded: list[Record] = []
            for one in records:
                told = findings.take(one, muted.get(one.finding_id)) if isinstance(one, Finding) else nodes.take(one)
                recorded.append(told[0])
                if told[1]:
                    events.append(told[0])
            findings.write()
            nodes.write()
            self.outbox.append(connection, events, now_ns)
        return recorded

    def close_stale(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close findings of earlier runs that were not seen again for so long; each is an event unless muted. Raises LedgerError."""
        closed: list[Finding] = []
        while page := self._close_page(now_ns, silence_ns):
            closed += page
        return closed

    def _close_page(self, now_ns: int, silence_ns: int) -> list[Finding]:
        """Close a bounded number of them, in one transaction."""
        query = select(FINDINGS).where(
            FINDINGS.c.state != "closed", FINDINGS.c.run_id != self.run_id, FINDINGS.c.last_ns < now_ns - silence_ns
        )
        closed: list[Finding] = []
        with self._lock, writing(self.engine) as connection:
            for row in (
                connection.execute(query.order_by(FINDINGS.c.last_ns, FINDINGS.c.finding_id).limit(ASKED))
                .mappings()
                .all()
            ):
                finding = dataclasses.replace(finding_of(row["record"]), state="closed")
                same = FINDINGS.c.finding_id == finding.finding_id
                connection.execute(
                    update(FINDINGS)
                    .where(same)
                    .values(state="closed", record=packed(dumps(finding)), recorded_ns=now_ns)
                )
                if row["muted"] is None:
                    self.outbox.append(connection, [finding], now_ns)
                closed.append(finding)
        return closed

    def findings(
        self,
        address: str | None = None,
        state: str | None = None,
        *,
        finding_id: str | None = None,
        limit: int = 10_000,
    ) -> list[Entry]:
        """What is known, newest first: of a miner's or pool's address, in a state ("opened", "updated", "closed", or "open" for both
        of the first), or of one identity. Raises LedgerError."""
        query = select(FINDINGS).order_by(FINDINGS.c.last_ns.desc(), FINDINGS.c.finding_id).limit(limit)
        if address is not None:
            query = query.where(or_(FINDINGS.c.miner_ip == address, FINDINGS.c.pool_ip == address))
        if finding_id is not None:
            query = query.where(FINDINGS.c.finding_id == finding_id)
        if state == "open":
            query = query.where(FINDINGS.c.state != "closed")
        elif state is not None:
            query = query.where(FINDINGS.c.state == state)
        with reading(self.engine) as connection:
            rows = connection.execute(query).mappings().all()
        return [Entry(finding_of(row["record"]), row["muted"], row["recorded_ns"], row["run_id"]) for row in rows]

    def open_findings(self, after: str = "", most: int = 500) -> list[Finding]:
        """A page of the findings that are open and not muted, in the order of their identities. Raises LedgerError."""
        query = select(FINDINGS.c.record).where(
            FINDINGS.c.state != "closed", FINDINGS.c.muted.is_(None), FINDINGS.c.finding_id > after
        )
        with reading(self.engine) as connection:
            return [
                finding_of(text) for text in connection.scalars(query.order_by(FINDINGS.c.finding_id).limit(most)).all()
            ]

    def nodes(self, address: str | None = None, limit: int = 10_000) -> list[Node]:
        """The nodes known, newest first, of an address or all. Raises LedgerError."""
        query = select(NODES.c.record).order_by(NODES.c.last_ns.desc(), NODES.c.node_id).limit(limit)
        if address is not None:
            query = query.where(NODES.c.address == address)
        with reading(self.engine) as connection:
            texts = connection.scalars(query).all()
        return [one for one in map(loads, texts) if isinstance(one, Node)]

    def watched(self, from_ns: int, to_ns: int, *, anew: bool = True) -> None:
        """The sensor listened from one moment to another: only then silence says anything. Not `anew`: this may have been said before
        (a capture that is replayed). Raises LedgerError."""
        if to_ns > from_ns:
            with self._lock, writing(self.engine) as connection:
                rollups.watched(connection, from_ns, to_ns, anew)

    def set_case(self, case_id: int, state: State, said: tuple[str, str], now_ns: int) -> State:
        """Move a case; `said` is who and why. The state it was in. Raises LedgerError, or CaseError if it cannot go there."""
        with self._lock, writing(self.engine) as connection:
            return casebook.put(connection, case_id, state, said, now_ns)

    def review(self, now_ns: int, most: int = 1 << 62) -> list[casebook.Closed]:
        """Close the cases whose silence would be improbable if somebody still mined; those that were closed. Raises LedgerError.

        At most so many are looked at (a few more); the next call goes on with those after them.
        """
        closed: list[casebook.Closed] = []
        while most > 0:
            with self._lock, writing(self.engine) as connection:
                page = casebook.quiet(connection, now_ns, self._reviewed, REVIEWED)
                done = [casebook.close_if_silent(connection, case, now_ns) for case in page]
            closed += [one for one in done if one is not None]
            self._reviewed = page[-1]["case_id"] if page else 0
            most = most - len(page) if page else 0
        return closed

    def _fill(self) -> int:
        """Roll up a page of the findings that never were (a ledger of before there were roll-ups); how many."""
        with reading(self.engine) as connection:
            missing = list(
                connection.scalars(select(FINDINGS.c.finding_id).where(FINDINGS.c.rolled.is_(None)).limit(ASKED))
            )
        if missing:
            with self._lock, writing(self.engine) as connection:
                findings = Findings(connection, missing, self.run_id, time.time_ns())
                findings.fill()
                findings.write()
        return len(missing)

    def prune(self, now_ns: int) -> int:
        """Delete what is older than the bounds allow, and the oldest of what is more than they allow; how many. Raises LedgerError.

        Roll-ups of a bounded number of series are looked at, once a day: hours that are old become days. Call it now and then.
        """
        gone = self._age(now_ns)
        bounds, since_ns = self._bounds, now_ns - self._bounds.closed_ns
        closed = FINDINGS.c.state == "closed"
        with self._lock, writing(self.engine) as connection:
            gone += connection.execute(delete(FINDINGS).where(closed, FINDINGS.c.last_ns < since_ns)).rowcount
            gone += connection.execute(delete(NODES).where(NODES.c.last_ns < since_ns)).rowcount
            rollups.prune(connection, now_ns - bounds.rollups_ns)
            for table, most in ((FINDINGS, bounds.findings), (NODES, bounds.nodes)):
                over = (connection.scalar(select(func.count()).select_from(table)) or 0) - most
                if over > 0:
                    key = next(iter(table.primary_key))
                    first = (table.c.state != "closed", table.c.last_ns) if table is FINDINGS else (table.c.last_ns,)
                    gone += connection.execute(
                        delete(table).where(key.in_(select(key).order_by(*first).limit(over)))
                    ).rowcount
        return gone

    def _age(self, now_ns: int) -> int:
        """Go on with today's round over the series; how many rows went."""
        bounds, gone = self._bounds, 0
        hour, offset = (now_ns - bounds.hours_ns) // HOUR_NS, bounds.day_offset_hours
        day = (hour + offset) // 24 * 24 - offset
        if self._aged != day:
            self._aged, self._aging = day, 0
        for _ in range(AGED):
            if self._aging is None:
                break
            with self._lock, writing(self.engine) as connection:
                after, went = rollups.age(connection, self._aging, day, (now_ns - bounds.rollups_ns) // HOUR_NS)
            self._aging, gone = after or None, gone + went
        return gone
