"""What findings become outside: one file a destination or document. Exporters see records and nothing else of the sensor.

A file with a `Config` is a kind of exporter, and its name is the key in the configuration's section `exporters`. One with a `Sender`, too,
is fed from the outbox; it does its input and output there, in a thread of its own, and turns records into bytes by pure functions.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol

from sensor.records import Finding, Node

Record = Finding | Node


class Refused(Exception):  # noqa: N818 (an answer, not an error of ours)
    """The destination will never take these records; sending them again is useless."""


class Unreachable(OSError):  # noqa: N818
    """The destination cannot take anything now; the same records are to be sent again later."""


class Unusable(Exception):  # noqa: N818
    """A sender cannot be made from its settings; the sentence names the key and what is wrong."""


class Destination(Protocol):
    """What delivery needs of a `Sender(settings)`; used by one thread, `reopen` by any."""

    most: int  # records in one call
    repeat_s: float | None  # how often what is open is to be sent again; None: never

    def send(self, records: Sequence[Record]) -> None:
        """Send all of them, in their order. Raises Refused, or an OSError if they are to be sent again later."""

    def reopen(self) -> None:
        """Open again what was rotated or replaced, at the next use."""

    def close(self) -> None:
        """Let go of the destination."""


def kinds() -> dict[str, ModuleType]:
    """Every kind of exporter by its name: the files of this folder that have a `Config`."""
    found = {name: importlib.import_module(f"{__name__}.{name}") for _, name, _ in pkgutil.iter_modules(__path__)}
    return {name: module for name, module in found.items() if hasattr(module, "Config")}
