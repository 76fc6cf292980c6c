"""The lease of a sensor: one process is it at a time, so that no two processes count under the same name.

A lease is a row with the process that holds it and a beat. It is taken over at once where its process is known to be
gone: it is of this host, boot and process namespace, and no longer runs. Elsewhere nobody can look: the lease has
expired when its beat did not change for LEASE_NS of the waiting process's own clock, so that two hosts' clocks need not
agree. Every transaction of a sensor proves that it still holds the lease; one that lost it writes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from sensor.ledger.store.database import reading, writing
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.schema import LEASES
from sensor.model.sensor import ProcessIdentity
from sensor.model.time import SECOND_NS

#: How long a lease holds without a beat.
LEASE_NS = 30 * SECOND_NS
#: How often a holder beats: several beats may be late, or lost to a locked ledger, before the lease expires.
BEAT_NS = 5 * SECOND_NS


class LeaseHeldError(LedgerError):
    """Another process that lives is this sensor; one sentence."""


class LeaseLostError(LedgerError):
    """This process no longer holds the lease: another one took it, or it was given up."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds a lease."""

    sensor_id: str
    run_id: str
    process: ProcessIdentity
    beat_ns: int  # wall clock of the holder; only whether it changes is looked at

    def __str__(self) -> str:
        return f"sensor {self.sensor_id} (process {self.process.pid} on {self.process.host})"


class LedgerLease:
    """The lease as one process asks for it, holds it and gives it up. Used by one thread."""

    def __init__(self, engine: Engine, sensor_id: str, run_id: str, process: ProcessIdentity) -> None:
        self._engine = engine
        self._sensor_id, self._run_id, self._process = sensor_id, run_id, process
        self._beat_due_ns = 0

    def acquire(
        self,
        clock_ns: Callable[[], int],
        wall_ns: Callable[[], int],
        pause: Callable[[], bool],
        is_running: Callable[[ProcessIdentity], bool],
    ) -> LeaseHolder | None:
        """Take the lease, waiting where only time tells; the holder it was taken from, if any.

        `clock_ns` is monotonic; `pause` waits a moment and says whether to go on; `is_running` is asked of processes of
        this kernel only. Raises LeaseHeldError if the holder lives, or if `pause` ended the waiting; LedgerError.
        """
        seen: tuple[LeaseHolder, int] | None = None  # as first seen, and when
        while True:
            holder = self._attempt(wall_ns(), is_running, expired=self._expired(seen, clock_ns()))
            if holder is None or not isinstance(holder, _Alive):
                return holder
            alive = holder.holder
            if self._process.shares_processes_with(alive.process) or (seen is not None and seen[0] != alive):
                raise LeaseHeldError(f"the ledger is being written by {alive}: one process is a sensor at a time")
            seen = seen or (alive, clock_ns())
            if not pause():
                raise LeaseHeldError(f"the ledger may still be written by {alive}: stopped before its lease expired")

    def take_if_free(
        self, wall_ns: int, is_running: Callable[[ProcessIdentity], bool], expired: LeaseHolder | None
    ) -> LeaseHolder | None:
        """Take the lease if it is free, its process is known to be gone, or it is the one that expired, without
        waiting; who holds it, None where it is this process now. Raises LedgerError."""
        holder = self._attempt(wall_ns, is_running, expired)
        return holder.holder if isinstance(holder, _Alive) else None

    @staticmethod
    def _expired(seen: tuple[LeaseHolder, int] | None, now_ns: int) -> LeaseHolder | None:
        return seen[0] if seen is not None and now_ns - seen[1] >= LEASE_NS else None

    def _attempt(
        self, wall_ns: int, is_running: Callable[[ProcessIdentity], bool], expired: LeaseHolder | None
    ) -> LeaseHolder | _Alive | None:
        """Take the lease if it is free, its process is gone, or it is the one that expired."""
        with writing(self._engine) as connection:
            mine = LEASES.c.sensor_id == self._sensor_id
            row = connection.execute(select(LEASES).where(mine)).mappings().one_or_none()
            holder = None if row is None else _holder(row)
            if holder is not None and holder != expired:
                here = self._process.shares_processes_with(holder.process)
                if not here or is_running(holder.process):
                    return _Alive(holder)
            connection.execute(delete(LEASES).where(mine))
            connection.execute(insert(LEASES).values(self._values(wall_ns)))
            return holder

    def beat(self, now_ns: int, wall_ns: int) -> bool:
        """Say that this process still lives, if it is time to; whether it was. Raises LeaseLostError; LedgerError: try
        again."""
        if now_ns < self._beat_due_ns:
            return False
        with writing(self._engine) as connection:
            prove(connection, self._sensor_id, self._run_id)
            mine = (LEASES.c.sensor_id == self._sensor_id, LEASES.c.run_id == self._run_id)
            connection.execute(update(LEASES).where(*mine).values(beat_ns=wall_ns))
        self._beat_due_ns = now_ns + BEAT_NS
        return True

    def release(self) -> None:
        """Give the lease up, if it is still held. Raises LedgerError."""
        with writing(self._engine) as connection:
            mine = (LEASES.c.sensor_id == self._sensor_id, LEASES.c.run_id == self._run_id)
            connection.execute(delete(LEASES).where(*mine))

    def _values(self, wall_ns: int) -> dict[str, object]:
        process = self._process
        return {
            "sensor_id": self._sensor_id,
            "run_id": self._run_id,
            "host": process.host,
            "boot_id": process.boot_id,
            "pid_namespace": process.pid_namespace,
            "pid": process.pid,
            "started_ticks": process.started_ticks,
            "beat_ns": wall_ns,
        }


@dataclass(frozen=True, slots=True)
class _Alive:
    """The holder lives as far as can be told."""

    holder: LeaseHolder


def prove(connection: Connection, sensor_id: str, run_id: str) -> None:
    """Within a transaction: this run still is the sensor. Raises LeaseLostError."""
    row = connection.execute(select(LEASES).where(LEASES.c.sensor_id == sensor_id)).mappings().one_or_none()
    if row is None or row["run_id"] != run_id:
        whose = "nobody" if row is None else str(_holder(row))
        raise LeaseLostError(f"the ledger's lease was lost: it is held by {whose}")


def holder_of(engine: Engine, sensor_id: str) -> LeaseHolder | None:
    """Which process is a sensor now; None for none. Raises LedgerError."""
    with reading(engine) as connection:
        row = connection.execute(select(LEASES).where(LEASES.c.sensor_id == sensor_id)).mappings().one_or_none()
    return None if row is None else _holder(row)


def _holder(row: RowMapping) -> LeaseHolder:
    process = ProcessIdentity(row["host"], row["boot_id"], row["pid_namespace"], row["pid"], row["started_ticks"])
    return LeaseHolder(row["sensor_id"], row["run_id"], process, row["beat_ns"])
