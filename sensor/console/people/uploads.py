"""A file out of a form, piece by piece: bounded before it is parsed, and nothing taken before the form's token was.
Nothing is written anywhere here; whoever stores it looks at its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from sensor.cases.file_kinds import MOST_FILE_BYTES, TOO_LARGE_FILE
from sensor.cases.states import CaseError
from sensor.console.people.forms import MOST_CHARACTERS, TOKEN, UNREADABLE, is_too_long
from sensor.console.refusal import RefusalError

#: Parts of such a form, headers of a part and their bytes, bytes of a text (a character takes at most four).
MOST_PARTS, MOST_HEADERS, HEADER_BYTES, TEXT_BYTES = 8, 6, 2_048, 4 * MOST_CHARACTERS
#: RFC 2046 section 5.1.1: up to 70 characters.
BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{1,70}")


@dataclass
class UploadedForm:
    """The texts of a form, and its one file."""

    values: dict[str, str]
    file_name: str = ""
    content: bytes = b""


@dataclass
class _Part:
    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    name: str = ""
    file_name: str | None = None
    data: bytearray = field(default_factory=bytearray)


class _FormReader:
    """The call-backs of the parser. Each raises RefusalError, or CaseError for a file that is too large."""

    def __init__(self, fields: Collection[str], admit: Callable[[str], None]) -> None:
        self._fields, self._admit, self._admitted = fields, admit, False
        self._part, self._parts = _Part(), 0
        self.ended = False
        self.form: UploadedForm | None = None
        self.values: dict[str, str] = {}

    def part_begins(self) -> None:
        self._part, self._parts = _Part(), self._parts + 1
        if self._parts > MOST_PARTS:
            raise RefusalError(400, UNREADABLE)

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def header_ends(self) -> None:
        if bytes(self._part.header_name).lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.header_value)
        self._part.header_name.clear()
        self._part.header_value.clear()

    def headers_end(self) -> None:
        kind, options = parse_options_header(self._part.disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename")
        declared = name == TOKEN or name in self._fields
        is_twice = name in self.values or (file_name is not None and self.form is not None)
        if kind != b"form-data" or not declared or is_twice or (file_name is not None) != (name == "file"):
            raise RefusalError(400, UNREADABLE)
        if not self._admitted and name != TOKEN:  # the token is the first of our forms' fields
            self._admit("")
        self._part.name = name
        self._part.file_name = None if file_name is None else file_name.decode("utf-8", "replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.file_name is not None:
            if len(part.data) + end - start > MOST_FILE_BYTES:
                raise CaseError(TOO_LARGE_FILE, most=str(MOST_FILE_BYTES >> 20))
        elif len(part.data) + end - start > TEXT_BYTES:
            raise RefusalError(400, UNREADABLE)
        part.data += data[start:end]

    def part_ends(self) -> None:
        part = self._part
        if part.file_name is not None:
            self.form = UploadedForm({}, part.file_name, bytes(part.data))
            return
        try:
            text = part.data.decode("utf-8")
        except UnicodeDecodeError:
            raise RefusalError(400, UNREADABLE) from None
        if is_too_long(text):
            raise RefusalError(400, UNREADABLE)
        if part.name == TOKEN:
            self._admit(text)
            self._admitted = True
        self.values[part.name] = text

    def whole_ends(self) -> None:
        self.ended = True


async def read_upload(request: Request, fields: Collection[str], admit: Callable[[str], None]) -> UploadedForm:
    """The form. `admit` is asked with the token before anything after it is taken, and raises RefusalError. Raises
    RefusalError (400) for what is no such form, CaseError for a file that is too large."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not BOUNDARY.fullmatch(boundary):
        raise RefusalError(400, UNREADABLE)
    reader = _FormReader(fields, admit)
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.part_begins,
            "on_part_data": reader.data,
            "on_part_end": reader.part_ends,
            "on_header_field": reader.header_name,
            "on_header_value": reader.header_value,
            "on_header_end": reader.header_ends,
            "on_headers_finished": reader.headers_end,
            "on_end": reader.whole_ends,
        },
        max_header_count=MOST_HEADERS,
        max_header_size=HEADER_BYTES,
    )
    try:
        async for piece in request.stream():
            parser.write(piece)
        parser.finalize()
    except (MultipartParseError, ClientDisconnect):  # the other end went away: no mistake of ours
        raise RefusalError(400, UNREADABLE) from None
    if not reader.ended or TOKEN not in reader.values:
        raise RefusalError(400, UNREADABLE)
    form = reader.form or UploadedForm({})
    form.values = {name: text for name, text in reader.values.items() if name != TOKEN}
    return form
