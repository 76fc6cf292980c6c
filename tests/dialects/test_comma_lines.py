"""Text lines of parts between commas, and zk.work's frames: what begins them, and what torn and hostile bytes give."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.dialects.conversation import Conversation
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.model.five_bits import BECH32M, bech32m, polynomial

WORK = b"5489ef49adfb2af42aece7d2eded74aa68841e3f,f4eb62657c85e96ace6ec9a50179a6e6c012ace4,400\n"
MINER = b"JOB,anna,ESP32,None\n20117,41000.5,Official ESP32 Miner 4.3,shed\nJOB,anna,ESP32,None\n"
POOL = b"3.0\n" + WORK + b"GOOD\n" + WORK


def read(pieces: list[tuple[int, bytes]], *, midstream: bool = False) -> list[Read]:
    conversation, offsets, reads = Conversation(midstream), [0, 0], []
    for direction, data in pieces:
        reads.extend(conversation.feed(direction, 1, offsets[direction], 0, data))
        offsets[direction] += len(data)
    return [*reads, *conversation.finish()]


def methods(reads: list[Read], direction: int) -> list[object]:
    return [read.value["method"] for read in reads if isinstance(read, Message) and read.direction == direction]


@given(st.lists(st.integers(1, len(MINER) - 1), max_size=6), st.lists(st.integers(1, len(POOL) - 1), max_size=6))
def test_lines_are_the_same_however_they_are_cut(miner: list[int], pool: list[int]) -> None:
    def cut(data: bytes, places: list[int]) -> list[bytes]:
        edges = [0, *sorted(set(places)), len(data)]
        return [data[begin:end] for begin, end in pairwise(edges)]

    reads = read([*((1, piece) for piece in cut(POOL, pool)), *((0, piece) for piece in cut(MINER, miner))])
    assert methods(reads, 0) == ["JOB", "20117", "JOB"]
    assert methods(reads, 1) == [WORK[:40].decode(), "GOOD", WORK[:40].decode()]


def test_a_stream_joined_in_the_middle_shows_itself_by_its_work() -> None:
    reads = read([(1, WORK[17:] + b"GOOD\n" + WORK), (0, MINER)], midstream=True)
    assert methods(reads, 1)[-1] == WORK[:40].decode()
    assert methods(reads, 0) == ["JOB", "20117", "JOB"]


def test_what_is_no_such_line_stays_json_lines() -> None:
    reads = read([(0, b"JOBS,anna\n"), (1, b"GOODS\n"), (0, b'{"id":1}\n')])
    assert [read.framing for read in reads if isinstance(read, Message)] == ["json-lines"]


def test_a_line_that_never_ends_takes_no_memory_and_hides_nothing_after_it() -> None:
    reads = read([(0, b"JOB,anna,ESP32,None\n"), (0, b"1" * 5_000), (0, b"2\n7,1.5,rig\n")])
    assert [read.reason for read in reads if isinstance(read, Malformed)] == ["oversize"]
    assert methods(reads, 0) == ["JOB", "7"]


def test_json_after_such_lines_is_read_as_json() -> None:
    reads = read([(0, b'JOB,anna,ESP32,None\n{"id":1,"method":"mining.subscribe"}\n')])
    assert [(read.framing, read.value["method"]) for read in reads if isinstance(read, Message)] == [
        ("comma-lines", "JOB"),
        ("json-lines", "mining.subscribe"),
    ]


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "little") + body


CONNECT = frame(bytes([128, 1, 0, 0, 2, 4, 4]) + b"rig7" + bytes(range(32)))
SHARE = frame(bytes([129]) + (77).to_bytes(4, "little") + (9).to_bytes(8, "little") + bytes(range(1, 89)))
JOB = frame(bytes([1]) + (9).to_bytes(8, "little") + (5_000_000).to_bytes(8, "little") + bytes(range(1, 33)))


@given(st.integers(0, 60), st.binary(max_size=40))
def test_after_a_hole_the_next_frame_is_found(lost: int, rest: bytes) -> None:
    conversation = Conversation()
    reads = list(conversation.feed(0, 1, 0, 0, CONNECT))
    at = len(CONNECT) + lost
    reads += conversation.feed(0, 2, at, max(1, lost), rest + SHARE + SHARE)
    reads += conversation.finish()
    assert methods(reads, 0)[0] == "zkwork.connect"
    assert methods(reads, 0)[-1] == "zkwork.submit"


@pytest.mark.parametrize("head", [JOB, SHARE])
def test_frames_joined_in_the_middle_are_known_by_a_job_or_a_share(head: bytes) -> None:
    reads = read([(0, head + head)], midstream=True)
    assert len(methods(reads, 0)) == 2


@given(st.binary(max_size=300))
def test_hostile_frames_never_raise(data: bytes) -> None:
    for start in (CONNECT, b""):
        assert isinstance(read([(0, start + data)]), list)


def test_a_bare_key_is_its_address() -> None:
    address = bech32m("aleo", bytes(range(32)))
    values = ["qpzry9x8gf2tvdw0s3jn54khce6mua7l".index(char) for char in address[5:]]
    assert (len(address), polynomial("aleo", values)) == (63, BECH32M)
