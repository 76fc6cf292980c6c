"""Captures compressed by xz, bzip2 and LZ4: the packets are the same, damage ends them where it stands, bombs are
bounded, and both cores say the same of each."""

from __future__ import annotations

import bz2
import lzma
import random
import struct
import zlib

import lz4.frame
import pytest

from sensor.reference.capture.bytestream import ByteStream
from tests.core.captures import Talk, enhanced, interface, pcap, pcap_header, section, timed
from tests.core.conftest import needs_compiled

TALK = Talk()
TWO = pcap(timed([TALK.data(0, 0, b'{"x":1}\n'), TALK.data(0, 8, b'{"y":2}\n')]))
PACKETS = 1_000
TURNS = 40  # of random damage to each
SKIPPABLE = struct.pack("<II", 0x184D2A53, 9) + b"something"


def noise() -> bytes:
    """A capture that hardly compresses."""
    word = zlib.crc32(b"seed")
    frames = []
    for number in range(PACKETS):
        words = [word := zlib.crc32(struct.pack("<I", word)) for _ in range(16)]
        frames.append(TALK.data(0, 64 * number, b"{" + struct.pack("<16I", *words)[1:]))
    return pcap(timed(frames))


NOISE = noise()
RECORD_BYTES = (len(NOISE) - 24) // PACKETS
MIDDLE = 24 + PACKETS // 2 * RECORD_BYTES


def lz4_small(content: bytes) -> bytes:
    """Linked blocks of 64 KiB with every check."""
    return lz4.frame.compress(
        content,
        block_size=lz4.frame.BLOCKSIZE_MAX64KB,
        block_linked=True,
        content_checksum=True,
        block_checksum=True,
    )


PACKERS = {
    "xz": lzma.compress,
    "xz bcj": lambda content: lzma.compress(
        content, filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 6}]
    ),
    "xz no check": lambda content: lzma.compress(content, check=lzma.CHECK_NONE),
    "xz sha256": lambda content: lzma.compress(content, check=lzma.CHECK_SHA256),
    "bzip2": bz2.compress,
    "bzip2 small": lambda content: bz2.compress(content, 1),
    "lz4": lz4.frame.compress,
    "lz4 small": lz4_small,
    "lz4 independent": lambda content: lz4.frame.compress(content, block_linked=False, store_size=False),
}
PADDED = ("xz", "bzip2")


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("count", [2, 5_000])
def test_compression_is_told_by_magic_and_changes_nothing(engine, kind, count):
    talk = Talk()
    plain = pcap(timed([talk.data(0, 8 * number, b'{"x":1}\n') for number in range(count)]))
    packed = PACKERS[kind](plain)
    expected, result = engine.bytes(plain), engine.bytes(packed)
    assert [event[:2] for event in result.chunks] == [event[:2] for event in expected.chunks]
    assert result.end[1:4] == (count, None, len(plain))
    assert result.stats["source_bytes"] == len(packed)


@pytest.mark.parametrize("kind", PACKERS)
def test_streams_after_one_another_are_one_capture(engine, kind):
    pack = PACKERS[kind]
    packed = pack(NOISE[:50]) + pack(b"") + pack(NOISE[50:MIDDLE]) + pack(NOISE[MIDDLE:])
    assert engine.bytes(packed).end[1:4] == (PACKETS, None, len(NOISE))


@pytest.mark.parametrize("kind", PADDED)
def test_zero_padding_is_passed_over(engine, kind):
    pack = PACKERS[kind]
    packed = pack(NOISE[:MIDDLE]) + bytes(512) + pack(NOISE[MIDDLE:]) + bytes(512)
    assert engine.bytes(packed).end[1:4] == (PACKETS, None, len(NOISE))


def test_skippable_frames_of_lz4_are_passed_over(engine):
    pack = lz4.frame.compress
    packed = pack(NOISE[:MIDDLE]) + SKIPPABLE + SKIPPABLE + pack(NOISE[MIDDLE:]) + SKIPPABLE
    assert engine.bytes(packed).end[1:4] == (PACKETS, None, len(NOISE))
    assert engine.bytes(packed[:-1]).end[1:4] == (PACKETS, "decompression", len(NOISE))


def test_a_pcapng_is_read_too(engine):
    content = section() + interface() + enhanced(1, TALK.data(0, 0, b'{"x":1}\n'))
    for pack in PACKERS.values():
        assert engine.bytes(pack(content)).end[1:4] == (1, None, len(content))


@pytest.mark.parametrize("kind", PACKERS)
def test_cut_data_is_used_as_far_as_it_goes(engine, kind):
    packed = PACKERS[kind](NOISE[:MIDDLE]) + PACKERS[kind](NOISE[MIDDLE:])[:9_000]
    _source, count, error, offset = engine.bytes(packed).end[:4]
    assert error == "decompression"
    assert count >= PACKETS // 2
    assert 24 + count * RECORD_BYTES <= offset < 24 + (count + 1) * RECORD_BYTES


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("left", [1, 2, 3, 5, 7, 11])
def test_a_stream_cut_in_its_header_is_damage_after_the_one_before(engine, kind, left):
    pack = PACKERS[kind]
    assert engine.bytes(pack(NOISE) + pack(NOISE)[:left]).end[1:4] == (PACKETS, "decompression", len(NOISE))


