"""Which process this is, and whether another one still runs (proc(5)). Asks the kernel; changes nothing."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from sensor.model.sensor import ProcessIdentity

PROC = Path("/proc")
#: Fields of /proc/PID/stat behind the program's name (proc_pid_stat(5)): state is the first of them, starttime the
#: twentieth.
STATE, STARTTIME = 0, 19
#: States of a process that is over and waits to be collected.
DEAD = frozenset("ZXx")


def this_process() -> ProcessIdentity:
    """The identity of the running process."""
    pid = os.getpid()
    return ProcessIdentity(
        host=socket.gethostname(),
        boot_id=_text(PROC / "sys/kernel/random/boot_id"),
        pid_namespace=_namespace(),
        pid=pid,
        started_ticks=_started_ticks(pid) or 0,
    )


def is_running(process: ProcessIdentity) -> bool:
    """Whether a process of this host, boot and namespace still runs; one whose number went to another does not."""
    return _started_ticks(process.pid) == process.started_ticks


def _started_ticks(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None if there is none, or only its remains."""
    fields = _text(PROC / str(pid) / "stat").rpartition(")")[2].split()
    if len(fields) <= STARTTIME or fields[STATE] in DEAD:
        return None
    return int(fields[STARTTIME])


def _namespace() -> str:
    try:
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
