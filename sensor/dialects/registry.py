"""Every framing there is: the modules of sensor/dialects/readers that declare a FRAMING_READER. Adding such a module
adds the framing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from sensor.dialects import readers
from sensor.dialects.stream.message import DEFAULT_FRAMING
from sensor.dialects.stream.reader import FramingReader, LineExits


def declared() -> dict[str, FramingReader]:
    """The declarations by name, in the order of the modules' names. Raises ValueError if two have one name."""
    found: dict[str, FramingReader] = {}
    for module in iter_modules(readers.__path__):
        reader: FramingReader | None = getattr(
            import_module(f"{readers.__name__}.{module.name}"), "FRAMING_READER", None
        )
        if reader is None:
            continue  # a part of another reader
        if reader.name in found:
            raise ValueError(f"two readers are called {reader.name}")
        found[reader.name] = reader
    return found


def line_exits(readers_by_name: Mapping[str, FramingReader], *, joined: bool) -> LineExits:
    """How framings begin at the start of a line; `joined` says that the start of the stream was not seen."""
    chosen = [
        (reader, reader.line)
        for reader in readers_by_name.values()
        if reader.line is not None and (joined or not reader.line_if_joined)
    ]
    return LineExits(
        frozenset(byte for reader, _ in chosen for byte in reader.line_bytes),
        tuple((reader.name, mark) for reader, mark in chosen),
    )


READERS = declared()
DEFAULT_READER = READERS[DEFAULT_FRAMING]
LINE_EXITS, LINE_EXITS_JOINED = line_exits(READERS, joined=False), line_exits(READERS, joined=True)
#: Reasons that say "this direction is not of its framing".
FOREIGN = frozenset(reason for reader in READERS.values() for reason in reader.foreign)
