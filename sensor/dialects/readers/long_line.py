"""A line of JSON that is longer than may be held: its head and its tail are kept, what is between them is read past.

The bytes that are left out are still read for their quotes, brackets and commas. So it is never guessed whether the
tail begins inside a text: text that looks like members stays text. What comes out is a document without its middle, for
the ordinary decoder:

- a text that was cut ends with CUT, and a list of which elements were left out has CUT for its last;
- a member whose name was seen in the middle is there with CUT for its value: it is neither absent nor what an earlier
  member of that name said;
- the elements of a list behind others that were left out are left out too, for their indices are not known;
- a number that was cut is left out.

Knows JSON's lexical rules (RFC 8259) and nothing of what messages mean.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sensor.dialects.readers.long_line_head import Container, read_head

#: Kept of a line's beginning and of its end. A share's method, id, login and job are far shorter.
HEAD_BYTES, TAIL_BYTES = 16_384, 16_384
#: Held behind the tail's length before the beginning of it is read past.
STEP_BYTES = 8_192
#: Names of members that are left out; no protocol comes near.
MAX_NAMES, MAX_NAME_BYTES = 64, 256
#: Containers within one another.
MAX_DEPTH = 64

_REST_OF_TEXT = re.compile(rb'(?:[^"\\]++|\\[\s\S])*+')
_MARKS = re.compile(rb'["{}\[\],]')
_MARKS_BUT_COMMAS = re.compile(rb'["{}\[\]]')
_COLON = re.compile(rb"[ \t\r]*+(:?)")


class LinePart(NamedTuple):
    """An object of the line, whole or without its middle; or, behind that one, whatever objects there are."""

    offset: int  # in the line
    data: bytes
    end: int  # in the line
    is_cut: bool


class LongLine:
    """One line from its start on; bounded whatever it holds."""

    __slots__ = (
        *("_at_name", "_containers", "_depth", "_head", "_in_text", "_lowest", "_name", "_names", "_rest", "_tail"),
        *("hopeless", "length"),
    )

    def __init__(self, start: bytes) -> None:
        """`start` is more than HEAD_BYTES + TAIL_BYTES of the line."""
        self.length = len(start)
        self._head = read_head(start[:HEAD_BYTES])
        #: This is no object of JSON, or a bound was passed: nothing will come of it.
        self.hopeless = self._head is None or len(self._head.containers) > MAX_DEPTH
        self._tail = bytearray(start[HEAD_BYTES:])
        self._containers: list[Container] = [] if self._head is None else self._head.containers
        self._depth = len(self._containers)  # where the reading past is
        self._lowest = self._depth  # so many containers of the head are still open
        self._in_text = self._head is not None and self._head.in_text
        self._name = bytearray(b"" if self._head is None else self._head.name)  # a text, as far as it can be a name
        self._at_name = self._head is not None and self._head.at_name  # it has ended: is it a name?
        self._names = 0
        self._rest = b"" if self._head is None else self._head.rest  # a backslash whose character has not come
        self._shorten()

    @property
    def skipped_bytes(self) -> int:
        """How many bytes are neither of the head nor of the tail."""
        return self.length - HEAD_BYTES - TAIL_BYTES

    def add(self, data: bytes) -> None:
        """More of the line."""
        self.length += len(data)
        self._tail += data
        self._shorten()

    def _shorten(self) -> None:
        """Hold no more than the tail, in large steps: each moves it."""
        if self.hopeless:
            self._tail.clear()
        elif len(self._tail) > TAIL_BYTES + STEP_BYTES:
            self._pass()

    def finish(self) -> list[LinePart]:
        """The line has ended: its objects in their order; none if there are none that can be read."""
        if not self.hopeless:
            self._pass()
        if self.hopeless or self._head is None:
            return []
        whole = [LinePart(begun, data, begun + len(data), False) for begun, data in self._head.objects]
        tail = bytes(self._rest + self._tail)
        start = self.length - len(tail)
        document = bytearray(self._head.beginning)
        for container in reversed(self._containers[self._lowest :]):
            container.close(document)
        if not self._lowest:  # the object that is cut has ended before the tail
            end = self._to_end(tail, 0)
            cut = [LinePart(self._head.begun, bytes(document), start, True)] if document else []
            return [*whole, *cut, *_behind(tail, end, start)]
        boundary = self._walk(tail, 0, to_boundary=True)
        end = None if boundary is None else self._to_end(tail, boundary)
        if end is None or self.hopeless:
            return []
        self._containers[self._lowest - 1].go_on(document)
        document += tail[boundary:end]
        return [*whole, LinePart(self._head.begun, bytes(document), start + end, True), *_behind(tail, end, start)]

    def _pass(self) -> None:
        """Read past what is in front of the tail."""
        over = len(self._tail) - TAIL_BYTES
        passed = bytes(self._rest + self._tail[:over])
        del self._tail[:over]
        self._rest = b""
        self._walk(passed, 0, to_boundary=False)

    def _to_end(self, tail: bytes, at: int) -> int | None:
        """Where in the tail no container is open any more; None if one is to its end."""
        while self._depth or self._in_text:
            if self._in_text:
                at = _text_end(tail, at) + 1
                self._in_text = at > len(tail)
                if self._in_text:
                    return None
            found = _MARKS_BUT_COMMAS.search(tail, at) if self._depth else None
            if found is None:
                return None if self._depth else at
            at = found.end()
            self._in_text = found[0] == b'"'
            self._depth += (found[0] in b"{[") - (found[0] in b"}]")
        return at

    def _walk(self, data: bytes, at: int, *, to_boundary: bool) -> int | None:
        """Read past bytes. With `to_boundary`, stop before the comma or bracket that ends an element of the innermost
        container that is open since the head, and tell where; None if there is none.
        """
        while at < len(data) and not self.hopeless:
            if self._in_text:
                at = self._pass_text(data, at)
            elif self._at_name:
                at = self._pass_colon(data, at)
            else:
                found = self._next_mark(data, at, to_boundary=to_boundary)
                if found is None:
                    return None
                if to_boundary and self._depth == self._lowest and found[0] in b",}]":
                    return found.start()
                at = found.end()
                self._pass_mark(found[0])
        return None

    def _next_mark(self, data: bytes, at: int, *, to_boundary: bool) -> re.Match[bytes] | None:
        inside = self._containers[self._lowest - 1] if self._lowest and self._depth == self._lowest else None
        if inside is None or (inside.lacks and (inside.is_list or not to_boundary)):
            return _MARKS_BUT_COMMAS.search(data, at)
        return _MARKS.search(data, at)

    def _pass_mark(self, mark: bytes) -> None:
        if mark == b'"':
            self._in_text = True
            self._name.clear()
        elif mark == b",":
            self._containers[self._lowest - 1].lacks = True
        elif mark in b"{[":
            self._depth += 1
            self.hopeless = self._depth > MAX_DEPTH
        else:
            self._depth -= 1
            self._lowest = min(self._lowest, self._depth)
            self.hopeless = self._depth < 0

    def _pass_text(self, data: bytes, at: int) -> int:
        end = _text_end(data, at)
        if self._depth == self._lowest:
            self._name += data[at : min(end, at + MAX_NAME_BYTES + 1 - len(self._name))]
        if data[end : end + 1] == b"\\":
            self._rest = data[end:]
        if data[end : end + 1] == b'"':
            self._in_text = False
            self._at_name = self._depth == self._lowest
        return end + 1

    def _pass_colon(self, data: bytes, at: int) -> int:
        found = _COLON.match(data, at)
        at = at if found is None else found.end()
        if found is not None and found[1]:
            self._note_name()
        elif at == len(data):
            return at
        self._at_name = False
        return at

    def _note_name(self) -> None:
        """A member of the innermost open object is left out."""
        self._names += 1
        if not self._lowest or self._containers[self._lowest - 1].is_list or self._names > MAX_NAMES:
            self.hopeless = True
        elif len(self._name) <= MAX_NAME_BYTES:
            self._containers[self._lowest - 1].names.append(bytes(self._name))


def _text_end(data: bytes, at: int) -> int:
    """Where the text ends that goes on here: its quote, the end of the bytes, or a backslash that ends them."""
    found = _REST_OF_TEXT.match(data, at)
    return at if found is None else found.end()


def _behind(tail: bytes, end: int | None, start: int) -> list[LinePart]:
    """What the tail holds behind the object that was cut."""
    if end is None or not tail[end:].strip():
        return []
    return [LinePart(start + end, tail[end:], start + len(tail), False)]
