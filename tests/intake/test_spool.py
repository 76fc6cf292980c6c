"""A folder that a rotating capture fills: each finished file once, across restarts, whatever it is called."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path

import lz4.frame
import pytest

from sensor.intake.spool import SETTLE_NS, Spool, SpoolError
from tests.core.captures import T0, Talk, pcap

NOW = 1_800_000_000 * 10**9
OLD = NOW - 10 * SETTLE_NS


def capture(number: int, packets: int = 3) -> bytes:
    return pcap([(T0 + number * 10**9 + n, Talk().data(0, n, b"x")) for n in range(packets)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "captures"
    made.mkdir()
    return made


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "state" / "watched.json"


def put(path: Path, data: bytes, changed_ns: int = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(changed_ns, changed_ns))
    return path


def test_each_finished_file_is_given_until_it_is_done_and_then_never_again(folder, memory):
    first, second = (
        put(folder / "b.pcap", capture(1), OLD),
        put(folder / "a.pcap.gz", gzip.compress(capture(2)), OLD + 5),
    )
    watch = Spool(folder, memory)
    assert watch.finished(NOW) == [first, second]
    assert watch.finished(NOW) == [first, second]
    watch.mark_read(first)
    assert watch.finished(NOW) == [second]
    assert Spool(folder, memory).finished(NOW) == [second]  # after a restart
    watch.mark_read(second)
    assert Spool(folder, memory).finished(NOW) == []
    third = put(folder / "sub" / "c.pcapng", capture(3))
    assert Spool(folder, memory).finished(NOW) == [third]


def test_a_file_that_is_being_written_waits_until_it_is_closed(folder, memory):
    path = put(folder / "a.pcap", capture(1))
    with path.open("ab") as writer:
        watch = Spool(folder, memory)
        assert watch.finished(NOW) == []
        writer.write(b"more")
        writer.flush()
        assert watch.finished(NOW) == []
    watch.finished(NOW)
    assert watch.finished(NOW) == [path]


def test_where_leases_cannot_tell_a_file_must_have_been_left_alone(folder, memory, monkeypatch):
    monkeypatch.setattr("sensor.intake.spool._is_being_written", lambda _: None)
    path = put(folder / "a.pcap", capture(1), NOW - SETTLE_NS + 1)
    watch = Spool(folder, memory)
    assert watch.finished(NOW) == []
    assert watch.finished(NOW + 1) == [path]
    put(path, capture(1, 9), OLD)
    assert watch.finished(NOW + 1) == []  # it has grown since the last look
    assert watch.finished(NOW + 1) == [path]


def test_other_and_hidden_and_empty_files_are_left_alone(folder, memory):
    for name in ("a.pcap.part", "notes.txt", ".b.pcap", "c.pcap.tmp"):
        put(folder / name, capture(1))
    put(folder / "empty.pcap", b"")
    assert Spool(folder, memory).finished(NOW) == []


@pytest.mark.parametrize(
    ("ending", "pack"), [("xz", lzma.compress), ("bz2", bz2.compress), ("lz4", lz4.frame.compress)]
)
def test_compressed_captures_are_taken(folder, memory, ending, pack):
    path = put(folder / f"a.pcap.{ending}", pack(capture(1)), OLD)
    put(folder / f"notes.{ending}", pack(b"text"), OLD)
    assert Spool(folder, memory).finished(NOW) == [path]


def test_a_file_renamed_after_it_was_read_is_not_read_again(folder, memory):
    path = put(folder / "current.pcap", capture(1))
    watch = Spool(folder, memory)
    watch.mark_read(path)
    path.rename(folder / "monday.pcap")
    assert Spool(folder, memory).finished(NOW) == []
    watch.mark_read(put(folder / "current.pcap", capture(2)))
    assert Spool(folder, memory).finished(NOW) == []


def test_a_name_that_is_used_again_is_another_capture(folder, memory):
    path = put(folder / "ring0.pcap", capture(1))
    watch = Spool(folder, memory)
    watch.mark_read(path)
    put(path, capture(7, 2))
    assert Spool(folder, memory).finished(NOW) == [path]
    put(path, b"short")
    assert Spool(folder, memory).finished(NOW) == [path]


def test_a_file_that_goes_on_after_it_was_read_is_counted_not_read_twice(folder, memory):
    path = put(folder / "a.pcap", capture(1))
    watch = Spool(folder, memory)
    watch.mark_read(path)
    watch.finished(NOW)
    put(path, capture(1, 200))
    assert watch.finished(NOW) == []
    assert watch.grown == 1


def test_what_is_long_gone_is_forgotten(folder, memory, monkeypatch):
    monkeypatch.setattr("sensor.intake.spool.MAX_GONE", 2)
    watch = Spool(folder, memory)
    for number in range(5):
        watch.mark_read(put(folder / f"{number}.pcap", capture(number)))
        (folder / f"{number}.pcap").unlink()
    last = put(folder / "last.pcap", capture(9))
    watch.mark_read(last)
    assert [read["name"] for read in json.loads(memory.read_text())["done"].values()] == [
        "3.pcap",
        "4.pcap",
        "last.pcap",
    ]
    assert [path.name for path in memory.parent.iterdir()] == ["watched.json"]  # nothing half-written stays


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version":1,"done":[]}', '{"version":9,"done":{}}', '{"version":1,"done":{"a":{}}}']
)
def test_a_memory_that_cannot_be_read_is_said(folder, memory, text):
    put(memory, text.encode())
    with pytest.raises(SpoolError, match=r"watched\.json: "):
        Spool(folder, memory)


def test_a_folder_that_is_not_there_holds_nothing(folder, memory):
    folder.rmdir()
    assert Spool(folder, memory).finished(NOW) == []
