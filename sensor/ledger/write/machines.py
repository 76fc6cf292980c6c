"""The machines of one step, by the names of their rigs; those without a name are one. SQL within the transaction."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection, select

from sensor.ledger.store.records import column_text
from sensor.ledger.store.schema import MACHINES
from sensor.ledger.write.rows import PAGE
from sensor.ledger.write.upsert import put
from sensor.model.finding import Finding

#: Machines stored of one address; more are counted by the findings, not listed.
MAX_MACHINES = 1_024


class MachineKey(NamedTuple):
    """What tells machines apart."""

    miner_ip: str
    name: str


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine as its table holds it."""

    miner_ip: str
    name: str
    site_id: int
    algorithm: str | None
    device: str | None
    device_class: str | None
    agent: str | None
    first_ns: int
    last_ns: int

    def seen(self, first_ns: int, last_ns: int) -> MachineRow:
        """The same machine, seen at these times too."""
        return replace(self, first_ns=min(self.first_ns, first_ns), last_ns=max(self.last_ns, last_ns))


class MachineWriter:
    """The machines of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[MachineKey, MachineRow] = {}

    def add(self, finding: Finding, site_id: int) -> None:
        """A finding's machines were seen."""
        for name in sorted({column_text(worker) for worker in finding.workers}) or [""]:
            key = MachineKey(finding.miner_ip, name)
            row = MachineRow(
                finding.miner_ip,
                name,
                site_id,
                finding.algorithm,
                finding.device,
                finding.device_class,
                None if finding.agent is None else column_text(finding.agent),
                finding.first_ns,
                finding.last_ns,
            )
            before = self._rows.get(key)
            self._rows[key] = row if before is None else row.seen(before.first_ns, before.last_ns)

    def write(self) -> None:
        """Put them into the table, at most MAX_MACHINES of an address; the first sighting stays."""
        if not self._rows:
            return
        stored = self._stored()
        counts = Counter(key.miner_ip for key in stored)
        rows = []
        for key, row in self._rows.items():
            if key not in stored:
                counts[key.miner_ip] += 1
                if counts[key.miner_ip] > MAX_MACHINES:
                    continue
            rows.append(asdict(row.seen(*stored.get(key, (row.first_ns, row.last_ns)))))
        put(self._connection, MACHINES, rows)
        self._rows.clear()

    def _stored(self) -> dict[MachineKey, tuple[int, int]]:
        """First and last sighting of every machine in the table at the addresses of the step."""
        addresses = sorted({key.miner_ip for key in self._rows})
        columns = select(MACHINES.c.miner_ip, MACHINES.c.name, MACHINES.c.first_ns, MACHINES.c.last_ns)
        stored: dict[MachineKey, tuple[int, int]] = {}
        for start in range(0, len(addresses), PAGE):
            page = MACHINES.c.miner_ip.in_(addresses[start : start + PAGE])
            for miner_ip, name, first_ns, last_ns in self._connection.execute(columns.where(page)):
                stored[MachineKey(miner_ip, name)] = (first_ns, last_ns)
        return stored
