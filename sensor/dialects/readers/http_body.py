"""The body of one HTTP message and the JSON messages it makes, together with what its head says. Bounded, inflated
within the bound too.

A body that is one object is one message; one that is an array is a batch, a message each. What is not JSON makes a
message of the head alone where that says something: a header of mining, or the answer to a JSON request.
"""

from __future__ import annotations

import zlib

from sensor.dialects.readers.http_exchange import OutstandingRequest
from sensor.dialects.readers.http_head import Head
from sensor.dialects.readers.json_document import decode
from sensor.dialects.readers.json_lines import MAX_OBJECTS, cut_object
from sensor.dialects.readers.long_line import LongLine
from sensor.dialects.stream.message import Malformed, Message, Read

#: Of a longer body that is one object of JSON, and not compressed, head and tail are read as of a long line; its
#: beginning is still shown to the rules (a whole block template is megabytes).
MAX_BODY_BYTES = 65_536
SHOWN_BODY = 2_048
FRAMING = "http"


class Body:
    """The bytes of a body as they come."""

    __slots__ = ("_long", "damaged", "data", "over")

    def __init__(self) -> None:
        self.data = bytearray()
        self.over = False  # longer than what is kept
        self.damaged = False  # a part was not seen
        self._long: LongLine | None = None  # all of it, once it is too long to be held

    def add(self, data: bytes) -> None:
        """Keep what there is room for."""
        room = MAX_BODY_BYTES - len(self.data)
        self.data += data[:room]
        if len(data) > room:
            self.over = True
            self._long = self._long or LongLine(bytes(self.data))
            self._long.add(data[room:])

    def cut(self) -> tuple[dict[str, object], int] | None:
        """The object without its middle, and the bytes of that; None where the body is no such object."""
        return None if self._long is None else cut_object(self._long)

    def text(self, encoding: str) -> bytes:
        """The content, without its coding (RFC 9110 section 8.4)."""
        if encoding not in ("gzip", "x-gzip", "deflate"):
            return bytes(self.data)
        inflater = zlib.decompressobj(47 if encoding != "deflate" or self.data[:1] == b"\x78" else -15)
        try:
            plain = inflater.decompress(bytes(self.data), MAX_BODY_BYTES)
        except zlib.error:
            self.damaged = True
            return b""
        self.over = self.over or bool(inflater.unconsumed_tail)
        return plain


def messages(
    direction: int, ts_ns: int, offset: int, head: Head, body: Body, request: OutstandingRequest | None
) -> list[Read]:
    """The messages in one whole message of HTTP."""
    text = body.text(head.encoding)
    json_like = text.lstrip()[:1] in (b"{", b"[")
    if request is not None and head.status is None:
        request.json = json_like
    pair = ("http", request.number) if request is not None else None
    facts = head.facts()
    if body.damaged:
        return [Malformed(direction, ts_ns, offset, "damaged_body")]
    if body.over and json_like:
        facts["body"] = text[:SHOWN_BODY].decode("utf-8", "replace")
        value, skipped_bytes = body.cut() or ({}, 0)
        return [Message(direction, ts_ns, offset, {**value, "http": facts}, FRAMING, pair, skipped_bytes=skipped_bytes)]
    if json_like:
        return _json((direction, ts_ns, offset), text, facts, request)
    if head.speaks_of_mining or (head.status is not None and request is not None and request.json):
        return [Message(direction, ts_ns, offset, {"http": facts}, FRAMING, pair)]
    return []


def _json(
    place: tuple[int, int, int],
    text: bytes,
    facts: dict[str, object],
    request: OutstandingRequest | None,
) -> list[Read]:
    """The messages of a body; `place` is direction, time and offset. A lone answer among several messages is that to
    the request; to a body of several requests each answer has its own id."""
    direction, ts_ns, offset = place
    pair = ("http", request.number) if request is not None else None
    value = _values(text)
    if isinstance(value, str):
        return [Malformed(direction, ts_ns, offset, value)]
    if isinstance(value, dict):
        return [Message(direction, ts_ns, offset, {**value, "http": facts}, FRAMING, pair)]
    batch = [item for item in value[:MAX_OBJECTS] if isinstance(item, dict)]
    is_asking = "status" not in facts
    if request is not None and is_asking:
        request.several = True
    answers = [item for item in batch if "method" not in item]
    own = answers[0] if len(answers) == 1 and not is_asking and not (request is None or request.several) else None
    return [
        Message(direction, ts_ns, offset, {**item, "http": facts}, FRAMING, pair if item is own else None)
        for item in batch
    ]


def _values(text: bytes) -> dict[str, object] | list[object] | str:
    """A document, or the documents of lines of JSON; else what is wrong with it."""
    value = decode(text)
    if value != "trailing":
        return value
    lines = [decode(line) for line in text.splitlines()[: MAX_OBJECTS + 1] if line.strip()]
    return "trailing" if any(isinstance(line, str) for line in lines) else list(lines)
