"""Binary frames of zk.work: a frame is found again behind bytes that are none, however they were cut, in one pass."""

from __future__ import annotations

import random

import pytest

from sensor.dialects.readers import zkwork
from sensor.dialects.readers.zkwork import MAX_FRAME_BYTES, MIDDLE_BYTES, ZkWork, _begins
from sensor.dialects.stream.message import Malformed, Message

SHARE = bytes.fromhex("1100000081070000002a0000000000000005060708")
JOB = bytes.fromhex("15000000012a0000000000000000000100000000000a0b0c0d")


def read(data: bytes, sizes: list[int], *, joined: bool = True) -> tuple[list[object], int]:
    """The methods of what was read with their places, and the pieces that were none."""
    reader, at, reads = ZkWork(0, 0, joined=joined), 0, []
    for size in [*sizes, len(data)]:
        piece = data[at : at + size]
        reads += list(reader.feed(1, at, 0, piece))
        at += len(piece)
    messages = [(one.offset, one.value["method"]) for one in reads if isinstance(one, Message)]
    return list(messages), sum(isinstance(one, Malformed) for one in reads)


@pytest.mark.parametrize("seed", range(20))
def test_frames_behind_hostile_bytes_are_found_however_they_are_cut(seed: int) -> None:
    chance = random.Random(seed)
    data, wanted = b"", []
    for frame, method in ((SHARE, "zkwork.submit"), (JOB, "zkwork.notify"), (SHARE, "zkwork.submit")):
        # The bytes between have no zeros, so none of them begins anything.
        data += bytes(chance.randrange(1, 256) for _ in range(chance.randrange(40, 400)))
        wanted.append((len(data), method))
        data += frame
    whole = read(data, [])
    assert whole[0] == wanted
    assert read(data, [1] * len(data))[0] == wanted
    assert read(data, [chance.randrange(1, 50) for _ in range(60)])[0] == wanted


def test_hostile_bytes_cost_few_looks_and_few_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted(head: bytes | bytearray) -> bool:
        nonlocal looks
        looks += 1
        return _begins(head)

    monkeypatch.setattr(zkwork, "_begins", counted)
    data = bytes(random.Random(1).randrange(1, 256) for _ in range(100_000))
    messages, malformed = read(data, [1448] * 80)
    assert not messages
    assert malformed <= 80
    assert looks <= 200


@pytest.mark.parametrize("length", [12, 13, 255, 256, 512, 513, 768])
def test_a_length_out_of_bounds_begins_nothing(length: int) -> None:
    for frame in (SHARE, JOB):
        head = length.to_bytes(4, "little") + frame[4:MIDDLE_BYTES]
        assert _begins(head) == (13 <= length <= MAX_FRAME_BYTES)
