"""Where packets come from: interfaces that may vanish and return, a folder that a rotating capture fills, or standard
input.

It attaches sources to the core and hears their ends; it reads no packet. Time is handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sensor.daemon.configuration import Configuration
from sensor.daemon.journal import Journal
from sensor.daemon.setup import Setup
from sensor.intake.clock import first_packet_ns, off_clock
from sensor.intake.engine import INTERFACE_SCHEME, Engine, ListenOptions, PacketCore, SourceError
from sensor.intake.sources import STDIN
from sensor.intake.spool import Spool, SpoolError
from sensor.model.events import End
from sensor.model.time import SECOND_NS, PlausibleTime
from sensor.settings.sections import CaptureSettings

#: How often a vanished interface is asked for, and a folder looked at.
RETRY_NS, LOOK_NS = 2 * SECOND_NS, SECOND_NS
#: Captures of a folder opened ahead of the one being read.
AHEAD = 2
#: Captures whose beginning is looked at in one look, some milliseconds each.
MOST_LOOKED_AT = 100
NOT_BOUND = "not all threads that read it could be bound to the processors of capture.cpus"
NOT_SPREAD = "its packets are not spread over the workers by the kernel: one thread reads them all"
MEMORY_NAME = ".minewatch-read.json"


class Interfaces:
    """Interfaces, attached for as long as the sensor runs."""

    def __init__(
        self, engine: Engine, core: PacketCore, captures: Mapping[str, ListenOptions], workers: int, journal: Journal
    ) -> None:
        """Attach all. Raises SourceError for the first that cannot be heard."""
        self._engine, self._core, self._journal = engine, core, journal
        self._workers = workers
        self._captures = dict(captures)
        self._gone: dict[str, int] = {}  # when to ask again
        self._unbound: set[str] = set()  # interfaces of which it was said that their threads are not bound
        self.counters: Counter[str] = Counter(interfaces_deleted=0, interfaces_reattached=0)
        for name, capture in self._captures.items():
            engine.attach(core, INTERFACE_SCHEME + name, capture)
        self._say_what_is_not_spread(self._captures)

    def _say_what_is_not_spread(self, names: Iterable[str]) -> None:
        """Several workers were to read a queue each, and one thread reads for all of them."""
        figures = self._core.interfaces()
        for name in names:
            if figures.get(name, {}).get("queues", self._workers) < self._workers:
                self._journal.warning(f"interface {name}: {NOT_SPREAD}")

    def _say_what_is_not_bound(self) -> None:
        """Threads were to be bound to processors, and one that has taken packets is not."""
        figures = self._core.interfaces()
        for name, capture in self._captures.items():
            its = figures.get(name, {})
            bound = its.get("pinned", 0) >= its.get("queues", 1)
            if capture.cpus and its.get("packets") and not bound and name not in self._unbound:
                self._unbound.add(name)
                self._journal.warning(f"interface {name}: {NOT_BOUND}")

    @property
    def over(self) -> bool:
        """Interfaces never end by themselves."""
        return False

    @property
    def unready(self) -> list[str]:
        """Why not everything is heard, a sentence each."""
        figures = self._core.interfaces()
        down = [name for name in self._captures if name not in self._gone and not figures.get(name, {}).get("up", 1)]
        gone = [f"{name} is gone; it is attached again as soon as it is back" for name in self._gone]
        return gone + [f"{name} is down" for name in down]

    def add(self, captures: Mapping[str, ListenOptions]) -> None:
        """Attach those that are new. Raises SourceError, and then those before it are attached."""
        for name in sorted(set(captures) - set(self._captures)):
            self._engine.attach(self._core, INTERFACE_SCHEME + name, captures[name])
            self._captures[name] = captures[name]
            self._say_what_is_not_spread([name])

    def ended(self, end: End, now_ns: int) -> None:
        """An interface was deleted."""
        name = end.source.removeprefix(INTERFACE_SCHEME)
        if end.error is not None and name in self._captures:
            self.counters["interfaces_deleted"] += 1
            self._gone[name] = now_ns + RETRY_NS

    def look(self, now_ns: int) -> None:
        """Ask for interfaces that have gone."""
        self._say_what_is_not_bound()
        for name in [name for name, retry_ns in self._gone.items() if not _waits(retry_ns, now_ns, RETRY_NS)]:
            try:
                self._engine.attach(self._core, INTERFACE_SCHEME + name, self._captures[name])
            except SourceError:
                self._gone[name] = now_ns + RETRY_NS
                continue
            del self._gone[name]
            self.counters["interfaces_reattached"] += 1


class Folder:
    """A folder of finished captures, each read once."""

    def __init__(self, engine: Engine, core: PacketCore, settings: CaptureSettings, journal: Journal) -> None:
        """Raises SpoolError if the folder or its memory cannot be used."""
        folder = Path(str(settings.folder))
        if not folder.is_dir():
            raise SpoolError(f"{folder}: no such folder")
        memory = Path(settings.memory) if settings.memory else folder / MEMORY_NAME
        self._engine, self._core, self._journal = engine, core, journal
        self._spool = Spool(folder, memory, settle_ns=settings.settle_s * SECOND_NS)
        self._reading: list[str] = []
        self._next_ns = 0
        self._trouble: str | None = None
        self.counters: Counter[str] = Counter(
            captures_read=0, captures_damaged=0, captures_grown=0, captures_off_clock=0
        )
        self._starts: dict[str, int | None] = {}  # first packets of captures that wait
        self._set_aside: set[str] = set()  # captures of a time that cannot be

    @property
    def over(self) -> bool:
        """More may always come."""
        return False

    @property
    def unready(self) -> list[str]:
        """Why the folder is not read."""
        return [self._trouble] if self._trouble else []

    def add(self, captures: Mapping[str, ListenOptions]) -> None:
        """A folder has no interfaces."""

    def ended(self, end: End, now_ns: int) -> None:  # noqa: ARG002 (every intake has this signature)
        """A capture was read, to its end or as far as it could be."""
        self._reading = [name for name in self._reading if name != end.source]
        if end.error is not None:
            self.counters["captures_damaged"] += 1
            self._journal.warning(
                f"{end.source}: {end.error} at byte {end.offset} ({end.packets} packets before it were used)"
            )
        self._done(end.source)
        self._next_ns = 0

    def look(self, now_ns: int) -> None:
        """Open the next finished captures, in the order of their packets: a backlog may be copied in any."""
        if _waits(self._next_ns, now_ns, LOOK_NS) or len(self._reading) >= AHEAD:
            return
        self._next_ns = now_ns + LOOK_NS
        try:
            waiting = [str(path) for path in self._spool.finished(now_ns)]
            self._trouble = None
        except SpoolError as error:
            self._trouble = str(error)
            return
        self.counters["captures_grown"] = self._spool.grown
        for name in self._in_order([name for name in waiting if name not in self._reading], now_ns):
            if len(self._reading) >= AHEAD:
                return
            try:
                self._engine.attach(self._core, name)
                self._reading.append(name)
            except SourceError as error:
                self.counters["captures_damaged"] += 1
                self._journal.warning(str(error))
                self._done(name)

    def _in_order(self, waiting: Sequence[str], now_ns: int) -> list[str]:
        """The captures to be read, by their packets; none until it is known of all of them when they are of.

        Those of a time that cannot be are said once and set aside. They are not remembered as read: it may be this
        host's clock that is wrong, and then they are read as soon as it is right.
        """
        unknown = [name for name in waiting if name not in self._starts]
        plausible = PlausibleTime.as_of(now_ns)
        for name in unknown[:MOST_LOOKED_AT]:
            start_ns = self._starts[name] = first_packet_ns(name, plausible)
            if start_ns is not None and not plausible.holds(start_ns):
                break  # it was searched far in, which takes long: the next ones have their turn at the next look
        if any(name not in self._starts for name in unknown):
            self._next_ns = now_ns
            return []
        self._starts = {name: self._starts[name] for name in waiting}
        reasons = off_clock([self._starts[name] for name in waiting], plausible)
        refused = {waiting[at]: why for at, why in reasons.items()}
        for name, why in refused.items():
            if name not in self._set_aside:
                self.counters["captures_off_clock"] += 1
                self._journal.warning(f"{name}: {why}; it is not read: its clock was wrong, or this host's is")
        self._set_aside = set(refused)
        return sorted((name for name in waiting if name not in refused), key=lambda name: self._starts[name] or 0)

    def _done(self, name: str) -> None:
        self.counters["captures_read"] += 1
        try:
            self._spool.mark_read(Path(name))
        except OSError as error:
            self._trouble = (
                f"what was read of the folder cannot be remembered: {(error.strerror or str(error)).lower()}"
            )


class Stdin:
    """Standard input, read to its end; then the sensor ends."""

    def __init__(self, engine: Engine, core: PacketCore, journal: Journal) -> None:
        """Raises SourceError if it is no capture."""
        self._journal = journal
        self.over = False
        self.unready: list[str] = []
        self.counters: Counter[str] = Counter()
        engine.attach(core, STDIN)

    def add(self, captures: Mapping[str, ListenOptions]) -> None:
        """Standard input has no interfaces."""

    def ended(self, end: End, now_ns: int) -> None:  # noqa: ARG002 (every intake has this signature)
        """The input is over."""
        self.over = True
        if end.error is not None:
            self._journal.warning(
                f"standard input: {end.error} at byte {end.offset} ({end.packets} packets before it were used)"
            )

    def look(self, now_ns: int) -> None:
        """Nothing more can come."""


Intake = Interfaces | Folder | Stdin


def _waits(until_ns: int, now_ns: int, most_ns: int) -> bool:
    """Whether it is too early; a time further ahead was set before the wall clock was put back."""
    return 0 < until_ns - now_ns <= most_ns


def open_intake(
    engine: Engine,
    core: PacketCore,
    capture: CaptureSettings,
    interfaces: Mapping[str, ListenOptions],
    workers: int,
    journal: Journal,
) -> Intake:
    """The intake that the configuration asks for. Raises OSError, SpoolError or SourceError."""
    if capture.stdin:
        return Stdin(engine, core, journal)
    if capture.folder is not None:
        return Folder(engine, core, capture, journal)
    return Interfaces(engine, core, interfaces, workers, journal)


def limits_of(settings: Configuration) -> dict[str, int]:
    """The bounds of the core, as configured."""
    return {"workers": settings.workers, **settings.limits.model_dump()}


def open_core(engine: Engine, setup: Setup, limits: Mapping[str, int]) -> PacketCore:
    """A core that looks for the signatures and leaves out what is excluded."""
    core = engine.core_of(setup.signatures, limits)
    core.exclude(*setup.excluded)
    return core
