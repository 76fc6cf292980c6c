"""The records of one step as a transaction: findings, nodes and conditions, of one sensor or of several. SQL within the
transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from sensor.ledger.write.conditions import ConditionWriter
from sensor.ledger.write.findings import FindingWriter
from sensor.ledger.write.nodes import NodeWriter
from sensor.ledger.write.parts import Reporter
from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import Record


class StepWriter:
    """What is recorded of one step. `records` are all that will be added, so that what the ledger has of them is read
    at once."""

    def __init__(self, connection: Connection, records: Sequence[Record], reporter: Reporter, now_ns: int) -> None:
        its = [record for record in records if isinstance(record, Finding)]
        self._findings = FindingWriter(connection, its, reporter, now_ns)
        self._nodes = NodeWriter(connection, [record.node_id for record in records if isinstance(record, Node)], now_ns)
        identities = [record.condition_id for record in records if isinstance(record, Condition)]
        self._conditions = ConditionWriter(connection, identities, now_ns)
        self.events: list[Record] = []

    def report_as(self, reporter: Reporter) -> None:
        """Which run of which sensor tells what follows."""
        self._findings.report_as(reporter)

    def add(self, record: Record, suppressed: str | None) -> Record:
        """Take a record; as the ledger has it then. What of it is an event is among `events`."""
        stored: Record
        if isinstance(record, Finding):
            stored, is_event = self._findings.add(record, suppressed)
        elif isinstance(record, Node):
            stored, is_event = self._nodes.add(record)
        else:
            stored, is_event = self._conditions.add(record)
        if is_event:
            self.events.append(stored)
        self.events += self._findings.further
        self._findings.further.clear()
        return stored

    def end(self, finding_ids: Iterable[str], sensor_id: str) -> None:
        """No run of a sensor follows these findings any more; those that are not there are left out."""
        for finding_id in finding_ids:
            ended = self._findings.end(finding_id, sensor_id)
            if ended is not None and ended[1]:
                self.events.append(ended[0])

    def write(self) -> None:
        """Put what changed into the tables."""
        self._findings.write()
        self._nodes.write()
        self._conditions.write()
