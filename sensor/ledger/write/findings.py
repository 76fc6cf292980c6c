"""The findings of one step as a transaction: taken one after another, then written. SQL within the transaction.

What one run counted is a part; the finding is the sum of its parts less their overlap. It decides nothing itself: what
a finding becomes is decided in `lifecycle.py`, the sum in `merge.py`, what is rolled up in `rollup_plan.py`, what
becomes of cases in `cases.py`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, RowMapping

from sensor.ledger.store.amounts import Amounts
from sensor.ledger.store.records import column_text, dump_overlaps, dumps, load_finding, load_overlaps, packed
from sensor.ledger.store.schema import FINDINGS
from sensor.ledger.write.amounts_of import amounts_by_algorithm
from sensor.ledger.write.cases import CaseWriter, case_subject
from sensor.ledger.write.connections import ConnectionWriter
from sensor.ledger.write.handover import hand_over
from sensor.ledger.write.holders import HolderSites, times_of
from sensor.ledger.write.lifecycle import HeldFinding, Part, advance
from sensor.ledger.write.machines import MachineWriter
from sensor.ledger.write.merge import sum_parts
from sensor.ledger.write.owners import Owners, OwnerWriter
from sensor.ledger.write.parts import PartBook, Reporter
from sensor.ledger.write.record_change import RecordChange
from sensor.ledger.write.rollup_plan import RollupTarget, plan_rollup
from sensor.ledger.write.rollup_state import RollupState, SeriesKey
from sensor.ledger.write.rollups import RollupWriter
from sensor.ledger.write.rows import rows_of, write_rows
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.text import endpoint_text


@dataclass(slots=True)
class FindingLinks:
    """What a finding's row holds beside its record."""

    rollup: RollupState | None = None  # None: nothing of it is in the roll-ups yet
    site_id: int = 0
    case_id: int | None = None
    overlaps: dict[str, DoubleCount] = field(default_factory=dict)  # by algorithm, what its parts have twice


