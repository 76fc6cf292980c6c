"""Segments that their receiver throws away hide nothing; and where every sum is wrong, nothing follows from it."""

from __future__ import annotations

import itertools
import struct

import pytest

from tests.core.captures import ACK, FIN, RST, SYN, Talk, checksum, ipv4, timed

TALK = Talk()
LINES = [b'{"id":%d,"method":"mining.submit"}\n' % number for number in range(8)]


def wrong(frame: bytes, off: int = 1) -> bytes:
    """The TCP checksum off by something."""
    return frame[:36] + struct.pack(">H", (struct.unpack(">H", frame[36:38])[0] + off) & 0xFFFF) + frame[38:]


def wrong_ip(frame: bytes) -> bytes:
    return frame[:10] + struct.pack(">H", struct.unpack(">H", frame[10:12])[0] ^ 1) + frame[12:]


def in_fragments(frame: bytes) -> list[bytes]:
    data, cut = frame[20:], 24
    parts = [(0x2000, data[:cut]), (cut // 8, data[cut:])]
    return [ipv4(frame[12:16], frame[16:20], 6, part, place=place, identification=7) for place, part in parts]


def exchange(lines: list[bytes] = LINES) -> list[tuple[bytes, int]]:
    """Each line with its answer, whole frames and who sent them."""
    found, offsets = [], [0, 0]
    for number, line in enumerate(lines):
        for side, data in ((0, line), (1, b'{"id":%d,"result":true}\n' % number)):
            found.append((TALK.data(side, offsets[side], data, acked=offsets[1 - side]), side))
            offsets[side] += len(data)
    return found


STREAMS = b"".join(LINES), b"".join(b'{"id":%d,"result":true}\n' % number for number in range(len(LINES)))


def junk_of(frame: bytes) -> bytes:
    """A frame of the same place, with other bytes and its checksum right."""
    head, data = frame[20:36] + bytes(2) + frame[38:40], bytes(byte ^ 0x15 | 0x40 for byte in frame[40:])
    pseudo = frame[12:20] + struct.pack(">HH", 6, 20 + len(data))
    return frame[:20] + head[:16] + struct.pack(">H", checksum(pseudo + head + data)) + head[18:] + data


def bare(frame: bytes, flags: int) -> bytes:
    """A segment without payload at the place of a frame's."""
    seq, ack = struct.unpack(">II", frame[24:32])
    return TALK.packet(int(frame[15] == 2), flags, seq, ack)


DECOYS = {
    "a TCP checksum": lambda frame: [wrong(junk_of(frame))],
    "two TCP checksums": lambda frame: [wrong(junk_of(frame), 1), wrong(junk_of(frame), 2)],
    "an IP checksum": lambda frame: [wrong_ip(junk_of(frame))],
    "a TCP checksum, in fragments": lambda frame: in_fragments(wrong(junk_of(frame))),
    "that of a FIN": lambda frame: [wrong(frame[:33] + bytes([ACK | FIN]) + frame[34:])],
    "that of a reset": lambda frame: [wrong(bare(frame, RST))],
    "that of a SYN": lambda frame: [wrong(bare(frame, SYN))],
}


@pytest.mark.parametrize("name", DECOYS)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_what_has_a_wrong_checksum_beside_each_line_hides_nothing(engine, name, first):
    frames = [[*DECOYS[name](frame), frame] if first else [frame, *DECOYS[name](frame)] for frame, _ in exchange()]
    result = engine.packets(timed([*TALK.handshake(), *itertools.chain(*frames)]))
    assert (result.stream(0), result.stream(1)) == STREAMS
    assert (result.close.reason, result.stats["stray_endings"], result.stats["stray_handshakes"]) == ("end", 0, 0)
    if "IP" not in name:
        assert result.stats["bad_l4_checksum"] >= 16


def test_a_decoy_of_a_first_line_without_words_hides_no_opening(engine):
    frames = [wrong(TALK.data(0, 0, b"nonsense")), TALK.data(0, 0, b"{login}"), TALK.data(1, 0, b"{ok}", acked=7)]
    result = engine.packets(timed([*TALK.handshake(), *frames]))
    assert (result.stream(0), result.stream(1)) == (b"{login}", b"{ok}")


@pytest.mark.parametrize("sides", [(0,), (1,), (0, 1)], ids=["the miner's", "the pool's", "both sides'"])
@pytest.mark.parametrize("handshake_too", [True, False], ids=["every sum", "the sums of data"])
def test_where_a_card_computes_the_sums_nothing_is_thrown_away(engine, sides, handshake_too):
    hello = [wrong(frame) if handshake_too and side in sides else frame
             for frame, side in zip(TALK.handshake(), (0, 1, 0), strict=True)]  # fmt: skip
    frames = [wrong(frame, 0x0F0F) if side in sides else frame for frame, side in exchange()]
    ends = [TALK.data(side, len(STREAMS[side]), b"", acked=len(STREAMS[1 - side])) for side in (0, 1)]
    result = engine.packets(timed([*hello, *frames, *ends]))
    assert (result.stream(0), result.stream(1)) == STREAMS


def test_one_forged_right_sum_among_wrong_ones_throws_nothing_away(engine):
    """A card computes the miner's sums; a forger sends one segment of the miner's with a right one."""
    frames = [wrong(frame, 0x0F0F) if side == 0 else frame for frame, side in exchange()]
    forged = TALK.data(0, 0, b"", acked=0)
    ends = [TALK.data(1, len(STREAMS[1]), b"", acked=len(STREAMS[0]))]
    result = engine.packets(timed([*map(wrong, TALK.handshake()), *frames[:4], forged, *frames[4:], *ends]))
    assert (result.stream(0), result.stream(1)) == STREAMS


def test_of_one_side_alone_what_has_a_wrong_sum_is_left_out_once_one_was_right(engine):
    frames = [frame for frame, side in exchange() if side == 0]
    decoyed = itertools.chain(*([frame, wrong(junk_of(frame))] for frame in frames))
    assert engine.packets(timed([TALK.handshake()[0], *decoyed])).stream(0) == STREAMS[0]
    assert engine.packets(timed([TALK.handshake()[0], *map(wrong, frames)])).stream(0) == STREAMS[0]


def test_what_a_card_put_together_is_used_whatever_its_sum(engine):
    merged = b"{" + b"x" * 2_000 + b"}\n"
    frames = [*TALK.handshake(), TALK.data(0, 0, b"{}\n"), wrong(TALK.data(0, 3, merged))]
    assert engine.packets(timed(frames)).stream(0) == b"{}\n" + merged


def test_what_is_set_aside_is_bounded(engine):
    decoys = [wrong(TALK.data(0, 3 + 100 * number, b"y" * 100)) for number in range(40)]
    frames = [*TALK.handshake(), TALK.data(0, 0, b"{}\n"), *decoys, TALK.data(1, 0, b"", acked=4_003)]
    wait = [TALK.data(1, 0, b"", acked=4_003)] * 16
    result = engine.packets(timed([*frames, *wait]))
    assert result.stats["chunk_bytes"] == 3  # the first eight were given up, so nothing goes on where the stream stands
