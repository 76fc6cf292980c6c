"""Faults on purpose, for tests of what a sensor does about them: `minewatch run --simulate FAULT`, and nowhere else.

A fault is `NAME[=VALUE][@FROM[-TO]]`, from and to in seconds since the start; without them it lasts for the whole run.
It is made at the border of the part that it is about (the core, a destination, the ledger, the clock), so what follows
is the sensor's own doing. While any is asked for, the journal, /healthz, the status and a metric say so.
"""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from exporters.destination import Destination, ReportDestination, Unreachable
from sensor.delivery.delivery import AnyDestination
from sensor.intake.engine import PacketCore
from sensor.model.events import Chunk, Close, Event
from sensor.model.record import Record
from sensor.model.time import SECOND_NS
from sensor.model.wire import QueuedReport

FORM = re.compile(r"([a-z-]+)(?:=(-?\d+(?:\.\d+)?))?(?:@(\d+)(?:-(\d+))?)?")
#: By name: what happens, and the value that stands where none is given.
FAULTS: Mapping[str, tuple[str, float]] = {
    "loss": ("that share of the pieces of streams is lost before the line", 0.01),
    "memcap": ("tables and queues of the core have room for so many", 64),
    "parser-error": ("that share of the pieces of streams is damaged", 0.01),
    "sink-down": ("no destination takes anything", 0),
    "disk-full": ("the disk of the ledger and of the event files is full", 0),
    "worker-panic": ("a thread of the core dies", 0),
    "clock-step": ("the wall clock is so many seconds ahead", 3_600),
}
#: What the core is made with, and cannot become later.
FIXED = frozenset(("memcap",))
#: So that a run can be repeated.
SEED = 16


class SimulateError(Exception):
    """A fault that there is not, or that is refused here; one sentence."""


@dataclass(frozen=True)
class Fault:
    """One fault, and when."""

    text: str
    name: str
    value: float
    from_s: float = 0.0
    to_s: float = float("inf")


@dataclass
class Simulation:
    """The faults of a run; none of them in a normal one, and then everything passes as it is."""

    faults: tuple[Fault, ...] = ()
    start_s: float = field(default_factory=time.monotonic)

    @property
    def names(self) -> tuple[str, ...]:
        """What is simulated now."""
        return tuple(fault.text for fault in self.faults if self._runs(fault))

    def value(self, name: str) -> float | None:
        """That of a fault that is simulated now; None if it is not."""
        return next((fault.value for fault in self.faults if fault.name == name and self._runs(fault)), None)

    def limits(self, limits: Mapping[str, int]) -> dict[str, int]:
        """Those of the core."""
        most = self.value("memcap")
        bounded = ("flows", "candidates", "fragments", "queue_events")
        return dict(limits) if most is None else {**limits, **dict.fromkeys(bounded, int(most))}

    def core(self, core: PacketCore) -> PacketCore:
        """The core, with what happens to it."""
        return cast(PacketCore, _FaultyCore(core, self)) if self.faults else core

    def destinations(
        self, destinations: Mapping[str, tuple[AnyDestination, Any]]
    ) -> dict[str, tuple[AnyDestination, Any]]:
        """The destinations, with what happens to them."""
        if not self.faults:
            return dict(destinations)
        return {name: (self._faulty(destination, name), hiding) for name, (destination, hiding) in destinations.items()}

    def _faulty(self, destination: AnyDestination, name: str) -> AnyDestination:
        if isinstance(destination, ReportDestination):
            return cast(ReportDestination, _FaultyReports(destination, self, name))
        return cast(Destination, _FaultyDestination(destination, self, name))

    def begin(self, ledger: Engine) -> None:
        """Take hold of the ledger's database and of the clock."""
        if not self.faults:
            return

        def refuse(connection: Connection) -> None:
            if connection.get_execution_options().get("minewatch_writes") and self.value("disk-full") is not None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        event.listen(ledger, "begin", refuse)
        if any(fault.name == "clock-step" for fault in self.faults):
            for name, unit in (("time", 1), ("time_ns", SECOND_NS)):
                setattr(time, name, _stepped(getattr(time, name), unit, self))

    def _runs(self, fault: Fault) -> bool:
        return fault.from_s <= time.monotonic() - self.start_s < fault.to_s