class FindingWriter:
    """The findings of one step of one run."""

    def __init__(self, connection: Connection, findings: Sequence[Finding], reporter: Reporter, now_ns: int) -> None:
        self._connection, self._reporter, self._now_ns = connection, reporter, now_ns
        self._connections = ConnectionWriter(connection, findings)
        identities = [finding.finding_id for finding in findings]
        rows = rows_of(connection, FINDINGS, identities)
        self._held = {row["finding_id"]: held_finding(row) for row in rows}
        self._links = {row["finding_id"]: _links(row) for row in rows}
        self._parts = PartBook(connection, identities, reporter)
        self._stored = set(self._held)
        self._changed: dict[str, HeldFinding] = {}
        self._owners, self._cases = OwnerWriter(connection), CaseWriter(connection)
        self._rollups, self._machines = RollupWriter(connection), MachineWriter(connection)

    def add(self, record: Finding, suppressed: str | None) -> tuple[Finding, bool]:
        """The finding as the ledger has it after this record, and whether that is an event."""
        named = self._named(record)
        nameless, record = named is not None, named or record
        identity = record.finding_id
        before = self._held.get(identity)
        owners, earlier = self._owners.add(record), self._sites_before(identity)
        false_alarm = self._cases.false_alarm(case_subject(owners.last, record.miner_ip))
        suppressed_sites = self._suppressed_sites(owners, record, suppressed)
        suppressed = suppressed or false_alarm
        taken = self._parts.take(record, suppressed, nameless=nameless)
        if taken is None and before is not None:
            return before.finding, False
        links = self._links.setdefault(identity, FindingLinks())
        if taken is not None and taken.flows:
            older = [flow for part in self._parts.of(identity) for flow in _flows(part) if not flow.seen_by]
            flows = [_on_true_time(flow, self._reporter.clock_offset_ns) for flow in taken.flows]
            change = self._connections.add(identity, self._reporter.sensor_id, taken.run_id, flows, older)
            for algorithm, overlap in change.items():
                links.overlaps[algorithm] = links.overlaps.get(algorithm, NO_OVERLAP).plus(overlap)
        if suppressed is not None and false_alarm is None and self._is_reported_elsewhere(identity):
            suppressed = None
        after, reported = self._advance(before, identity, suppressed)
        if after is not before:
            news = None if taken is None else taken.news
            self._change(after, RecordChange(record, owners, earlier, news, suppressed_sites))
        elif taken is not None:  # no news, but the row says what its parts have twice
            self._changed[identity] = after
        return after.finding, reported

    def close(self, identity: str) -> tuple[Finding, bool]:
        """Close every part of a finding: no run follows it any more. What it is then, and whether that is an event."""
        before = self._held[identity]
        self._parts.close(identity)
        after, reported = self._advance(before, identity, before.suppressed)
        self._held[identity] = self._changed[identity] = after
        return after.finding, reported

    def roll_up(self) -> None:
        """Roll up what is in the table and never was: a ledger of before there were roll-ups."""
        for identity, held in list(self._held.items()):
            self._links[identity].rollup = None
            self._change(held, RecordChange(held.finding, self._owners.add(held.finding)))

    def write(self) -> None:
        """Put what changed into the tables."""
        self._rollups.write()
        self._cases.write()
        self._machines.write()
        self._connections.write()
        self._parts.write()
        write_rows(self._connection, FINDINGS, [self._row(held) for held in self._changed.values()], self._stored)

    def _named(self, record: Finding) -> Finding | None:
        """A record without a login, or without the pool that a proxy was asked for, as one of the finding that all its
        connections are of: they were joined later, or another sensor heard it. None where that is not so."""
        if record.dialect is None or not record.flows or (record.login is not None and record.pool_host is not None):
            return None
        of_flows = [self._connections.findings_of(flow) - {record.finding_id} for flow in record.flows]
        shared = sorted(set.intersection(*of_flows))
        self._load([identity for identity in shared if identity not in self._held])
        for identity in shared:
            held = self._held[identity].finding if identity in self._held else None
            if held is not None and _says_more(held, record):
                return dataclasses.replace(record, finding_id=identity)
        return None

    def _load(self, identities: Sequence[str]) -> None:
        rows = rows_of(self._connection, FINDINGS, identities)
        self._held.update((row["finding_id"], held_finding(row)) for row in rows)
        self._links.update((row["finding_id"], _links(row)) for row in rows)
        self._stored |= {row["finding_id"] for row in rows}
        self._parts.load(identities)

    def _is_reported_elsewhere(self, identity: str) -> bool:
        """Whether another sensor follows a finding now and does not suppress it: one that reports it is enough."""
        others = (part for part in self._parts.of(identity) if part.sensor_id != self._reporter.sensor_id)
        return any(part.is_open and part.suppressed is None for part in others)

    def _advance(self, before: HeldFinding | None, identity: str, suppressed: str | None) -> tuple[HeldFinding, bool]:
        parts = self._parts.of(identity)
        findings = [part.finding for part in parts if part.finding is not None]
        seen_by = {part.sensor_id for part in parts if part.finding is not None and part.sensor_id}
        merged = dataclasses.replace(
            sum_parts(findings, self._links[identity].overlaps), seen_by=tuple(sorted(seen_by))
        )
        return advance(before, merged, is_open=any(part.is_open for part in parts), suppressed=suppressed)

    def _sites_before(self, identity: str) -> HolderSites | None:
        """Whose the address was by the present run's record before; None if there is none."""
        mine = [
            part.finding
            for part in self._parts.of(identity)
            if part.sensor_id == self._reporter.sensor_id
            and part.run_id.startswith(self._reporter.run_id)
            and part.finding is not None
        ]
        return self._owners.of(max(mine, key=lambda finding: finding.last_ns)).sites if mine else None

    def _suppressed_sites(self, owners: Owners, record: Finding, suppressed: str | None) -> dict[int, bool]:
        """Which of several sites of a record are muted: all, or those whose case is a false alarm."""
        sites = {stretch.site for stretch in owners.stretches}
        return {
            site.site_id: suppressed is not None
            or self._cases.false_alarm(case_subject(site, record.miner_ip)) is not None
            for site in sites
            if len(sites) > 1
        }

    def _change(self, after: HeldFinding, change: RecordChange) -> None:
        """Bring a finding's change to the roll-ups, its case and its machines."""
        finding, record, sites = after.finding, change.record, change.owners.sites
        identity = finding.finding_id
        before = self._held.get(identity)
        links = self._links.setdefault(identity, FindingLinks())
        shares_before = _shares_by_site(links.rollup)
        if links.rollup is not None:
            read = partial(self._rollups.hours, finding.miner_ip)
            links.rollup, moves = hand_over(links.rollup, sites, change.earlier, times_of(record), read)
            self._rollups.apply(finding, _machines(finding), moves)
        plan = plan_rollup(links.rollup, self._target(after, links, change), record)
        self._rollups.apply(finding, _machines(finding), plan.actions)
        is_newest = links.rollup is None or record.last_ns >= finding.last_ns
        links.rollup = plan.state
        if is_newest:
            links.site_id = change.owners.last.site_id
        more = {site_id for site_id, shares in _shares_by_site(plan.state).items() if shares > shares_before[site_id]}
        case_id = self._follow(after, change, more)
        links.case_id = case_id if is_newest and case_id is not None else links.case_id
        workers_before = None if before is None else before.finding.workers
        if not finding.donation and (finding.state != "updated" or workers_before != finding.workers):
            self._machines.add(finding, links.site_id)
        self._held[identity] = self._changed[identity] = after

    def _follow(self, after: HeldFinding, change: RecordChange, more: set[int]) -> int | None:
        """Tell the case of each holder in whose time something came; the number of the last one's."""
        case_id = None
        finding, owners = after.finding, change.owners
        present = {owners.at(piece.from_ns): None for piece in change.pieces}
        for site in present:
            if change.suppressed_sites.get(site.site_id, after.suppressed is not None):
                continue
            seen = finding if not owners.stretches else change.in_time_of(finding, site)
            subject = case_subject(site, finding.miner_ip)
            case_id = self._cases.add(seen, subject, site.site_id in more, owners.wholly_since(site))
        return case_id

    def _target(self, after: HeldFinding, links: FindingLinks, change: RecordChange) -> RollupTarget:
        finding = after.finding
        parts = self._parts.of(finding.finding_id)
        before: dict[str, Amounts] = {} if links.rollup is None else dict(links.rollup.before)
        amounts = amounts_by_algorithm(parts, finding, links.overlaps, before)
        claimed = frozenset(
            (
                column_text(part.finding.dialect or ""),
                column_text(part.finding.algorithm or finding.algorithm or ""),
                column_text(part.finding.coin or finding.coin or ""),
            )
            for part in parts
            if part.finding is not None
        )
        key = _series_key(after, change.owners.last.site_id)
        return RollupTarget(key, amounts, claimed, change.news, change.owners.sites, change.suppressed_sites)

    def _row(self, held: HeldFinding) -> dict[str, Any]:
        finding, links = held.finding, self._links[held.finding.finding_id]
        payee = (finding.wallet.address if finding.wallet else None) or (finding.login or "").partition(".")[0]
        return {
            "finding_id": finding.finding_id,
            "miner_ip": finding.miner_ip,
            "pool_ip": finding.pool_ip,
            "pool_port": finding.pool_port,
            "dialect": finding.dialect,
            "coin": finding.coin,
            "algorithm": finding.algorithm,
            "grade": int(finding.grade),
            "state": finding.state,
            "first_ns": finding.first_ns,
            "last_ns": finding.last_ns,
            "muted": held.suppressed,
            "recorded_ns": self._now_ns,
            "record": packed(dumps(finding)),
            "overlaps": dump_overlaps(links.overlaps),
            "rolled": None if links.rollup is None else links.rollup.dumps(),
            "site_id": links.site_id,
            "case_id": links.case_id,
            "machines": _machines(finding),
            "wallet": column_text(payee) if payee else None,
            "aggregator": None if finding.aggregator is None else column_text(finding.aggregator),
        }


