"""The connections of one step, as this run saw them: what of them others had counted already. SQL within the step's
transaction; whether two records are of one connection is decided in sensor/line/same_connection.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, delete, select, text, update

from sensor.ledger.store.months import is_cut
from sensor.ledger.store.records import dump_flow, load_flow
from sensor.ledger.store.schema import CONNECTIONS, SENSORS
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.upsert import upsert
from sensor.line.overlap import NO_OVERLAP, DoubleCount
from sensor.line.same_connection import (
    MAX_ALIKE,
    RESUMED_NS,
    SeenConnection,
    goes_on,
    is_same,
    overlaps,
    same_bytes,
)
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.time import SECOND_NS

#: Rows of these keys with another first packet. The subquery cannot be joined otherwise than row by row, by the key's
#: index: a join by hashes would read all of the table.
MOVED = text(
    "SELECT c.finding_id, c.sensor_id, c.run_id, c.flow_id, c.first_ns FROM unnest(CAST(:findings AS text[]), "
    "CAST(:sensors AS text[]), CAST(:runs AS text[]), CAST(:flows AS bigint[]), CAST(:firsts AS bigint[])) "
    "AS v (finding_id, sensor_id, run_id, flow_id, first_ns), LATERAL (SELECT * FROM connections t "
    "WHERE t.finding_id = v.finding_id AND t.sensor_id = v.sensor_id AND t.run_id = v.run_id "
    "AND t.flow_id = v.flow_id AND t.first_ns <> v.first_ns OFFSET 0) c"
)


class ConnectionKey(NamedTuple):
    """One connection of a finding as one run saw it."""

    finding_id: str
    sensor_id: str
    run_id: str
    flow_id: int


class StoredConnection:
    """A record of one connection. One of the table is read when it is asked for: most of a step's are not."""

    __slots__ = ("_flow", "_text", "first_ns", "last_ns")

    def __init__(self, first_ns: int, last_ns: int, text: str, flow: FlowSummary | None = None) -> None:
        self.first_ns, self.last_ns = first_ns, last_ns
        self._text, self._flow = text, flow

    @classmethod
    def of(cls, flow: FlowSummary) -> StoredConnection:
        """One that is to be stored."""
        return cls(flow.first_ns, flow.last_ns, "", flow)

    @property
    def flow(self) -> FlowSummary:
        """The connection. Raises DamagedRecordError."""
        if self._flow is None:
            self._flow, self._text = load_flow(self._text), ""
        return self._flow


