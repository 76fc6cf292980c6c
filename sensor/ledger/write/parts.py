"""The parts of the findings of one step: what each run of each sensor counted. SQL within the step's transaction.

Of a live sensor the present run has a part of its own, and all before it are one. Of a replay every capture that was
read has one, so that reading it again adds nothing; when there are too many the oldest become one, and are remembered.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import Connection, delete, select

from sensor.ledger.store.records import dumps, load_finding, packed
from sensor.ledger.store.schema import PARTS
from sensor.ledger.write.amounts_of import BEFORE
from sensor.ledger.write.holders import PresentTime, united
from sensor.ledger.write.lifecycle import Part
from sensor.ledger.write.merge import sum_parts
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.upsert import upsert
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary

#: Parts of replays that one finding keeps apart.
MAX_REPLAYS = 16
#: The run of what a sensor's earlier runs counted.
EARLIER = ""
#: Marks of a run's further parts: of what it does not know the login of, and of what it told again.
NAMELESS, AGAIN = "~", "+"


@dataclass(frozen=True, slots=True)
class Reporter:
    """Which run of which sensor tells the ledger."""

    sensor_id: str
    run_id: str
    kind: Literal["live", "replay"] = "live"
    clock_offset_ns: int = 0  # the sensor's clock less the true time, as it states it


class PartKey(NamedTuple):
    """Which part of a finding."""

    sensor_id: str
    run_id: str


class TakenPart(NamedTuple):
    """What a record changed of its run's part."""

    run_id: str  # under which it was taken
    news: tuple[PresentTime, ...] | None  # when its connections were there since the record before; None: none was
    flows: list[FlowSummary]  # connections that are new or went on


class PartBook:
    """The parts of the findings of one step."""

    def __init__(self, connection: Connection, identities: Sequence[str], reporter: Reporter) -> None:
        self._connection, self._reporter = connection, reporter
        self._parts: dict[str, dict[PartKey, Part]] = defaultdict(dict)
        self._changed: set[tuple[str, PartKey]] = set()
        self.load(identities)

    def load(self, identities: Sequence[str]) -> None:
        """Read the parts of more findings."""
        wanted = sorted({identity for identity in identities if identity not in self._parts})
        for start in range(0, len(wanted), PAGE):
            page = PARTS.c.finding_id.in_(wanted[start : start + PAGE])
            for row in self._connection.execute(select(PARTS).where(page)):
                finding = None if row.record is None else load_finding(row.record)
                part = Part(row.sensor_id, row.run_id, finding, row.muted)
                self._parts[row.finding_id][PartKey(row.sensor_id, row.run_id)] = part

    def of(self, identity: str) -> list[Part]:
        """The parts of a finding, in the order of sensors and runs; those that are in another one too."""
        its = self._parts[identity]
        return [its[key] for key in sorted(its)]

    def take(self, record: Finding, suppressed: str | None, *, nameless: bool = False) -> TakenPart | None:
        """Take a record of the present run; None if it says less than what is there: a capture that is read again.
        `nameless`: the run itself does not know that it is of this finding, and may have a record that is, too."""
        its = self._parts[record.finding_id]
        key = self._key(its, NAMELESS if nameless else "")
        before = its.get(key)
        earlier = None if before is None else before.finding
        if earlier is not None and earlier.state == "closed" and record.first_ns > earlier.last_ns:
            self._settle(record.finding_id, key)  # forgotten by the process: its totals began anew
            earlier = None
        if self._reporter.kind == "replay" and earlier is not None and _is_less(record, earlier):
            return None
        self._settle_others(record.finding_id, key)
        flows = [_marked(flow, self._reporter) for flow in record.flows]
        its[key] = Part(key.sensor_id, key.run_id, _stored(record, flows, key.sensor_id), suppressed)
        self._changed.add((record.finding_id, key))
        earlier_flows = {} if earlier is None else {flow.key.flow_id: flow for flow in earlier.flows}
        fresh = [flow for flow in flows if not _is_known(flow, earlier_flows.get(flow.key.flow_id))]
        return TakenPart(key.run_id, None if earlier is None else _news(fresh, earlier_flows), fresh)

    def entries(self, identity: str) -> list[tuple[PartKey, Part]]:
        """The parts of a finding that counted anything of their own, by key, in order."""
        its = self._parts[identity]
        return [(key, its[key]) for key in sorted(its) if its[key].finding is not None]

    def move(self, source: str, key: PartKey, moved: Finding, left: Finding) -> PartKey:
        """Make a part of one finding, or a piece of it, a part of another (`moved` has its identity); what is left
        stays. The key that it has there."""
        part, its = self._parts[source][key], self._parts[moved.finding_id]
        into = key._replace(run_id=key.run_id.rstrip(NAMELESS + AGAIN) + NAMELESS)
        while into in its and not _goes_on(its[into].finding, moved):
            into = into._replace(run_id=into.run_id + AGAIN)
        its[into] = Part(*into, _stored(moved, moved.flows, key.sensor_id), part.suppressed)
        self._parts[source][key] = dataclasses.replace(part, finding=_stored(left, left.flows, key.sensor_id))
        self._changed |= {(moved.finding_id, into), (source, key)}
        return into

    def report_as(self, reporter: Reporter) -> None:
        """Which run of which sensor tells what follows."""
        self._reporter = reporter

    def close(self, identity: str, sensor_id: str | None = None) -> None:
        """No run follows the finding any more, or none of this sensor."""
        for key, part in self._parts[identity].items():
            if sensor_id is not None and key.sensor_id != sensor_id:
                continue
            if part.is_open and part.finding is not None:
                closed = dataclasses.replace(part.finding, state="closed")
                self._parts[identity][key] = dataclasses.replace(part, finding=closed)
                self._changed.add((identity, key))

    def write(self) -> None:
        """Put what changed into the table."""
        rows = []
        for identity, key in sorted(self._changed):
            part = self._parts[identity][key]
            finding = part.finding
            rows.append(
                {
                    "finding_id": identity,
                    **key._asdict(),
                    "state": "closed" if finding is None else finding.state,
                    "last_ns": 0 if finding is None else finding.last_ns,
                    "muted": part.suppressed,
                    "record": None if finding is None else packed(dumps(finding)),
                }
            )
        upsert(self._connection, PARTS, rows, replace=("state", "last_ns", "muted", "record"))
        self._changed.clear()

    def _key(self, its: dict[PartKey, Part], more: str) -> PartKey:
        """The part of the present run; if that is in another one by now, a part beside it: its connections are
        known."""
        key = PartKey(self._reporter.sensor_id, self._reporter.run_id + more)
        while key in its and its[key].finding is None:
            key = key._replace(run_id=key.run_id + AGAIN)
        return key

    def _settle_others(self, identity: str, key: PartKey) -> None:
        """Make one of what other runs of this sensor counted."""
        its = self._parts[identity]
        others = [
            other
            for other, part in its.items()
            if other.sensor_id == key.sensor_id
            and other.run_id not in (EARLIER, BEFORE)
            and _run_of(other) != _run_of(key)
            and part.finding is not None
        ]
        if self._reporter.kind == "replay":
            others.sort(key=lambda other: _last_ns(its[other]))
            others = others[: max(0, len(others) - MAX_REPLAYS + 1)]
        for other in others:
            self._settle(identity, other)

    def _settle(self, identity: str, key: PartKey) -> None:
        its = self._parts[identity]
        part, into = its[key], PartKey(key.sensor_id, EARLIER)
        earlier = its.get(into)
        findings = [piece.finding for piece in (earlier, part) if piece is not None and piece.finding is not None]
        whole = dataclasses.replace(sum_parts(findings, {}), state="closed")
        its[into] = Part(into.sensor_id, into.run_id, whole, part.suppressed)
        its[key] = dataclasses.replace(part, finding=None)
        self._changed |= {(identity, into), (identity, key)}
        if self._reporter.kind == "live":  # the run is over, or begins anew: nobody asks for it again
            del its[key]
            self._changed.discard((identity, key))
            same = (PARTS.c.finding_id == identity, PARTS.c.sensor_id == key.sensor_id, PARTS.c.run_id == key.run_id)
            self._connection.execute(delete(PARTS).where(*same))


