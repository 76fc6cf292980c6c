"""A sensor: one process at one observation point, with an identity that outlives the process. Plain data."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: What an identity may look like: it stands in file names, labels, URLs.
SENSOR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Under which a replay counts unless it is given another.
REPLAY_SENSOR = "replay"


def valid_sensor_id(text: str) -> bool:
    """Whether a text may name a sensor."""
    return SENSOR_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process such that no other one, before or after it, has the same identity."""

    host: str
    boot_id: str  # of the running kernel; "" where the system has none
    pid_namespace: str  # a number of a process means something only in its namespace
    pid: int
    started_ticks: int  # since boot: a number that was given to another process is told apart by it

    def shares_processes_with(self, other: ProcessIdentity) -> bool:
        """Whether the other's process number means the same here: one kernel that did not restart, one namespace."""
        mine = (self.host, self.boot_id, self.pid_namespace)
        return bool(self.boot_id) and mine == (other.host, other.boot_id, other.pid_namespace)