class ConnectionWriter:
    """The connections of one step of one run."""

    def __init__(self, connection: Connection, findings: Sequence[Finding]) -> None:
        self._connection = connection
        self._stored: dict[str, dict[ConnectionKey, StoredConnection]] = defaultdict(dict)  # by ends
        self._changed: dict[ConnectionKey, FlowSummary] = {}
        self._gone: set[ConnectionKey] = set()
        self._began: dict[ConnectionKey, int] = {}  # the first packet of a row of the table
        self._notes: dict[str, str] = {}  # of clocks, by sensor
        self._load([flow for finding in findings for flow in finding.flows])

    def add(
        self, finding_id: str, sensor_id: str, run_id: str, flows: Iterable[FlowSummary], older: Sequence[FlowSummary]
    ) -> dict[str, DoubleCount]:
        """Connections of a finding as a run sees them now; by how much the overlaps of the finding change, by algorithm
        ("": not known). `older` are connections that no row is of, of before there were any."""
        change: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
        for flow in flows:
            mine = ConnectionKey(finding_id, sensor_id, run_id, flow.key.flow_id)
            before = [*self._alike(mine, flow), *_older(older, flow)[-MAX_ALIKE:]]
            after = [record for record in before if not _is(record, mine)] + [SeenConnection(sensor_id, run_id, flow)]
            for part, sign in ((_between_runs(after), 1), (_between_runs(before), -1)):
                for algorithm, overlap in part.items():
                    change[algorithm] = change[algorithm].plus(overlap, sign)
            self._compare_clocks(after, sensor_id, flow)
            self._stored[flow.key.community_id][mine] = StoredConnection.of(flow)
            self._changed[mine] = flow
        return {algorithm: overlap for algorithm, overlap in change.items() if overlap}

    def _alike(self, mine: ConnectionKey, flow: FlowSummary) -> list[SeenConnection]:
        """The newest records of a finding between the same ends at about the same time; its own is among them."""
        its = self._stored[flow.key.community_id].items()
        near = [(key, other) for key, other in its if key.finding_id == mine.finding_id and _near(other, flow)]
        newest = sorted(near, key=lambda entry: (entry[0] == mine, entry[1].last_ns, entry[0]))[-MAX_ALIKE:]
        return [SeenConnection(key.sensor_id, key.run_id, other.flow) for key, other in newest]

    def other_findings_of(self, flow: FlowSummary, finding_id: str) -> set[str]:
        """The findings but one that a connection is of as other records have it, or the one that it goes on from."""
        its = self._stored.get(flow.key.community_id, {})
        others = ((key.finding_id, other) for key, other in its.items() if key.finding_id != finding_id)
        return {identity for identity, other in others if _is_one(other.flow, flow)}

    def of_finding(self, finding_id: str) -> dict[ConnectionKey, FlowSummary]:
        """All connections of a finding; those of others between the same ends are read, too."""
        rows = self._connection.execute(select(CONNECTIONS).where(CONNECTIONS.c.finding_id == finding_id)).all()
        self._keep(rows)
        self._load([load_flow(row.record) for row in rows])
        stored = (entry for its in self._stored.values() for entry in its.items())
        return {key: other.flow for key, other in stored if key.finding_id == finding_id}

    def is_of(self, finding_id: str, flow: FlowSummary) -> bool:
        """Whether a finding has a record of this connection."""
        its = self._stored.get(flow.key.community_id, {})
        return any(key.finding_id == finding_id and _is_one(other.flow, flow) for key, other in its.items())

    def take_out(self, connections: Mapping[ConnectionKey, FlowSummary]) -> dict[str, DoubleCount]:
        """Connections that are no longer of their finding; by how much its overlaps change."""
        change: dict[str, DoubleCount] = defaultdict(lambda: NO_OVERLAP)
        for mine, flow in connections.items():
            its = self._stored[flow.key.community_id]
            near = self._alike(mine, flow)
            left = [record for record in near if not _is(record, mine)]
            for part, sign in ((_between_runs(left), 1), (_between_runs(near), -1)):
                for algorithm, overlap in part.items():
                    change[algorithm] = change[algorithm].plus(overlap, sign)
            del its[mine]
            self._changed.pop(mine, None)
            self._gone.add(mine)
        return {algorithm: overlap for algorithm, overlap in change.items() if overlap}

    def write(self) -> None:
        """Put what changed into the tables."""
        rows: list[dict[str, Any]] = [
            {
                **key._asdict(),
                "ends": flow.key.community_id,
                "first_ns": flow.first_ns,
                "last_ns": flow.last_ns,
                "record": dump_flow(flow),
            }
            for key, flow in self._changed.items()
        ]
        for gone in self._gone:
            same = [CONNECTIONS.c[name] == value for name, value in gone._asdict().items()]
            self._connection.execute(delete(CONNECTIONS).where(*same))
        self._gone.clear()
        self._delete_moved()
        upsert(self._connection, CONNECTIONS, rows, replace=("ends", "first_ns", "last_ns", "record"))
        self._changed.clear()
        for sensor_id, note in self._notes.items():
            its = SENSORS.c.sensor_id == sensor_id
            self._connection.execute(update(SENSORS).where(its).values(clock_note=note))

    def _delete_moved(self) -> None:
        """Where the first packet is in the key, delete the rows of changed connections in which it is another one: a
        connection is in the table once."""
        if not is_cut(self._connection, CONNECTIONS):
            return
        changed = [(key, flow.first_ns) for key, flow in self._changed.items()]
        moved = [(*key, first_ns) for key, first_ns in changed if self._began.get(key) != first_ns]
        for start in range(0, len(moved), PAGE):
            columns = zip(*moved[start : start + PAGE], strict=True)
            names = ("findings", "sensors", "runs", "flows", "firsts")
            values = dict(zip(names, map(list, columns), strict=True))
            for row in self._connection.execute(MOVED, values).mappings().all():
                same = [CONNECTIONS.c[name] == value for name, value in row.items()]
                self._connection.execute(delete(CONNECTIONS).where(*same))
        self._began.update(changed)

    def _load(self, flows: Sequence[FlowSummary]) -> None:
        """Read the connections between the same ends, at about the same time."""
        if not flows:
            return
        ends = sorted({flow.key.community_id for flow in flows})
        first_ns, last_ns = min(flow.first_ns for flow in flows), max(flow.last_ns for flow in flows)
        about = and_(CONNECTIONS.c.last_ns >= first_ns - RESUMED_NS, CONNECTIONS.c.first_ns <= last_ns + RESUMED_NS)
        for start in range(0, len(ends), PAGE):
            page = CONNECTIONS.c.ends.in_(ends[start : start + PAGE])
            self._keep(self._connection.execute(select(CONNECTIONS).where(page, about)).all())

    def _keep(self, rows: Sequence[Row[Any]]) -> None:
        """Remember rows of the table; what this step has changed or taken out stays so."""
        for row in rows:
            key = ConnectionKey(row.finding_id, row.sensor_id, row.run_id, row.flow_id)
            self._began.setdefault(key, row.first_ns)
            if key not in self._gone and key not in self._stored[row.ends]:
                self._stored[row.ends][key] = StoredConnection(row.first_ns, row.last_ns, row.record)

    def _compare_clocks(self, seen: Sequence[SeenConnection], sensor_id: str, flow: FlowSummary) -> None:
        """Say where two sensors saw the same bytes at times too far apart to join them."""
        for record in seen:
            if record.sensor_id == sensor_id or flow.trace is None or record.flow.trace is None:
                continue
            if same_bytes(record.flow, flow) and not is_same(record.flow, flow):
                apart_s = (flow.first_ns - record.flow.first_ns) / SECOND_NS
                self._notes[sensor_id] = (
                    f"saw connections {abs(apart_s):.0f} s {'after' if apart_s > 0 else 'before'} sensor "
                    f"{record.sensor_id}: their clocks differ, and such connections are counted by both"
                )


