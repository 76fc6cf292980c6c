"""What a stream is, by its first bytes: a wrapping, or a framing. Ports are never asked.

Two cases: the very start of a stream is at hand, where every framing has its own mark; or a stream was joined in the
middle, where a mark is looked for in what was seen. What has no mark is read as JSON lines, which says of every line
whether it is one. The marks are those that wrappings and readers declare.
"""

from __future__ import annotations

from sensor.dialects.registry import READERS
from sensor.dialects.stream.message import DEFAULT_FRAMING
from sensor.dialects.stream.reader import MARK_BYTES
from sensor.dialects.wrappings import PROXY_V2, WRAPPINGS

#: A joined stream is decided at the latest with this much of one direction.
MAX_UNDECIDED_BYTES = 512

_STARTS = (
    *((wrapping.name, wrapping.start) for wrapping in WRAPPINGS.values()),
    *((reader.name, reader.start) for reader in READERS.values() if reader.start is not None),
)
#: What a stream that might still become one of them starts with.
_PROMISING = frozenset(
    b"".join(wrapping.start_bytes for wrapping in WRAPPINGS.values())
    + b"".join(reader.start_bytes for reader in READERS.values())
)
_MIDDLES = tuple(
    (reader.name, reader.middle)
    for reader in sorted(READERS.values(), key=lambda reader: -reader.middle_rank)
    if reader.middle is not None
)


def sniff_start(head: bytes) -> str | None:
    """The framing or wrapping that starts here; None while it may still be several."""
    for name, mark in _STARTS:
        if mark.match(head):
            return name
    if len(head) >= MARK_BYTES or (head and head[0] not in _PROMISING) or _is_text_line(head):
        return DEFAULT_FRAMING
    return None


def is_text(head: bytes) -> bool:
    """Whether the first byte is one that a text starts with; a stream that starts with another may lack its start
    unnoticed.
    """
    return head[:1].isspace() or 0x20 <= head[0] < 0x7F or head.startswith(b"\xef\xbb\xbf")


def sniff_middle(head: bytes) -> str | None:
    """What a stream is that was joined somewhere; None while no mark was seen and more may come."""
    for name, shows in _MIDDLES:
        if shows(head):
            return name
    return DEFAULT_FRAMING if b"\n" in head or len(head) >= MAX_UNDECIDED_BYTES else None


def _is_text_line(head: bytes) -> bool:
    """A blank line before the first object (only a blank one can still become the PROXY signature)."""
    return b"\n" in head and not PROXY_V2.startswith(head)
