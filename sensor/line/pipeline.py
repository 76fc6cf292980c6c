"""The line in the middle: events of a core in, findings and nodes out. Sans-IO: no clock, no socket, no file; time is
the packets' own.

Holds one small state for each open candidate flow and one for each finding; both are bounded, and what a bound
refuses is counted. The result does not depend on how events of different flows interleave. With reporting settings
(the daemon) findings are reported while mining goes on; without them (a replay) each is reported once, at the end.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sensor.estimate import Assumptions
from sensor.line.attempt_summary import came_to_nothing
from sensor.line.attempts import FLOOD
from sensor.line.donors import name_donors
from sensor.line.ended import Ended, EndedBeginnings, Watches, nobody
from sensor.line.enrich import enrich
from sensor.line.flow_facts import TCP, FlowFacts
from sensor.line.held import MAX_HELD_BYTES, HeldStreams
from sensor.line.join import finding_id
from sensor.line.judge import judge
from sensor.line.judged_session import USUAL_RULES, BehaviourRules, JudgedSession
from sensor.line.lifecycle import Identified, Lifecycle, ReportingSettings
from sensor.line.named_flows import NamedFlows
from sensor.line.open_flow import OpenFlow, is_heard, node_record, node_seen
from sensor.line.resumed import Resumable, Resume, goes_on_with, nothing_before
from sensor.line.sealed_flows import SealedFlows
from sensor.line.sealed_hints import behaved
from sensor.line.touched import TouchedFlows
from sensor.line.tracked import Report
from sensor.model.encrypted import ENCRYPTED_EVENTS, EncryptedEvent
from sensor.model.events import Chunk, Close, End, Event, Open, Shape
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.observation import Hint
from sensor.model.record import LineRecord, record_order
from sensor.model.time import ANY_TIME, PlausibleTime
from sensor.session.verify import Sampling
from sensor.signatures.model import SignatureSet

#: Candidate flows followed at once: four times the core's own bound on open gates, because spent ones stay until they
#: close.
MAX_OPEN_FLOWS = 65_536
ASSUMED = Assumptions()
SAMPLED = Sampling()
#: Oldest flows looked at when one must be given up; nodes kept of a replay: past this new ones are counted and refused.
EVICTION_LOOK, MAX_NODES = 64, 65_536


def always() -> bool:
    """There is time enough."""
    return True


class Pipeline:
    """Events in, records out. One instance for each run; not for several threads."""

    def __init__(
        self,
        signatures: SignatureSet,
        *,
        assumptions: Assumptions = ASSUMED,
        sampling: Sampling = SAMPLED,
        reporting: ReportingSettings | None = None,
        resume: Resume = nothing_before,
        plausible: PlausibleTime = ANY_TIME,
        watches: Watches = nobody,
        most_held_bytes: int = MAX_HELD_BYTES,
        behaviour: BehaviourRules = USUAL_RULES,
    ) -> None:
        """`resume` tells what other runs knew of a connection that was joined in the middle; `watches` whose attempts
        are judged one by one as far as there is room. What packets of other than `plausible` times say is counted, and
        is in no finding."""
        self.plausible = plausible
        self._resumable = Resumable(resume)
        self._signatures = signatures
        self._reporting = reporting
        self._lifecycle = Lifecycle(reporting, self._judge_open)
        self._beginnings = EndedBeginnings(self._contribute, self._lifecycle, watches, at_once=reporting is not None)
        self.names = NamedFlows(None if reporting is None else reporting.close_ns)
        self._touched = TouchedFlows()
        self._ended: list[Node] = []  # nodes to be reported
        self._now_ns = 0
        self._sampling = sampling
        self._assumptions = assumptions
        self._flows: dict[int, OpenFlow] = {}
        self._off_clock: dict[int, Open] = {}  # flows that began at a time that cannot be
        self._nodes: dict[str, Node] = {}
        self._held = HeldStreams(most_held_bytes)
        self.sealed = SealedFlows(signatures, behaviour)
        self.dismissed: deque[int] = deque(maxlen=MAX_OPEN_FLOWS)  # given up for want of room, until whoever polls asks
        self.given_up = 0  # open flows and findings for which there was no time when the run ended
        self._counters: Counter[str] = Counter()
        self._takes: dict[type, Callable[[Any], None]] = {
            Open: self._open,
            Close: self._close,
            Shape: self._shape,
            End: self._source_ended,
            **dict.fromkeys(ENCRYPTED_EVENTS, self._sealed),
        }

    @property
    def now_ns(self) -> int:
        """The packets' time that the line has come to."""
        return self._now_ns

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, by name."""
        parts = (self._lifecycle.counters, Counter(self._beginnings.counters), self.names.counters)
        return {
            **dict(sorted(sum(parts, self._counters).items())),
            "flows_open": len(self._flows),
            "held_bytes": self._held.held_bytes,
            "findings": len(self._lifecycle) + self._touched.waiting,
            "nodes": len(self._nodes),
            **self.sealed.counters,
        }

    def replace(
        self,
        signatures: SignatureSet,
        assumptions: Assumptions,
        sampling: Sampling,
        reporting: ReportingSettings | None,
        behaviour: BehaviourRules = USUAL_RULES,
    ) -> None:
        """Go on with other signatures and settings: new flows are read by them, open ones to their end by those they
        began with.
        """
        self._signatures, self._assumptions, self._sampling = signatures, assumptions, sampling
        self.sealed.replace(signatures, behaviour)
        self._reporting = reporting
        self._lifecycle.settings = reporting

    def step(self, events: Iterable[Event], now_ns: int | None = None) -> list[LineRecord]:
        """Take events in their order; gives what is to be reported by now, which is the last packet's time unless a
        later one is given.
        """
        for event in events:
            if isinstance(event, Chunk):
                self._chunk(event)
                continue
            take = self._takes.get(type(event))
            if take is not None:
                take(event)
            if hints := self.names.take(event, self._signatures, self.plausible):
                self.observe(hints)
        self._behaved(self.sealed.judged())
        return self._report(now_ns) if self._reporting is not None else []

    def observe(self, observations: Iterable[Hint]) -> None:
        """Take what names and behaviour say of miners and pools; what is to be reported of it comes with `step`."""
        for seen in observations:
            self._counters["observations"] += 1
            self._now_ns = max(self._now_ns, seen.last_ns)
            self._lifecycle.observe([seen], self._now_ns)

    def _behaved(self, judged: Iterable[JudgedSession]) -> None:
        """What looks at encrypted sessions gave."""
        self.observe(hint for each in judged if (hint := behaved(each, self._signatures.weights)) is not None)

    def checkpoint(self) -> list[LineRecord]:
        """What is new of every finding now: at the end of a capture, or of an hour of a replay."""
        self._judge_touched(self._now_ns, all_of_them=True)
        summaries = self._beginnings.summaries(self._signatures, self._now_ns, over=True)
        return [
            *summaries,
            *(self._named(self._finding(report)) for report in self._lifecycle.last_reports(over=False)),
        ]

    def finish(self, has_time: Callable[[], bool] = always) -> list[LineRecord]:
        """End the flows that are open and give every record, sorted by first packet and identity.

        With reporting settings findings stay open for the next run: only what is new of them is given. Once `has_time`
        says no, what is left is given up and counted: first to come is who has shares, last what only began. Of a flood
        none of these is judged: they tell no more than those that ended before.
        """
        steady = [item for item in self._flows.items() if not item[1].is_beginning]
        steady.sort(key=lambda item: not item[1].is_established)
        begun = [item for item in self._flows.items() if item[1].is_beginning]
        if self._reporting is not None and len(begun) > FLOOD:
            self.given_up += len(begun)
            begun = []
        self._end_all(steady, has_time)
        findings = [] if self._reporting is None else [self._finding(report) for report in self._last_reports(has_time)]
        self._end_all(begun, has_time)
        self._flows.clear()
        self._behaved(self.sealed.finish(has_time))
        findings += self._beginnings.summaries(self._signatures, self._now_ns, over=True)
        findings += [self._finding(report) for report in self._last_reports(has_time)]
        name_donors(findings)
        records: list[LineRecord] = [*findings, *self._nodes.values(), *self._ended]
        return sorted(records, key=record_order)

    def _end_all(self, flows: Iterable[tuple[int, OpenFlow]], has_time: Callable[[], bool]) -> None:
        """End flows, as far as there is time."""
        for number, flow in flows:
            if has_time():
                self._end(number, flow, None)
            else:
                self.given_up += 1

    def _last_reports(self, has_time: Callable[[], bool]) -> Iterator[Report]:
        """The last reports, as far as there is time."""
        for report in self._lifecycle.last_reports():
            if has_time():
                yield report
            else:
                self.given_up += 1

    def _report(self, now_ns: int | None) -> list[LineRecord]:
        now_ns = self._now_ns if now_ns is None else max(now_ns, self._now_ns)
        self._judge_touched(now_ns)
        records: list[LineRecord] = [*self._ended]
        self._ended.clear()
        records += self._beginnings.summaries(self._signatures, now_ns)
        records += [self._named(self._finding(report)) for report in self._lifecycle.due_reports(now_ns)]
        return records

    def _judge_touched(self, now_ns: int, *, all_of_them: bool = False) -> None:
        """What open flows with new messages contribute, where that has changed in kind."""
        wait_ns = 0 if all_of_them or self._reporting is None else self._reporting.attempt_ns
        for number, flow, at_ns in self._touched.due(self._flows, now_ns, wait_ns):
            stage = flow.heard.stage
            if flow.stage != stage:
                flow.stage = stage
                contributions = self._judge_open(number)
                self.names.learn(contributions, self._signatures)
                self._lifecycle.flow_changed(number, contributions, at_ns)
            flow.rest()

    def _named(self, finding: Finding) -> Finding:
        """A finding while others go on: whose donation it is, if it is one."""
        self._lifecycle.donors.name(finding)
        return finding

    def _finding(self, report: Report) -> Finding:
        finding = enrich(report.joined, report.identity, self._signatures, self._assumptions)
        finding.state, finding.merged_into, finding.corrects = report.state, report.merged_into, report.corrects
        return finding

    def _judge_open(self, number: int) -> list[Identified]:
        """What an open flow contributes as of now."""
        flow = self._flows.get(number)
        if flow is None:
            return []
        contributions = judge(flow.heard, flow.facts(None))
        flow.rest()
        return [(finding_id(contribution), contribution) for contribution in contributions]

    def _on_time(self, first: Chunk) -> OpenFlow | None:
        """A flow that began at a time that cannot be, from its first bytes of a time that can."""
        opened = self._off_clock.pop(first.flow, None)
        if opened is not None:
            self._open(opened._replace(ts_ns=first.ts_ns, first_ns=first.ts_ns, midstream=True))
        return self._flows.get(first.flow)

    def _open(self, event: Open) -> None:
        if not self.plausible.holds(event.first_ns):
            if len(self._off_clock) < MAX_OPEN_FLOWS:
                self._off_clock[event.flow] = event
            return
        if len(self._flows) >= MAX_OPEN_FLOWS:
            self._evict()
        self._flows[event.flow] = OpenFlow(event, self._signatures, self._sampling)
        self._counters["sessions"] += 1

    def _evict(self) -> None:
        """Give up the oldest flow in which nothing was recognised, or the oldest of all."""
        oldest = next(iter(self._flows))
        for number, flow in islice(self._flows.items(), EVICTION_LOOK):
            if not flow.is_read:
                oldest = number
                break
        self._counters["sessions_evicted"] += 1
        self._end(oldest, self._flows.pop(oldest), None, given_up=True)

    def _relieve(self) -> None:
        """Too much is held of streams."""
        for number in self._held.greediest(self._flows):
            self._counters["streams_given_up"] += 1
            self._end(number, self._flows.pop(number), None, given_up=True)

    def _chunk(self, event: Chunk) -> None:
        number, ts_ns, side, offset, gap, data = event[:6]
        if not self.plausible.holds(ts_ns):
            self._counters["chunks_off_clock"] += 1
            return
        flow = self._flows.get(number) or self._on_time(event)
        if flow is None:
            self._counters["chunks_without_flow"] += 1
            return
        self._counters["chunks"] += 1
        self._touched.touch(number)
        if not flow.seen[side] and flow.opened.midstream and data:
            self._resume(flow, event)
        flow.take(event)
        self._now_ns = ts_ns
        if flow.opened.proto != TCP:
            flow.take_datagram(event)
            return
        conversation = flow.conversation
        if conversation.heads is not None and flow.speaks:
            conversation.heads = None  # what speaks a dialect is no node
        read = None
        for read in conversation.feed(side, ts_ns, offset, gap, data):
            flow.receive(read)
        for coin, block, found_ns in flow.new_blocks():
            self.sealed.blocks.note(coin, block, found_ns)
        self._held.held_bytes += flow.weigh(event, completed=read is not None)
        if self._held.is_too_much:
            self._relieve()

    def _resume(self, flow: OpenFlow, first: Chunk) -> None:
        """The first bytes of a direction in a connection that was joined in the middle: it may be known from before."""
        if flow.before is not None and not goes_on_with(flow.before, flow.opened, first):
            self._counters["sessions_not_resumed"] += 1
            flow.forget_before(self._signatures, self._sampling)
        elif flow.before is None and not any(flow.seen) and flow.opened.proto == TCP:
            before = self._resumable.find(flow.opened, first)
            if before is not None:
                self._counters["sessions_resumed"] += 1
                flow.resume(before, self._signatures, first.ts_ns)
        flow.meet_before(first)

    def _source_ended(self, event: End) -> None:
        self._counters["sources"] += 1
        self._counters["sources_failed"] += event.error is not None

    def _sealed(self, event: EncryptedEvent) -> None:
        self.sealed.take(event, self.plausible)

    def _shape(self, event: Shape) -> None:
        flow = self._flows.get(event.flow)
        flights = self._signatures.flights
        if flow is not None and event.shape < len(flights):
            flow.conversation.note_flights(event.direction, event.ts_ns, flights[event.shape])
            flow.last_ns = max(flow.last_ns, event.ts_ns)

    def _close(self, event: Close) -> None:
        flow = self._flows.pop(event.flow, None)
        if flow is None:
            self._counters["closes_without_flow"] += self._off_clock.pop(event.flow, None) is None
            return
        if not (self.plausible.holds(event.last_ns) and self.plausible.holds(event.first_ns)):
            event = event._replace(ts_ns=flow.last_ns, first_ns=flow.opened.first_ns, last_ns=flow.last_ns)
        self._end(event.flow, flow, event)

    def _end(self, number: int, flow: OpenFlow, closed: Close | None, *, given_up: bool = False) -> None:
        self._touched.drop(number)
        self._held.held_bytes -= flow.held_bytes
        if given_up:
            self.dismissed.append(number)
        for read in flow.conversation.finish():
            flow.receive(read)
        if came_to_nothing(flow, closed, given_up=given_up) and not self._lifecycle.follows(number):
            self._now_ns = max(self._now_ns, flow.last_ns if closed is None else closed.last_ns)
            self._beginnings.take(Ended(number, flow, closed), self._signatures)
        else:
            self._contribute(Ended(number, flow, closed))

    def _contribute(self, ended: Ended) -> Sequence[Identified]:
        """What a flow that is over contributes."""
        number, flow, closed = ended
        flow.finish()
        self._counters.update(flow.session.counters)
        flow_facts = flow.facts(closed)
        contributions = [(finding_id(contribution), contribution) for contribution in judge(flow.heard, flow_facts)]
        for _, contribution in contributions:
            self._resumable.put(contribution.flow)
        for path in (flow_facts.paths or ()) if contributions else ():
            self._counters["path_changes"] += path.ttl_changes + path.mac_changes
        self._lifecycle.flow_ended(number, contributions, max(self._now_ns, flow_facts.last_ns))
        self.observe(self.names.contributed(flow_facts, contributions, self._signatures))
        if not flow.session.readings:
            self._node(flow, flow_facts)
        return contributions

    def _node(self, flow: OpenFlow, flow_facts: FlowFacts) -> None:
        found = node_seen(self._signatures, flow)
        if found is None:
            return
        if not is_heard(found[1], flow_facts):
            self._counters["nodes_refused"] += 1
            return
        node = node_record(*found, flow_facts)
        if self._reporting is not None:
            self._ended.append(node)
            return
        if len(self._nodes) >= MAX_NODES and node.node_id not in self._nodes:
            self._counters["nodes_refused"] += 1
            return
        self._nodes[node.node_id] = node
