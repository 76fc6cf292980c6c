"""What reads one direction of a stream, and what the file of a framing declares about its reader. Knows no framing
by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from sensor.dialects.stream.message import Read

#: Every framing shows itself within so many bytes of its stream's start.
MARK_BYTES = 16
#: What comes after a wrapping: not a framing's name, but whatever the wrapping carries.
INSIDE = "inside"


class Left(NamedTuple):
    """A reader has seen the end of its framing: what comes next, and the bytes that belong to it."""

    to: str  # a framing, or INSIDE
    offset: int
    data: bytes


class Reader(Protocol):
    """What reads one direction: bytes in order come in, messages come out, until `left` says that another framing
    has begun.
    """

    @property
    def left(self) -> Left | None: ...
    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]: ...
    def finish(self) -> Iterator[Read]: ...


class LineExits(NamedTuple):
    """How lines end at which JSON lines are over: where a line starts like one of these, the framing of that name
    begins.
    """

    first_bytes: frozenset[int]  # of such lines: no other needs to be looked at
    marks: tuple[tuple[str, re.Pattern[bytes]], ...]

    def find(self, buffer: bytes | bytearray, at: int) -> str | None:
        """The framing that begins at this place of the buffer, if one does."""
        return next((name for name, mark in self.marks if mark.match(buffer, at)), None)


class Start(NamedTuple):
    """Where a reader begins."""

    direction: int
    offset: int  # in the direction's stream
    joined: bool  # the stream was met in its middle
    exits: LineExits  # for JSON lines


@dataclass(frozen=True, slots=True)
class FramingReader:
    """What a module of sensor/dialects/readers declares as FRAMING_READER; None for a mark that it does not have."""

    name: str
    #: Makes the reader of one direction; the second argument is the connection's instance of `shared`, or None.
    open: Callable[[Start, Any], Reader]
    #: The class of what both directions of a connection must know of each other; made without arguments.
    shared: type | None = None
    #: Matches the first MARK_BYTES of a stream or less, and with which byte such a stream can begin.
    start: re.Pattern[bytes] | None = None
    start_bytes: bytes = b""
    #: Whether the bytes of a stream that was joined in its middle show this framing; of several, the one of the highest
    #: rank.
    middle: Callable[[bytes], bool] | None = None
    middle_rank: int = 0
    #: Matches where a line of JSON lines should start, and with which byte; perhaps only where the start of the stream
    #: was not seen.
    line: re.Pattern[bytes] | None = None
    line_bytes: bytes = b""
    line_if_joined: bool = False
    #: Reasons of its Malformed that say "this direction is not this framing", as opposed to bytes that were cut by the
    #: capture.
    foreign: frozenset[str] = frozenset()
