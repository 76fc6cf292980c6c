"""Chooses the core: the compiled one, or the reference in plain Python where the extension could not be built.

The only file that imports `sensor._core` or `sensor.reference`. Both are the same border (`_core.pyi`), so what follows
never asks which of them it has. Falling back is reported on standard error, once: the reference is far slower.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sensor.model.events import Event
from sensor.model.gate_opening import GateOpening

if TYPE_CHECKING:
    from sensor.intake.packet_filter import Instruction

EngineName = Literal["auto", "compiled", "reference"]
NAMES: tuple[EngineName, ...] = ("auto", "compiled", "reference")
ENVIRONMENT = "MINEWATCH_ENGINE"
#: `confine` of `_core.pyi`.
Confine = Callable[
    [Sequence[str], Sequence[str], Sequence[int], bool, Sequence[str]], tuple[int, bool, bool, bool, bool]
]
#: What a source begins with that is an interface.
INTERFACE_SCHEME = "iface:"
#: What both cores say of a file that begins like none.
NO_CAPTURE = "not a capture"


class EngineError(Exception):
    """The engine that was asked for is not there; the text is one sentence."""


class SourceError(Exception):
    """A source could not be opened; `reason` is a phrase, `offset` in bytes."""

    def __init__(self, source: str, reason: str, offset: int) -> None:
        super().__init__(f"{source}: {reason}")
        self.source, self.reason, self.offset = source, reason, offset


@dataclass(frozen=True)
class ListenOptions:
    """How an interface is listened to."""

    promiscuous: bool = True
    ring_bytes: int = 64 << 20  # packets wait there while the reader is busy
    snaplen: int = 0  # bytes kept of a packet; 0: all
    filter: tuple[Instruction, ...] = ()  # classic BPF (sensor.intake.packet_filter); empty: everything
    cpus: tuple[int, ...] = ()  # processors that threads which read are bound to, in turn; empty: the system's choice


LISTEN_DEFAULTS = ListenOptions()


class PacketCore(Protocol):
    """A core as the line and the daemon use it; the stub `_core.pyi` describes each method."""

    @property
    def finished(self) -> bool: ...
    def attach(
        self,
        source: str,
        *,
        full: Literal["drop", "wait"] = "wait",
        promiscuous: bool = True,
        ring_bytes: int = ...,
        snaplen: int = 0,
        filter: Sequence[Instruction] = (),
        cpus: Sequence[int] = (),
    ) -> None: ...
    def poll(self, max_events: int, timeout_ms: int) -> list[Event]: ...
    def finish(self) -> None: ...
    def replace(self, tables: Any) -> None: ...
    def dismiss(self, flow: int) -> None: ...
    def exclude(self, networks: list[tuple[bytes, int]], ports: list[int]) -> None: ...
    def interfaces(self) -> dict[str, dict[str, int]]: ...
    def stats(self) -> dict[str, int]: ...
    def close(self) -> None: ...


class CoreTables(Protocol):
    """What a core looks for, as signatures have it."""

    @property
    def literals(self) -> Sequence[bytes]: ...
    @property
    def openings(self) -> Sequence[GateOpening]: ...
    @property
    def flights(self) -> Sequence[tuple[int, int]]: ...
    @property
    def names(self) -> Collection[bytes]: ...


@dataclass(frozen=True)
class Engine:
    """A loaded core module and its name."""

    name: str
    module: ModuleType

    def core(
        self,
        literals: Sequence[bytes],
        openings: Sequence[GateOpening],
        limits: Mapping[str, int],
        flights: Sequence[tuple[int, int]] = (),
        names: Collection[bytes] | None = None,
    ) -> PacketCore:
        """A core with these tables and limits (the limits by the names of `_core.pyi`)."""
        core: PacketCore = self.module.Core(
            self.tables(literals, openings, flights, names), self.module.Limits(**limits)
        )
        return core

    def tables(
        self,
        literals: Sequence[bytes],
        openings: Sequence[GateOpening],
        flights: Sequence[tuple[int, int]] = (),
        names: Collection[bytes] | None = None,
    ) -> Any:
        """What the prefilter looks for, in the form of this core."""
        return self.module.Tables(list(literals), list(openings), list(flights), None if names is None else list(names))

    def core_of(self, signatures: CoreTables, limits: Mapping[str, int]) -> PacketCore:
        """A core that looks for what these signatures do."""
        core: PacketCore = self.module.Core(self.tables_of(signatures), self.module.Limits(**limits))
        return core

    def tables_of(self, signatures: CoreTables) -> Any:
        """What these signatures look for, in the form of this core."""
        return self.tables(signatures.literals, signatures.openings, signatures.flights, signatures.names)

    def attach(self, core: PacketCore, source: str, options: ListenOptions = LISTEN_DEFAULTS) -> None:
        """Open a source on a core; SourceError says why it cannot be read.

        When the queue is full, reading a capture waits; listening to an interface ("iface:NAME") drops and counts.
        """
        try:
            if not source.startswith(INTERFACE_SCHEME):
                core.attach(source, full="wait")
                return
            core.attach(
                source,
                full="drop",
                promiscuous=options.promiscuous,
                ring_bytes=options.ring_bytes,
                snaplen=options.snaplen,
                filter=options.filter,
                cpus=options.cpus,
            )
        except self.module.CaptureError as error:
            from sensor.intake.archives import refusal  # five libraries that unpack come with it

            reason = (refusal(source) or error.reason) if error.reason == NO_CAPTURE else error.reason
            raise SourceError(error.source, reason, error.offset) from None


def load(name: EngineName = "auto") -> Engine:
    """Load a core; "auto" asks the environment first, then takes the compiled one if it is there."""
    if name == "auto":
        name = _from_environment()
    if name != "reference":
        try:
            return Engine("compiled", importlib.import_module("sensor._core"))
        except ImportError as error:
            if name == "compiled":
                raise EngineError(
                    f"the compiled core cannot be loaded ({error}); build it, or use --engine reference"
                ) from None
            print(
                f"minewatch: the compiled core is missing ({error}): using the slow reference engine", file=sys.stderr
            )
    return Engine("reference", importlib.import_module("sensor.reference"))


def confiner() -> Confine | None:
    """What restricts this process; None without the compiled core. Any engine may read packets beside it."""
    try:
        return getattr(importlib.import_module("sensor._core"), "confine", None)
    except ImportError:
        return None


def describe() -> str:
    """The engine that `load("auto")` would give, for people, with the compiler's version where the core has it."""
    name = _from_environment()
    if name != "reference":
        try:
            module = importlib.import_module("sensor._core")
            compiler = getattr(module, "COMPILER", None)
            return f"compiled ({compiler})" if compiler else "compiled"
        except ImportError as error:
            if name == "compiled":
                raise EngineError(f"the compiled core cannot be loaded ({error})") from None
            return "reference (slow; the compiled core is not built)"
    return "reference (slow; asked for)"


def _from_environment() -> EngineName:
    value = os.environ.get(ENVIRONMENT, "auto") or "auto"
    for name in NAMES:
        if value == name:
            return name
    raise EngineError(f"{ENVIRONMENT}={value}: must be one of {', '.join(NAMES)}")