def _between_runs(seen: Sequence[SeenConnection]) -> dict[str, DoubleCount]:
    """What runs counted that others had counted; what one run saw twice its own sums do not have."""
    found = dict(overlaps(seen))
    runs: dict[tuple[str, str], list[SeenConnection]] = defaultdict(list)
    for record in seen:
        runs[record.sensor_id, record.run_id].append(record)
    for its in runs.values():
        for algorithm, overlap in overlaps(its).items() if len(its) > 1 else ():
            found[algorithm] = found.get(algorithm, NO_OVERLAP).plus(overlap, -1)
    return found


def _is_one(left: FlowSummary, right: FlowSummary) -> bool:
    """Whether two records are of one connection, at the same time or one after the other."""
    return is_same(left, right) or goes_on(left, right) or goes_on(right, left)


def _near(other: StoredConnection, flow: FlowSummary) -> bool:
    return other.last_ns >= flow.first_ns - RESUMED_NS and other.first_ns <= flow.last_ns + RESUMED_NS


def _older(older: Sequence[FlowSummary], flow: FlowSummary) -> list[SeenConnection]:
    return [
        SeenConnection("", "before", record) for record in older if record.key.community_id == flow.key.community_id
    ]


def _is(record: SeenConnection, key: ConnectionKey) -> bool:
    return (record.sensor_id, record.run_id, record.flow.key.flow_id) == (key.sensor_id, key.run_id, key.flow_id)