def _says_more(held: Finding, record: Finding) -> bool:
    """Whether a finding is of the same miner's address, pool and dialect, and knows a login or pool that a record
    lacks, and nothing else."""
    same = all(getattr(held, name) == getattr(record, name) for name in ("miner_ip", "pool_ip", "pool_port", "dialect"))
    pairs = [(getattr(held, name), getattr(record, name)) for name in ("login", "pool_host")]
    return same and all(mine in (None, its) for its, mine in pairs) and any(mine != its for its, mine in pairs)


def held_finding(row: RowMapping) -> HeldFinding:
    """What the ledger holds of a finding, from its row."""
    return HeldFinding(load_finding(row["record"]), row["muted"])


def _links(row: RowMapping) -> FindingLinks:
    rollup = None if row["rolled"] is None else RollupState.loads(row["rolled"], row["algorithm"] or "")
    return FindingLinks(rollup, row["site_id"] or 0, row["case_id"], load_overlaps(row["overlaps"]))


def _on_true_time(flow: FlowSummary, offset_ns: int) -> FlowSummary:
    """A connection with its times as a true clock has them."""
    if not offset_ns:
        return flow
    return dataclasses.replace(flow, first_ns=flow.first_ns - offset_ns, last_ns=flow.last_ns - offset_ns)


def _flows(part: Part) -> list[FlowSummary]:
    return [] if part.finding is None else part.finding.flows


def _machines(finding: Finding) -> int:
    """At least so many machines; a program's own donation is no other machine."""
    return 0 if finding.donation else finding.machines_seen


def _shares_by_site(state: RollupState | None) -> Counter[int]:
    """The shares placed at each site."""
    shares: Counter[int] = Counter()
    for placement in () if state is None else state.placements:
        shares[placement.key.site_id] += int(placement.amounts.shares)
    return shares


def _series_key(held: HeldFinding, site_id: int) -> SeriesKey:
    """Under what a finding is rolled up now."""
    finding = held.finding
    end = endpoint_text(finding.pool_ip, finding.pool_port or 0) if finding.pool_ip else ""
    return SeriesKey(
        site_id,
        column_text(finding.pool_host or end),
        column_text(finding.dialect or ""),
        column_text(finding.algorithm or ""),
        column_text(finding.coin or ""),
        held.suppressed is not None,
    )
