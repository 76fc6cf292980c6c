"""Every framing there is: the modules of sensor/dialects/readers that declare a FRAMING_READER. Adding such a module
adds the framing.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from sensor.dialects import readers
from sensor.dialects.stream.message import DEFAULT_FRAMING
from sensor.dialects.stream.reader import FramingReader, LineExits


def _declared() -> dict[str, FramingReader]:
    """The declarations by name, in the order of the modules' names. Raises ValueError if two have one name."""
    found: dict[str, FramingReader] = {}
    for module in iter_modules(readers.__path__):
        declared: FramingReader | None = getattr(
            import_module(f"{readers.__name__}.{module.name}"), "FRAMING_READER", None
        )
        if declared is None:
            continue  # a part of another reader
        if declared.name in found:
            raise ValueError(f"two readers are called {declared.name}")
        found[declared.name] = declared
    return found


def _exits(*, joined: bool) -> LineExits:
    chosen = [
        reader for reader in READERS.values() if reader.line is not None and (joined or not reader.line_if_joined)
    ]
    return LineExits(
        frozenset(byte for reader in chosen for byte in reader.line_bytes),
        tuple((reader.name, reader.line) for reader in chosen if reader.line is not None),
    )


READERS = _declared()
DEFAULT_READER = READERS[DEFAULT_FRAMING]
#: How framings begin at a line's start: where the start of the stream was seen, and where it was not.
LINE_EXITS, LINE_EXITS_JOINED = _exits(joined=False), _exits(joined=True)
#: Reasons that say "this direction is not of its framing".
FOREIGN = frozenset(reason for reader in READERS.values() for reason in reader.foreign)
