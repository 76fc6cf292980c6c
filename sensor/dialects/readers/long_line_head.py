"""The head of a line of JSON that is cut: the objects that are whole in it, and what is open where it ends.

What is kept of the object that is cut is such that closing brackets make JSON of it: the element that the cut goes
through is a text that ends with CUT, or it is left out and its place is noted. Knows JSON's lexical rules (RFC 8259).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Ends a text that was cut, and stands for what was left out; a noncharacter, which no text should hold.
CUT = "\ufdd0"
CUT_TEXT = f'"{CUT}"'.encode()

_MARKS = re.compile(rb'["{}\[\],:]')
_REST_OF_TEXT = re.compile(rb'(?:[^"\\]++|\\[\s\S])*+')
#: A text's beginning that ends between two characters.
_WHOLE_CHARACTERS = re.compile(rb'(?:[^"\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+')
_NAME = re.compile(rb',?\s*"((?:[^"\\]++|\\[\s\S])*+)"')
_BLANK = b" \t\r\n"


@dataclass(slots=True)
class Container:
    """An object or list that is open where the head ends."""

    is_list: bool
    boundary: int  # in the head: where its last whole element ends
    names: list[bytes] = field(default_factory=list)  # of members that are left out, as they stand
    lacks: bool = False  # whole elements of it are left out

    def go_on(self, document: bytearray) -> None:
        """Put what stands for the elements that are left out."""
        pieces = [b'"' + name + b'":' + CUT_TEXT for name in self.names]
        if self.is_list and self.lacks and not document.endswith(CUT_TEXT):
            pieces.append(CUT_TEXT)
        for piece in pieces:
            document += (b"" if document.endswith((b"{", b"[")) else b",") + piece

    def close(self, document: bytearray) -> None:
        """The same, and its closing bracket."""
        self.go_on(document)
        document += b"]" if self.is_list else b"}"


@dataclass(slots=True)
class LineHead:
    """What is known of a line by its head."""

    objects: list[tuple[int, bytes]] = field(default_factory=list)  # whole ones, with their offset in the line
    containers: list[Container] = field(default_factory=list)  # open ones, outermost first
    begun: int = 0  # where the object that is cut begins
    beginning: bytes = b""  # of it; empty if the head ends between two objects
    in_text: bool = False  # the head ends within a text
    name: bytes = b""  # of that text, or of one that has just ended
    at_name: bool = False  # it has just ended: a colon would make it a name
    rest: bytes = b""  # a backslash that the head ends with


def read_head(data: bytes) -> LineHead | None:
    """The head; None if this does not start like objects of JSON."""
    head = LineHead(begun=len(data) - len(data.lstrip(_BLANK + b"\xef\xbb\xbf")))
    if data[head.begun : head.begun + 1] != b"{":
        return None
    at, before = head.begun, b""
    while (found := _MARKS.search(data, at)) is not None:
        mark, at = found[0], found.end()
        if mark == b'"':
            end = _text_end(data, at)
            if data[end : end + 1] != b'"':
                _cut_in_text(head, data, (at, end), is_value=before == b":")
                return head
            at = end + 1
            continue
        before = mark
        if not _open_or_close(head, mark, at):
            return None
        if not head.containers and not _next_object(head, data, at):
            return None
        at = max(at, head.begun)
    if head.containers:
        _cut_between(head, data)
    return head


def _text_end(data: bytes, at: int) -> int:
    found = _REST_OF_TEXT.match(data, at)
    return at if found is None else found.end()


def _open_or_close(head: LineHead, mark: bytes, at: int) -> bool:
    """Follow a bracket or a comma; false if it closes what is not open."""
    if mark in b"{[":
        head.containers.append(Container(mark == b"[", at))
    elif mark in b"}]":
        if not head.containers or head.containers.pop().is_list is not (mark == b"]"):
            return False
    elif mark == b"," and head.containers:
        head.containers[-1].boundary = at - 1
    return True


def _next_object(head: LineHead, data: bytes, at: int) -> bool:
    """An object is whole; false if something else than an object follows."""
    head.objects.append((head.begun, data[head.begun : at]))
    head.begun = len(data) - len(data[at:].lstrip(_BLANK))
    return data[head.begun : head.begun + 1] in (b"{", b"")


def _cut_in_text(head: LineHead, data: bytes, text: tuple[int, int], *, is_value: bool) -> None:
    start, end = text
    inner = head.containers[-1]
    head.in_text, head.rest = True, data[end:]
    if is_value or inner.is_list:
        shown = _WHOLE_CHARACTERS.match(data, start, end)
        head.beginning = data[head.begun : start if shown is None else shown.end()] + CUT_TEXT[1:]
    else:
        head.name = data[start:end]
        head.beginning = data[head.begun : inner.boundary]


def _cut_between(head: LineHead, data: bytes) -> None:
    """The head ends outside of a text: the element that may go on is left out."""
    inner = head.containers[-1]
    head.beginning = data[head.begun : inner.boundary]
    name = _NAME.match(data, inner.boundary)
    if inner.is_list:
        head.beginning += (b"" if head.beginning.endswith(b"[") else b",") + CUT_TEXT
    elif name is not None and data[name.end() :].strip(_BLANK):
        inner.names.append(name[1])
    elif name is not None:
        head.name, head.at_name = name[1], True