@pytest.mark.parametrize("kind", PACKERS)
def test_a_file_without_its_last_byte_is_cut(engine, kind):
    result = engine.bytes(PACKERS[kind](NOISE)[:-1])
    assert result.end[1:4] == (PACKETS, "decompression", len(NOISE))


@pytest.mark.parametrize("kind", PACKERS)
def test_rubbish_after_the_last_stream_is_damage(engine, kind):
    assert engine.bytes(PACKERS[kind](TWO) + b"rubbish").end[1:4] == (2, "decompression", len(TWO))


@pytest.mark.parametrize("kind", ["xz", "bzip2", "lz4 small"])
def test_a_wrong_check_at_the_end_is_damage_after_the_last_packet(engine, kind):
    packed = bytearray(PACKERS[kind](NOISE))
    packed[-3] ^= 0x40
    assert engine.bytes(bytes(packed)).end[1:4] == (PACKETS, "decompression", len(NOISE))


def test_a_wrong_block_of_lz4_ends_the_capture_before_it(engine):
    packed = bytearray(lz4_small(NOISE))
    packed[70_000] ^= 1
    count = (65_536 - 24) // RECORD_BYTES
    assert engine.bytes(bytes(packed)).end[1:4] == (count, "decompression", 65_536)


@pytest.mark.parametrize(
    "content",
    [pack(pcap_header())[:12] for pack in PACKERS.values()]
    + [pack(b"") for pack in PACKERS.values()]
    + [pack(b"text " * 20) for pack in PACKERS.values()]
    + [magic + b"\xff" * 40 for magic in (b"\xfd7zXZ\0", b"BZh", b"BZh9", b"\x04\x22\x4d\x18")]
    + [b"\xfd7zX", b"BZ", b"\x04\x22\x4d"],
)
def test_what_is_no_capture_is_refused_at_once(engine, content):
    path = engine.file(content)
    with pytest.raises(engine.module.CaptureError) as caught:
        engine.core().attach(path)
    assert (caught.value.source, caught.value.reason) == (path, "not a capture")


def test_a_dictionary_over_128_mib_is_refused(engine):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]
    packed = bytearray(lzma.compress(TWO, filters=filters))
    at = 12 + 4  # behind the block header's size, flags, filter's id and length (.xz format 1.2.1, section 3.1)
    for bits, reason in ((30, None), (32, "not a capture")):  # 128 MiB, 256 MiB
        packed[at] = bits
        packed[20:24] = struct.pack("<I", zlib.crc32(packed[12:20]))
        if reason is None:
            assert engine.bytes(bytes(packed)).end[1:4] == (2, None, len(TWO))
            continue
        with pytest.raises(engine.module.CaptureError) as caught:
            engine.core().attach(engine.file(bytes(packed)))
        assert caught.value.reason == reason


@pytest.mark.parametrize("kind", ["xz", "bzip2", "lz4"])
def test_a_bomb_is_decoded_a_bounded_piece_at_a_time(kind, tmp_path):
    path = tmp_path / "bomb"
    path.write_bytes(PACKERS[kind](TWO + bytes(300 << 20)))
    stream = ByteStream(str(path))
    largest = 0
    while stream.need(1):
        largest = max(largest, len(stream.window))
        stream.at = len(stream.window)
    assert not stream.damaged
    assert stream.end_offset == len(TWO) + (300 << 20)
    assert largest <= 100 << 20


@needs_compiled
@pytest.mark.parametrize("kind", PACKERS)
def test_both_cores_stop_at_the_same_byte_whatever_is_damaged(engine_named, kind):
    rng = random.Random(f"damage {kind}")
    content = pcap(timed([TALK.data(0, 8 * n, b'{"x":%03d}\n' % (n % 7)) for n in range(2_000)]))
    seeds = [PACKERS[kind](content), PACKERS[kind](NOISE[:MIDDLE]) + PACKERS[kind](NOISE[MIDDLE:])]
    cores = [engine_named(name) for name in ("reference", "compiled")]
    for turn in range(TURNS):
        packed = bytearray(seeds[turn % 2])
        at = rng.randrange(len(packed))
        if turn % 5 == 0:
            del packed[at:]
        elif turn % 5 == 1:
            del packed[at : at + rng.randrange(1, 50)]
        else:
            packed[at] ^= 1 << rng.randrange(8)
        ends = []
        for engine in cores:
            try:
                ends.append(engine.bytes(bytes(packed)).end[1:])
            except engine.module.CaptureError as error:
                ends.append((error.reason, error.offset))
        assert ends[0] == ends[1], (turn, at)
