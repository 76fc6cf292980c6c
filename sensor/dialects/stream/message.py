"""What a reader gives: one decoded message, or a piece of stream that gave none. Plain data."""

from __future__ import annotations

from typing import NamedTuple

#: The framing of a stream that shows no other's mark.
DEFAULT_FRAMING = "json-lines"


class Message(NamedTuple):
    """One decoded object of one direction."""

    direction: int
    ts_ns: int  # of the chunk that completed it
    offset: int  # of its first byte in the direction's stream
    value: dict[str, object]
    framing: str = DEFAULT_FRAMING
    #: What ties a request to its reply where the framing knows better than the message's id.
    pair: tuple[str, object] | None = None
    end: int = -1  # offset of the byte after it and its separator; -1: the framing does not say
    #: Bytes of its middle that were read past. Such a message counts, but proves no work.
    skipped_bytes: int = 0


class Malformed(NamedTuple):
    """Bytes that gave no message, and why."""

    direction: int
    ts_ns: int
    offset: int
    reason: str


Read = Message | Malformed
