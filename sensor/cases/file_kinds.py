"""What an attachment is, by its content alone: one of a short list, or refused. Pure: bytes in, a kind out.

The name says nothing. What a browser would run or draw by itself (HTML, SVG, XML) is refused, also behind a mark of
byte order or spaces; a workbook with macros is. A file may still be two things at once (a PDF that ends as a ZIP), so
it is never served as anything but a download.
"""

from __future__ import annotations

import io
import zipfile

from sensor.cases.states import CaseError
from sensor.model.text import file_name, printable

#: Kind, and the name's end with which it is served.
FILE_KINDS = {
    "pdf": ".pdf",
    "png": ".png",
    "jpeg": ".jpg",
    "xlsx": ".xlsx",
    "text": ".txt",
    "csv": ".csv",
    "pcap": ".pcap",
    "pcapng": ".pcapng",
}
#: Bytes of one file, characters of its name.
MOST_FILE_BYTES, MOST_NAME_CHARACTERS = 10 << 20, 120
#: How files begin: ISO 32000-2 section 7.5.2, PNG section 5.2, JPEG (ITU-T T.81 annex B), and captures of both byte
#: orders, in microseconds and nanoseconds (draft-ietf-opsawg-pcap, -pcapng).
BEGINNINGS = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    *(
        (magic, "pcap")
        for magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    ),
    (b"\x0a\x0d\x0d\x0a", "pcapng"),
)
#: Bytes that a browser looks at when it guesses (WHATWG MIME Sniffing section 7), and what it would take for a page.
LOOKED_AT, PAGES = 1_445, (b"<!", b"<?xml", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<iframe")
#: Members of a workbook that are looked through: more is no workbook of a desk.
MOST_MEMBERS = 2_000
EMPTY_FILE = "the file is empty"
TOO_LARGE_FILE = "a file has at most {most} MiB"
REFUSED_FILE = "the file is none of these by its content: {choices}"


def kind_of(content: bytes, name: str) -> str:
    """The kind of a file. `name` tells a table of text from other text, and nothing else. Raises CaseError."""
    if not content:
        raise CaseError(EMPTY_FILE)
    if len(content) > MOST_FILE_BYTES:
        raise CaseError(TOO_LARGE_FILE, most=str(MOST_FILE_BYTES >> 20))
    for beginning, kind in BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK\x03\x04") and _is_workbook(content):
        return "xlsx"
    if _is_text(content):
        return "csv" if file_name(name).lower().endswith(".csv") else "text"
    raise CaseError(REFUSED_FILE, choices=", ".join(FILE_KINDS))


def stored_name(name: str) -> str:
    """A name as it is kept: the last part of a path, what does not print replaced, cut. It is shown, and never opened
    by."""
    plain = " ".join(printable(file_name(name.replace("\\", "/").rstrip("/")), "·").split()).strip(". ")
    return plain[-MOST_NAME_CHARACTERS:] or "file"


def served_name(name: str, kind: str) -> str:
    """The name with which a file is handed out: it ends as its content is."""
    end = FILE_KINDS[kind]
    ends = (".jpg", ".jpeg") if kind == "jpeg" else (".pcap", ".cap", end) if kind == "pcap" else (end,)
    return name if name.lower().endswith(ends) else f"{name}{end}"


def _is_workbook(content: bytes) -> bool:
    """Whether a ZIP is a workbook without macros, by the names of its members; nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()[: MOST_MEMBERS + 1]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, IndexError, RuntimeError):
        return False
    lowered = [name.lower() for name in names]
    if len(names) > MOST_MEMBERS or any(name.endswith("vbaproject.bin") for name in lowered):
        return False
    return "[content_types].xml" in lowered and "xl/workbook.xml" in lowered


def _is_text(content: bytes) -> bool:
    """Whether it is text in UTF-8 or GB 18030, and neither page nor program."""
    head = content[:LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<", b"%!", b"#!")) or any(mark in head for mark in PAGES):
        return False
    if any(byte < 0x20 and byte not in b"\t\r\n" for byte in set(content)) or 0x7F in set(content):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
