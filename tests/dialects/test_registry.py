"""A framing is one file among the readers: it is found there, and its marks count like the others'."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sensor.dialects import readers, registry
from sensor.dialects.stream.reader import MARK_BYTES

FRAMING = """
import re
from sensor.dialects.readers.json_lines import JsonLines
from sensor.dialects.stream.reader import FramingReader

FRAMING_READER = FramingReader(
    name="{name}",
    open=lambda start, _: JsonLines(start.direction, start.joined, start.offset),
    start=re.compile(rb"~LANTERN "),
    start_bytes=b"~",
    line=re.compile(rb"~LANTERN "),
    line_bytes=b"~",
    foreign=frozenset({{"not_lantern"}}),
)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules are among the readers for one test."""
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path)])
    for name in ("lantern", "again"):
        monkeypatch.delitem(sys.modules, f"{readers.__name__}.{name}", raising=False)
    return tmp_path


def test_a_file_adds_a_framing_and_nothing_else_is_touched(folder: Path) -> None:
    (folder / "lantern.py").write_text(FRAMING.format(name="lantern"))
    found = registry.declared()
    assert set(found) == {*registry.READERS, "lantern"}
    exits = registry.line_exits(found, joined=False)
    assert exits.find(bytearray(b'{"id":1}\n~LANTERN 1\n'), 9) == "lantern"
    assert exits.find(bytearray(b'{"id":1}\n{"id":2}\n'), 9) is None


def test_two_files_with_one_name_are_refused(folder: Path) -> None:
    (folder / "again.py").write_text(FRAMING.format(name="http"))
    with pytest.raises(ValueError, match="two readers are called http"):
        registry.declared()


def test_the_readers_of_the_folder_are_found() -> None:
    assert set(registry.READERS) >= {"btcagent", "gzip", "http", "json-lines", "stratum-v2", "websocket"}


@pytest.mark.parametrize("name", registry.READERS)
def test_a_mark_says_with_which_bytes_it_begins(name: str) -> None:
    reader = registry.READERS[name]
    for mark, first in ((reader.start, reader.start_bytes), (reader.line, reader.line_bytes)):
        assert (mark is None) == (first == b"")
        for byte in range(256) if mark is not None else ():
            beginnings = (bytes([byte]) + rest for rest in (b"", b"ET / HTTP/1.1\r\n", b"TTP/1.1 200 OK\r\n", b"\x8b"))
            assert byte in first or not any(mark.match(data[:MARK_BYTES]) for data in beginnings if mark)
