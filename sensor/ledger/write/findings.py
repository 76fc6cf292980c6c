"""The findings of one step as a transaction: taken one after another, then written. SQL within the transaction.

What one run counted is a part; the finding is the sum of its parts less their overlap. It decides nothing itself: what
a finding becomes is decided in `lifecycle.py`, the sum in `merge.py`, what is rolled up in `rollup_plan.py`, what
becomes of cases in `cases.py`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection

from sensor.ledger.store.amounts import Amounts
from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import FINDINGS
from sensor.ledger.write.amounts_of import amounts_by_algorithm
from sensor.ledger.write.cases import CaseWriter, case_subject
from sensor.ledger.write.connections import ConnectionWriter
from sensor.ledger.write.finding_rows import FindingLinks, finding_row, held_finding, links_of, machines_of
from sensor.ledger.write.handover import hand_over
from sensor.ledger.write.holders import HolderSites, times_of
from sensor.ledger.write.lifecycle import HeldFinding, Part, advance
from sensor.ledger.write.machines import MachineWriter
from sensor.ledger.write.merge import sum_parts
from sensor.ledger.write.nameless import as_of, move_connections, says_more
from sensor.ledger.write.owners import Owners, OwnerWriter
from sensor.ledger.write.parts import PartBook, Reporter
from sensor.ledger.write.pieces import can_be_cut, piece_of
from sensor.ledger.write.record_change import RecordChange
from sensor.ledger.write.rollup_plan import RollupTarget, joint_state, plan_rollup
from sensor.ledger.write.rollup_state import RollupState, SeriesKey
from sensor.ledger.write.rollups import RollupWriter
from sensor.ledger.write.rows import rows_of
from sensor.ledger.write.upsert import put
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.text import endpoint_text


class FindingWriter:
    """The findings of one step of one run."""

    def __init__(self, connection: Connection, findings: Sequence[Finding], reporter: Reporter, now_ns: int) -> None:
        self._connection, self._reporter, self._now_ns = connection, reporter, now_ns
        self._connections = ConnectionWriter(connection, findings)
        identities = [finding.finding_id for finding in findings]
        rows = rows_of(connection, FINDINGS, identities)
        self._held = {row["finding_id"]: held_finding(row) for row in rows}
        self._links = {row["finding_id"]: links_of(row) for row in rows}
        self._parts = PartBook(connection, identities, reporter)
        self._changed: dict[str, HeldFinding] = {}
        self.further: list[Finding] = []  # events beside those that records are: what other findings became
        self._owners, self._cases = OwnerWriter(connection), CaseWriter(connection)
        self._rollups, self._machines = RollupWriter(connection), MachineWriter(connection)
        addresses = {finding.miner_ip for finding in findings}
        self._rollups.load(addresses)
        self._cases.load(addresses)

    def add(self, record: Finding, suppressed: str | None) -> tuple[Finding, bool]:
        """The finding as the ledger has it after this record, and whether that is an event. What becomes of others by
        it is in `further`."""
        recorded = [(piece.finding_id, self._add(piece, suppressed, record)) for piece in self._pieces(record)]
        own = next((at for at, (identity, _) in enumerate(recorded) if identity == record.finding_id), -1)
        _, result = recorded.pop(own)
        self.further += [finding for _, (finding, is_event) in recorded if is_event]
        return result

    def _add(self, record: Finding, suppressed: str | None, whole: Finding) -> tuple[Finding, bool]:
        """Take a record, or a piece of a whole one that is another finding's."""
        nameless = record.finding_id != whole.finding_id
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
            links.count(self._connections.add(identity, self._reporter.sensor_id, taken.run_id, flows, older))
        if suppressed is not None and false_alarm is None and self._is_reported_elsewhere(identity):
            suppressed = None
        after, reported = self._advance(before, identity, suppressed)
        if after is not before:
            news = None if taken is None else taken.news
            self._change(after, RecordChange(record, owners, earlier, news, suppressed_sites))
        elif taken is not None:  # no news, but the row says what its parts have twice
            self._changed[identity] = after
        if taken is None or not taken.flows:
            return after.finding, reported
        return self._adopt(before, after, reported, taken.flows)

    def _adopt(
        self, before: HeldFinding | None, after: HeldFinding, reported: bool, flows: Sequence[FlowSummary]
    ) -> tuple[Finding, bool]:
        """Take in those connections of findings that know less which are among a finding's own. `before` is what the
        ledger held before the step's record, `after` with it; as `add`, with them."""
        identity = after.finding.finding_id
        for source in self._knowing_less(after.finding, flows):
            moved = move_connections(after.finding, source, self._parts, self._connections)
            if moved is None:
                continue
            links, former = self._links[identity], self._links[source]
            links.count(moved.into)
            former.count(moved.out_of)
            if not any(part.finding.flow_count for _, part in self._parts.entries(source) if part.finding):
                links.rollup, former.rollup = joint_state(links.rollup, former.rollup), RollupState()
            self._shrink(source)
            after, reported = self._advance(before, identity, after.suppressed)
            record = dataclasses.replace(after.finding, flows=moved.flows)
            self._change(after, RecordChange(record, self._owners.add(record)))
        return after.finding, reported

    def _shrink(self, identity: str) -> None:
        """A finding after some of its connections went to another one."""
        links = self._links[identity]
        after, reported = self._advance(self._held[identity], identity, self._held[identity].suppressed)
        finding = after.finding
        target = self._target(after, links, RecordChange(finding, self._owners.of(finding)))
        plan = plan_rollup(links.rollup, target, finding)
        self._rollups.apply(finding, machines_of(finding), plan.actions)
        links.rollup = plan.state
        self._held[identity] = self._changed[identity] = after
        if reported:
            self.further.append(finding)

    def report_as(self, reporter: Reporter) -> None:
        """Which run of which sensor tells what follows."""
        self._reporter = reporter
        self._parts.report_as(reporter)

    def end(self, identity: str, sensor_id: str) -> tuple[Finding, bool] | None:
        """As `close`, of one sensor's parts alone; None where there is no such finding."""
        self._load([identity])
        return self.close(identity, sensor_id) if identity in self._held else None

    def close(self, identity: str, sensor_id: str | None = None) -> tuple[Finding, bool]:
        """Close every part of a finding, or those of a sensor: no run follows it any more. What it is then, and whether
        that is an event."""
        before = self._held[identity]
        self._parts.close(identity, sensor_id)
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
        rows = [finding_row(held, self._links[name], self._now_ns) for name, held in self._changed.items()]
        put(self._connection, FINDINGS, rows)

    def _pieces(self, record: Finding) -> list[Finding]:
        """A record without a login, or without the pool that a proxy was asked for, cut into the findings that its
        connections are of: they were joined later, or another sensor heard it. Else the record as it is."""
        if record.dialect is None or not record.flows or (record.login is not None and record.pool_host is not None):
            return [record]
        of_flows = [self._connections.other_findings_of(flow, record.finding_id) for flow in record.flows]
        self._load(sorted(set().union(*of_flows)))
        named = [self._named(record, identities) for identities in of_flows]
        shared = self._named(record, set.intersection(*of_flows))
        if shared is not None:
            return [as_of(self._held[shared].finding, record)]
        if not any(named) or not can_be_cut(record):
            return [record]
        pieces = []
        for identity in sorted(set(named), key=lambda name: name or ""):
            flows = [flow for flow, whose in zip(record.flows, named, strict=True) if whose == identity]
            piece = piece_of(record, flows)
            pieces.append(piece if identity is None else as_of(self._held[identity].finding, piece))
        return pieces

    def _named(self, record: Finding, identities: set[str]) -> str | None:
        """The first of these findings that knows what a record lacks."""
        held = (name for name in sorted(identities) if name in self._held)
        return next((name for name in held if says_more(self._held[name].finding, record)), None)

    def _knowing_less(self, named: Finding, flows: Sequence[FlowSummary]) -> list[str]:
        """The findings that have these connections, and do not know what a finding knows."""
        if named.dialect is None or (named.login is None and named.pool_host is None):
            return []
        of_flows = (self._connections.other_findings_of(flow, named.finding_id) for flow in flows)
        found = sorted(set().union(*of_flows))
        self._load(found)
        return [name for name in found if name in self._held and says_more(named, self._held[name].finding)]

    def _load(self, identities: Sequence[str]) -> None:
        rows = rows_of(self._connection, FINDINGS, [name for name in identities if name not in self._held])
        self._held.update((row["finding_id"], held_finding(row)) for row in rows)
        self._links.update((row["finding_id"], links_of(row)) for row in rows)
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
            self._rollups.apply(finding, machines_of(finding), moves)
        plan = plan_rollup(links.rollup, self._target(after, links, change), record)
        self._rollups.apply(finding, machines_of(finding), plan.actions)
        is_newest = links.rollup is None or record.last_ns >= finding.last_ns
        links.rollup = plan.state
        if is_newest:
            links.site_id = change.owners.last.site_id
        more = {site_id for site_id, shares in _shares_by_site(plan.state).items() if shares > shares_before[site_id]}
        case_id = self._follow(after, change, more)
        links.case_id = case_id if is_newest and case_id is not None else links.case_id
        workers_before = before.finding.workers if before is not None and before.finding.counts else None
        if (
            finding.counts
            and not finding.donation
            and (finding.state != "updated" or workers_before != finding.workers)
        ):
            self._machines.add(finding, links.site_id)
        self._held[identity] = self._changed[identity] = after

    def _follow(self, after: HeldFinding, change: RecordChange, more: set[int]) -> int | None:
        """Tell the case of each holder in whose time something came; the number of the last one's."""
        case_id = None
        if not after.finding.counts:
            return None
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
        uncounted = change.suppressed_sites if finding.counts else dict.fromkeys(change.suppressed_sites, True)
        return RollupTarget(key, amounts, claimed, change.news, change.owners.sites, uncounted)


def _on_true_time(flow: FlowSummary, offset_ns: int) -> FlowSummary:
    """A connection with its times as a true clock has them."""
    if not offset_ns:
        return flow
    return dataclasses.replace(flow, first_ns=flow.first_ns - offset_ns, last_ns=flow.last_ns - offset_ns)


def _flows(part: Part) -> list[FlowSummary]:
    return [] if part.finding is None else part.finding.flows


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
        held.suppressed is not None or not finding.counts,
    )
