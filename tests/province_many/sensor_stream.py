"""What one sensor reports, step by step: in each process of its own the totals of what that process saw, when it began
and listened, which findings are over, and which nobody followed after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sensor.ledger.reports import KeyedReport, began_report, coverage_report, report_of
from sensor.ledger.write.parts import Reporter
from sensor.model.finding import Finding
from sensor.model.time import MINUTE_NS, SECOND_NS
from sensor.model.wire import Stretch
from tests.province_many.connections import WireConnection
from tests.province_many.roster import ManyMachine, SensorPlan
from tests.province_many.seen import SeenFinding, SeenFlow, finding_id_of, lost_shares

#: Silence after which a sensor closes a finding: the default of `findings.close_s`.
CLOSE_NS = 30 * MINUTE_NS
ALLOWED = "allowed: a test farm of the operator"
NOT_MINING = "no mining"

Wires = Sequence[tuple[ManyMachine, Sequence[WireConnection]]]


class SensorStream:
    """One sensor."""

    def __init__(self, plan: SensorPlan, wires: Wires, seed: str) -> None:
        self._plan, self._wires, self._seed = plan, wires, seed
        self._findings: dict[str, SeenFinding] = {}
        self._before: dict[str, str] = {}  # findings of the process before, and their addresses
        self._run = -1
        self._reporter = Reporter(plan.sensor_id, "none", "live", 0)

    def step(self, from_ns: int, to_ns: int) -> Iterator[KeyedReport]:
        """What it reports of a stretch of time, in its order."""
        for run, (up_ns, down_ns) in enumerate(self._plan.up):
            start_ns, end_ns = max(from_ns, up_ns), min(to_ns, down_ns)
            if start_ns >= end_ns:
                continue
            if run != self._run:
                yield self._begin(run, up_ns)
            for machine, wires in self._wires:
                yield from self._watch(machine, wires, up_ns, (start_ns, end_ns))
            yield from self._close(end_ns)
            if self._before and end_ns - up_ns >= CLOSE_NS:
                yield from self._end_left(end_ns)
            yield coverage_report(self._reporter, Stretch(start_ns, end_ns, 2 * SECOND_NS), end_ns)

    def _begin(self, run: int, at_ns: int) -> KeyedReport:
        """A process begins: the totals are anew."""
        self._before = {identity: its.address for identity, its in self._findings.items()}
        self._findings, self._run = {}, run
        self._reporter = Reporter(self._plan.sensor_id, f"{self._plan.number:x}-{run}", "live", 0)
        return began_report(self._reporter, at_ns)

    def _end_left(self, at_ns: int) -> Iterator[KeyedReport]:
        """Findings of the process before that did not come back."""
        for identity, address in self._before.items():
            if identity not in self._findings:
                yield address, report_of(self._reporter, at_ns, ended=(identity,))
        self._before.clear()

    def _watch(
        self, machine: ManyMachine, wires: Sequence[WireConnection], up_ns: int, span: tuple[int, int]
    ) -> Iterator[KeyedReport]:
        """One machine's connections in a stretch of time."""
        touched: dict[str, SeenFinding] = {}
        for wire in wires:
            if wire.end_ns <= span[0] or wire.begin_ns >= span[1]:
                continue
            identity = finding_id_of(machine, wire.address)
            before = self._findings.get(identity)
            first_ns = max(wire.begin_ns, up_ns)
            if before is not None and first_ns - before.last_ns > CLOSE_NS:
                yield self._report(before, before.last_ns + CLOSE_NS, closed=True)
                del self._findings[identity]
            its = self._findings.setdefault(identity, SeenFinding(machine, wire.address))
            flow = its.flows.get(wire.number)
            if flow is None:
                lost = lost_shares(wire, self._plan.number, self._plan.loss, self._seed)
                flow = its.flows[wire.number] = SeenFlow(wire, first_ns, lost)
            flow.advance(span[1])
            touched[identity] = its
        for its in touched.values():
            if span[1] - its.last_ns <= CLOSE_NS:
                yield self._report(its, span[1], closed=False)

    def _close(self, at_ns: int) -> Iterator[KeyedReport]:
        for identity, its in list(self._findings.items()):
            if at_ns - its.last_ns > CLOSE_NS:
                yield self._report(its, its.last_ns + CLOSE_NS, closed=True)
                del self._findings[identity]

    def _report(self, its: SeenFinding, at_ns: int, *, closed: bool) -> KeyedReport:
        record: Finding = its.record(closed=closed)
        reason = suppression_of(its.machine)
        reasons = {} if reason is None else {record.finding_id: reason}
        return record.miner_ip, report_of(self._reporter, at_ns, records=(record,), suppressed=reasons)


def suppression_of(machine: ManyMachine) -> str | None:
    """Why a sensor does not report a machine; of those that do not mine every second one is left to the centre."""
    if machine.kind == "suppressed":
        return ALLOWED
    return NOT_MINING if machine.kind != "mining" and machine.number % 2 else None