def _goes_on(before: Finding | None, now: Finding) -> bool:
    """Whether a record has all that the same run's record before had."""
    return before is not None and now.first_ns <= before.first_ns and now.last_ns >= before.last_ns


def _run_of(key: PartKey) -> str:
    """The run that a part is of."""
    return key.run_id.rstrip(NAMELESS + AGAIN)


def _marked(flow: FlowSummary, reporter: Reporter) -> FlowSummary:
    """A connection with the sensor that saw it."""
    return dataclasses.replace(flow, seen_by=(reporter.sensor_id,))


def _stored(record: Finding, flows: Sequence[FlowSummary], sensor_id: str) -> Finding:
    """A record as a part keeps it: the shares of its connections by their place are with the connections."""
    return dataclasses.replace(record, flows=[_without_shares(flow) for flow in flows], seen_by=(sensor_id,))


def _without_shares(flow: FlowSummary) -> FlowSummary:
    if flow.trace is None:
        return flow
    return dataclasses.replace(
        flow, trace=dataclasses.replace(flow.trace, marks=(), bins=(), state=None, timeline=None)
    )


def _is_known(flow: FlowSummary, before: FlowSummary | None) -> bool:
    return before is not None and (before.last_ns, before.shares) == (flow.last_ns, flow.shares)


def _news(fresh: Sequence[FlowSummary], before: Mapping[int, FlowSummary]) -> tuple[PresentTime, ...]:
    """When connections were there since they were told of before. The clock may have been set since: each has its own
    times."""
    spans = []
    for flow in fresh:
        earlier = before.get(flow.key.flow_id)
        first_ns = flow.first_ns if earlier is None else min(earlier.last_ns, flow.last_ns)
        spans.append(PresentTime(first_ns, max(flow.last_ns, first_ns + 1)))
    return tuple(united(spans))


def _is_less(record: Finding, before: Finding) -> bool:
    """Whether a record of a replay is of fewer packets than the one that is there."""
    return (record.last_ns, record.flow_count, record.shares.submitted) < (
        before.last_ns,
        before.flow_count,
        before.shares.submitted,
    )


def _last_ns(part: Part) -> int:
    return 0 if part.finding is None else part.finding.last_ns
