"""What was seen of a dialect in one flow, kept small for as long as the flow lives: the first message of each name for
each login.

A sighting's texts are packed into bytes, because a sensor holds ten of them for each of many thousand open sessions
and reads few again.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sensor.dialects.excerpt import excerpt
from sensor.dialects.stream.message import Message
from sensor.signatures.paths import Parts

#: Sightings kept; the judge shows at most eight.
MAX_SIGHTINGS = 32
#: A packer of zlib's own size clears 256 KB for some hundred bytes of text, and takes ten times as long; the result is
#: as small with this.
WINDOW_BITS, MEMORY_LEVEL = 12, 1
FROM_MINER, CONFIRMS, ACCEPTED, PROOF = 1, 2, 4, 8


class Sighting(NamedTuple):
    """A message that fitted a rule, the first of its name for its account."""

    name: str
    login: str | None
    ts_ns: int
    offset: int
    excerpt: str
    detail: dict[str, object]
    from_miner: bool
    confirms: bool
    accepted: bool
    proof: bool  # a share that was recomputed


class Sightings:
    """The sightings of one reading: name and login of each, and all else packed together."""

    __slots__ = ("_names", "_packed", "dropped")

    def __init__(self) -> None:
        self._names: tuple[str | None, ...] = ()
        self._packed = b""
        self.dropped = 0

    def __iter__(self) -> Iterator[Sighting]:
        for number, (flags, ts_ns, offset, text, detail) in enumerate(self._unpacked()):
            name, login = self._names[2 * number : 2 * number + 2]
            marks = (bool(flags & flag) for flag in (FROM_MINER, CONFIRMS, ACCEPTED, PROOF))
            yield Sighting(str(name), login, ts_ns, offset, text, detail, *marks)

    def wants(self, name: str, login: str | None) -> bool:
        """Whether this would be the first of its name; one that finds no room is counted."""
        names, at = self._names, -1
        while True:
            try:
                at = names.index(name, at + 1)
            except ValueError:
                break
            if not at & 1 and names[at + 1] == login:
                return False
        if len(names) >= 2 * MAX_SIGHTINGS:
            self.dropped += 1
            return False
        return True

    def add(
        self,
        name: str,
        login: str | None,
        flags: int,
        message: Message,
        secrets: tuple[Parts, ...],
        detail: Mapping[str, object],
    ) -> None:
        """Keep a message under this name."""
        fresh = (flags, message.ts_ns, message.offset, excerpt(message.value, secrets), dict(detail))
        packer = zlib.compressobj(1, zlib.DEFLATED, WINDOW_BITS, MEMORY_LEVEL)
        self._packed = packer.compress(marshal.dumps((*self._unpacked(), fresh))) + packer.flush()
        self._names = (*self._names, name, login)

    def _unpacked(self) -> tuple[tuple[int, int, int, str, dict[str, object]], ...]:
        rows: tuple[tuple[int, int, int, str, dict[str, object]], ...] = ()
        if self._packed:
            rows = marshal.loads(zlib.decompress(self._packed))
        return rows