def read_faults(texts: Sequence[str], environment: Mapping[str, str] = os.environ) -> Simulation:
    """The faults of `--simulate`. Raises SimulateError, also for any of them in a unit of systemd."""
    if texts and _is_unit(environment):
        raise SimulateError("run: --simulate is for tests, and refused in a unit of systemd")
    return Simulation(tuple(_read(text) for text in texts))


def _read(text: str) -> Fault:
    found = FORM.fullmatch(text)
    if found is None or found[1] not in FAULTS:
        raise SimulateError(
            f"run: --simulate {text}: must be NAME[=VALUE][@FROM[-TO]], NAME one of {', '.join(FAULTS)}"
        )
    name = found[1]
    if name in FIXED and found[3]:
        raise SimulateError(f"run: --simulate {text}: {name} holds for the whole run")
    fault = Fault(text, name, float(found[2]) if found[2] else FAULTS[name][1])
    return replace(fault, from_s=float(found[3] or 0), to_s=float(found[4] or "inf"))


def _is_unit(environment: Mapping[str, str]) -> bool:
    """Whether systemd started this very process (systemd.exec(5); SYSTEMD_EXEC_PID is there since version 248)."""
    if pid := environment.get("SYSTEMD_EXEC_PID"):
        return pid == str(os.getpid())
    return "INVOCATION_ID" in environment and os.getppid() == 1


def _stepped(clock: Any, unit: int, simulation: Simulation) -> Any:
    return lambda: clock() + int((simulation.value("clock-step") or 0) * unit)


class _FaultyCore:
    """A core some of whose events are lost or damaged."""

    def __init__(self, core: PacketCore, simulation: Simulation) -> None:
        self._core, self._simulation = core, simulation
        self._random = random.Random(SEED)
        self._lost: dict[tuple[int, int], int] = {}  # bytes since the last piece, by flow and direction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def poll(self, max_events: int, timeout_ms: int) -> list[Event]:
        """As that of the core."""
        if self._simulation.value("worker-panic") is not None:
            raise RuntimeError("simulated: a thread died")
        return list(self._changed(self._core.poll(max_events, timeout_ms)))

    def _changed(self, events: Sequence[Event]) -> Iterator[Event]:
        loss, damage = (self._simulation.value(name) or 0.0 for name in ("loss", "parser-error"))
        for found in events:
            if isinstance(found, Close):
                for direction in (0, 1):
                    self._lost.pop((found.flow, direction), None)
            if not isinstance(found, Chunk):
                yield found
                continue
            place = (found.flow, found.direction)
            if self._random.random() < loss:
                self._lost[place] = self._lost.get(place, 0) + found.gap + len(found.data)
                continue
            chunk = found._replace(gap=found.gap + self._lost.pop(place, 0))
            yield chunk._replace(data=b"\xff" * len(found.data)) if self._random.random() < damage else chunk


class _FaultyDestination:
    """A destination that cannot be reached, or whose disk is full."""

    def __init__(self, destination: Any, simulation: Simulation, name: str) -> None:
        self._destination, self._simulation = destination, simulation
        self._is_file = name.partition(".")[0] == "eve"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._destination, name)

    def send(self, records: Sequence[Record]) -> None:
        """As that of the destination. Raises what a receiver that is away, or a full disk, raises."""
        self._refuse()
        if self._is_file and self._simulation.value("disk-full") is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._destination.send(records)

    def _refuse(self) -> None:
        if self._simulation.value("sink-down") is not None:
            raise Unreachable("simulated: sink-down")


class _FaultyReports(_FaultyDestination):
    """The same of reports."""

    most = 2_000

    def send_reports(self, reports: Sequence[QueuedReport]) -> None:
        """As that of the destination. Raises what a broker that is away raises."""
        self._refuse()
        self._destination.send_reports(reports)

    def reopen(self) -> None:
        """As that of the destination."""
        self._destination.reopen()

    def close(self) -> None:
        """As that of the destination."""
        self._destination.close()
