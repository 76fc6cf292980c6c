"""Capture files: every variant of pcap and pcapng gives the same packets, and a damaged file says where it stopped."""

from __future__ import annotations

import gzip
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
import zstandard

from sensor.model.events import Chunk, Close, End, Open
from tests.core.captures import (
    ACK,
    RAW_IPV4,
    SECOND,
    T0,
    Talk,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap,
    pcap_header,
    pcap_record,
    section,
    simple,
    timed,
)

TALK = Talk()
FIRST, SECOND_FRAME = TALK.data(0, 0, b'{"x":1}\n'), TALK.data(0, 8, b'{"y":2}\n')
FRAMES = [FIRST, SECOND_FRAME]
WHOLE = b'{"x":1}\n{"y":2}\n'


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("magic", "unit_ns", "extra"), [(0xA1B2C3D4, 1_000, b""), (0xA1B23C4D, 1, b""), (0xA1B2CD34, 1_000, bytes(8))]
)
def test_every_kind_of_pcap_gives_the_same_packets(engine, order, magic, unit_ns, extra):
    content = pcap_header(order=order, magic=magic)
    content += b"".join(
        pcap_record(T0 + n * 5_000, frame, order=order, unit_ns=unit_ns, extra=extra) for n, frame in enumerate(FRAMES)
    )
    result = engine.bytes(content)
    assert [(chunk.ts_ns, chunk.data) for chunk in result.chunks] == [(T0, b'{"x":1}\n'), (T0 + 5_000, b'{"y":2}\n')]
    assert result.end == End(result.open.source, 2, None, len(content), ((T0, T0 + 5_000),))
    assert result.stats["last_packet_ns"] == T0 + 5_000
    assert result.stats["bytes"] == len(FIRST) + len(SECOND_FRAME)
    assert result.stats["source_bytes"] == len(content)


def test_a_capture_covers_its_times_anew_after_each_leap_of_the_clock(engine):
    day = 86_400 * 10**9
    times = [T0, T0 + day, T0 + 2 * day, T0 + 5 * day, T0 + 5 * day - 9, T0 + 3, T0 + 4]
    result = engine.bytes(pcap_header() + b"".join(pcap_record(ts_ns // 1_000 * 1_000, FIRST) for ts_ns in times))
    covered = tuple((first // 1_000, last // 1_000) for first, last in result.end.stretches)
    expected = [(T0, T0 + 2 * day), (T0 + 5 * day - 9, T0 + 5 * day), (T0 + 3, T0 + 4)]
    assert covered == tuple((first // 1_000, last // 1_000) for first, last in expected)


def test_only_the_low_half_of_the_link_word_is_the_link_type(engine):
    content = pcap_header(RAW_IPV4 | 0xF400_0000) + pcap_record(T0, FIRST)
    assert engine.bytes(content).stream(0) == b'{"x":1}\n'


def test_a_record_longer_than_the_snaplen_of_the_header_is_read(engine):
    content = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 20, RAW_IPV4) + pcap_record(T0, FIRST)
    assert engine.bytes(content).stream(0) == b'{"x":1}\n'


def test_the_first_sections_byte_order_and_interfaces_do_not_reach_the_second(engine):
    micro, nano = option(9, b"\x06"), option(9, b"\x09", ">")
    content = section() + interface(options=micro) + enhanced(T0 // 1_000, FIRST)
    content += section(">") + interface(order=">", options=nano) + enhanced(T0 + 7, SECOND_FRAME, order=">")
    content += section() + enhanced(T0, FIRST)
    result = engine.bytes(content)
    assert [(chunk.ts_ns, chunk.data) for chunk in result.chunks] == [(T0, b'{"x":1}\n'), (T0 + 7, b'{"y":2}\n')]
    assert result.stats["ignored_interface"] == 1
    assert result.end == End(result.open.source, 3, None, len(content), ((T0, T0 + 7),))


@pytest.mark.parametrize(
    ("options", "units", "ts_ns"),
    [
        (b"", 1_500_000, 1_500_000_000),
        (option(9, b"\x00"), 3, 3 * SECOND),
        (option(9, b"\x09"), 1_234_567_890_123, 1_234_567_890_123),
        (option(9, b"\x0c"), 1_999, 1),
        (option(9, b"\x8a"), 1_025, SECOND + 976_562),
        (option(9, b"\xa0"), (1 << 32) + 1, SECOND),
        (option(9, b"\x7f"), (1 << 64) - 1, 0),
        (option(9, b"\xff"), (1 << 64) - 1, 0),
        (option(9, b"\x00"), (1 << 64) - 1, (1 << 63) - 1),
        (option(14, struct.pack("<q", 10)), 1, 10_000_001_000),
        (option(14, struct.pack("<q", -10)), 20_000_000, 10 * SECOND),
        (option(14, struct.pack("<q", -10)), 1, 0),
        (option(14, struct.pack("<q", (1 << 63) - 1)), 1, (1 << 63) - 1),
        (option(2, b"eth0") + option(9, b"\x03") + option(0, b"") + option(9, b"\x09"), 2_500, 2_500_000_000),
        (struct.pack("<HH", 2, 60_000) + b"x", 1_500_000, 1_500_000_000),
    ],
)
def test_time_follows_the_interfaces_resolution_and_offset(engine, options, units, ts_ns):
    result = engine.bytes(section() + interface(options=options) + enhanced(units, FIRST))
    assert [chunk.ts_ns for chunk in result.chunks] == [ts_ns]


def test_each_interface_has_its_own_link_type(engine):
    ethernet = bytes(12) + b"\x08\x00" + SECOND_FRAME
    content = (
        section()
        + interface()
        + interface(1)
        + enhanced(1, FIRST)
        + enhanced(2, ethernet, number=1)
        + enhanced(3, FIRST, number=2)
    )
    result = engine.bytes(content)
    assert result.stream(0) == WHOLE
    assert result.stats["ignored_interface"] == 1


def test_simple_and_obsolete_packet_blocks_are_read_and_others_skipped(engine):
    content = (
        section()
        + interface()
        + block(0x0BAD, b"custom")
        + obsolete(5_000_000, FIRST)
        + block(4, bytes(4))
        + simple(SECOND_FRAME)
    )
    result = engine.bytes(content)
    assert [(chunk.ts_ns, chunk.data) for chunk in result.chunks] == [
        (5 * SECOND, b'{"x":1}\n'),
        (5 * SECOND, b'{"y":2}\n'),
    ]


def test_a_simple_packet_before_any_other_is_at_time_0(engine):
    assert [chunk.ts_ns for chunk in engine.bytes(section() + interface() + simple(FIRST)).chunks] == [0]


def test_a_simple_packet_without_an_interface_is_ignored(engine):
    assert engine.bytes(section() + simple(FIRST)).stats["ignored_interface"] == 1


def test_padding_of_a_simple_packet_is_not_captured(engine):
    cut = FIRST[:45]  # 5 of 8 payload bytes, then 3 bytes of padding to the block's end
    result = engine.bytes(section() + interface(snaplen=45) + simple(cut, wire=len(FIRST)))
    assert result.stream(0) == b'{"x":'


COMPRESSED = {
    "gzip": gzip.compress,
    "gzip members": lambda content: gzip.compress(content[:50]) + gzip.compress(b"") + gzip.compress(content[50:]),
    "gzip padded": lambda content: gzip.compress(content) + bytes(512),
    "zstd": lambda content: zstandard.compress(content),
    "zstd frames": lambda content: zstandard.compress(content[:50]) + zstandard.compress(content[50:]),
    "zstd checksum": lambda content: zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(
        content
    ),
}


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.parametrize("count", [2, 3_000])
def test_compression_is_told_by_magic_and_changes_nothing(engine, kind, count):
    talk = Talk()
    frames = [talk.data(0, 8 * number, b'{"x":1}\n') for number in range(count)]
    plain = pcap(timed(frames))
    packed = COMPRESSED[kind](plain)
    expected, result = engine.bytes(plain), engine.bytes(packed)
    assert [event[:2] for event in result.chunks] == [event[:2] for event in expected.chunks]
    assert result.end[1:4] == (count, None, len(plain))
    assert result.stats["source_bytes"] == len(packed)


ONE = pcap(timed(FRAMES[:1]))
TWO = pcap(timed(FRAMES))
NG_ONE = section() + interface() + enhanced(1, FIRST)


@pytest.mark.parametrize("left", [1, 15, 16, 17, len(TWO) - len(ONE) - 1])
def test_a_file_cut_within_a_record_is_used_up_to_it(engine, left):
    result = engine.bytes(TWO[: len(ONE) + left])
    assert result.stream(0) == b'{"x":1}\n'
    assert result.end[1:4] == (1, "truncated", len(ONE))


def test_a_header_alone_is_a_capture_without_packets(engine):
    assert engine.bytes(pcap([])).end[1:4] == (0, None, 24)


def test_a_record_over_16_mib_ends_the_file(engine):
    assert engine.bytes(ONE + pcap_record(T0, bytes(64), length=(16 << 20) + 1)).end[1:4] == (
        1,
        "record length",
        len(ONE),
    )
    assert engine.bytes(ONE + pcap_record(T0, bytes(64), length=16 << 20)).end[1:4] == (1, "truncated", len(ONE))


@pytest.mark.parametrize(
    ("rest", "error"),
    [
        (struct.pack("<I", 6), "truncated"),
        (struct.pack("<II", 6, 32) + bytes(20), "truncated"),
        (struct.pack("<II", 6, 8) + bytes(40), "block length"),
        (struct.pack("<II", 6, 33) + bytes(40), "block length"),
        (struct.pack("<II", 6, (16 << 20) + (64 << 10) + 4) + bytes(40), "block length"),
        (struct.pack("<II", 5, 16) + bytes(4) + struct.pack("<I", 20), "block length"),
        (enhanced(1, FIRST, length=len(FIRST) + 4), "record length"),
        (struct.pack("<II", 0x0A0D0D0A, 28) + bytes(20), "section header"),
        (struct.pack("<II", 0x0A0D0D0A, 28) + b"\x4d", "truncated"),
        (section()[:20], "truncated"),
    ],
)
def test_a_bad_block_ends_the_file(engine, rest, error):
    result = engine.bytes(NG_ONE + rest)
    assert result.stream(0) == b'{"x":1}\n'
    assert result.end[1:4] == (1, error, len(NG_ONE))


def test_a_section_header_without_byte_order_is_found_at_the_first_block(engine):
    assert engine.bytes(struct.pack("<II", 0x0A0D0D0A, 28) + bytes(20)).end[1:4] == (0, "section header", 0)


def noise(count: int) -> bytes:
    """A capture that hardly compresses: so that half of the compressed bytes hold about half of the packets."""
    word = zlib.crc32(b"seed")
    frames = []
    for number in range(count):
        words = [word := zlib.crc32(struct.pack("<I", word)) for _ in range(16)]
        frames.append(TALK.data(0, 64 * number, b"{" + struct.pack("<16I", *words)[1:]))
    return pcap(timed(frames))


NOISE = noise(1_000)
RECORD_BYTES = (len(NOISE) - 24) // 1_000


def in_two(compressor, flush) -> tuple[bytes, bytes]:
    """The capture compressed, as two parts: what the first 500 packets became, and the rest."""
    middle = 24 + 500 * RECORD_BYTES
    return compressor.compress(NOISE[:middle]) + compressor.flush(flush), compressor.compress(
        NOISE[middle:]
    ) + compressor.flush()


GZIP_PARTS = in_two(zlib.compressobj(wbits=31), zlib.Z_FULL_FLUSH)
ZSTD_PARTS = in_two(zstandard.ZstdCompressor().compressobj(), zstandard.COMPRESSOBJ_FLUSH_BLOCK)


@pytest.mark.parametrize(
    "packed", [b"".join(GZIP_PARTS)[: len(GZIP_PARTS[0]) + 9_000], ZSTD_PARTS[0] + ZSTD_PARTS[1][:9_000]]
)
def test_cut_compressed_data_is_used_as_far_as_it_goes(engine, packed):
    _source, count, error, offset = engine.bytes(packed).end[:4]
    assert error == "decompression"
    assert count >= 500
    assert 24 + count * RECORD_BYTES <= offset < 24 + (count + 1) * RECORD_BYTES


@pytest.mark.parametrize(
    "packed",
    [
        GZIP_PARTS[0] + b"\x07" + bytes(40),  # a deflate block of the reserved type (RFC 1951 section 3.2.3)
        ZSTD_PARTS[0]
        + b"\x06\x00\x00"
        + bytes(40),  # a Zstandard block of the reserved type (RFC 8878 section 3.1.1.2.2)
    ],
)
def test_damage_delivers_all_that_comes_before_it(engine, packed):
    assert engine.bytes(packed).end[1:4] == (500, "decompression", 24 + 500 * RECORD_BYTES)


def test_a_wrong_gzip_check_is_damage_after_the_last_packet(engine):
    assert engine.bytes(gzip.compress(NOISE)[:-8] + bytes(8)).end[1:4] == (1_000, "decompression", len(NOISE))


def test_rubbish_after_a_gzip_member_is_damage(engine):
    assert engine.bytes(gzip.compress(TWO) + b"rubbish").end[1:4] == (2, "decompression", len(TWO))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"\x0a", "not a capture"),
        (b"just some text that is long enough to hold a header", "not a capture"),
        (pcap_header()[:23], "not a capture"),
        (gzip.compress(b""), "not a capture"),
        (gzip.compress(pcap_header())[:12], "not a capture"),
        (b"\x1f\x8b" + b"\xff" * 40, "not a capture"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 40, "not a capture"),
        (zstandard.compress(b"text " * 20), "not a capture"),
    ],
)
def test_what_is_no_capture_is_refused_at_once(engine, content, reason):
    path = engine.file(content)
    with pytest.raises(engine.module.CaptureError) as caught:
        engine.core().attach(path)
    assert (caught.value.source, caught.value.reason) == (path, reason)
    assert isinstance(caught.value.offset, int)


def test_what_cannot_be_opened_is_refused_at_once(engine, tmp_path):
    for path, reason in [(tmp_path / "none.pcap", "no such file"), (tmp_path, "is a directory")]:
        with pytest.raises(engine.module.CaptureError) as caught:
            engine.core().attach(str(path))
        assert (caught.value.source, caught.value.reason) == (str(path), reason)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_at_once(engine):
    path = engine.file(ONE)
    Path(path).chmod(0)
    with pytest.raises(engine.module.CaptureError) as caught:
        engine.core().attach(path)
    assert caught.value.reason == "permission denied"


def test_a_refused_source_leaves_the_core_as_it_was(engine):
    core = engine.core()
    with pytest.raises(engine.module.CaptureError):
        core.attach("/nowhere.pcap")
    core.attach(engine.file(TWO))
    core.finish()
    events = []
    while not core.finished:
        events += core.poll(16, 100)
    assert [type(event) for event in events] == [Open, Chunk, Chunk, End, Close]


def test_standard_input_is_a_source(engine, monkeypatch, tmp_path):
    path = tmp_path / "stdin.pcap.gz"
    path.write_bytes(gzip.compress(TWO))
    with path.open("rb") as file:
        if engine.name == "reference":
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
            result = engine.run("-")
        else:
            saved = os.dup(0)
            os.dup2(file.fileno(), 0)
            try:
                result = engine.run("-")
            finally:
                os.dup2(saved, 0)
                os.close(saved)
    assert result.stream(0) == WHOLE
    assert result.end[:4] == End("-", 2, None, len(TWO))[:4]


def test_events_come_in_batches_of_at_most_what_was_asked(engine):
    core = engine.core()
    core.attach(engine.file(pcap(timed([TALK.data(0, 8 * n, b'{"x":1}\n', flags=ACK) for n in range(50)]))))
    core.finish()
    events = []
    while not core.finished:
        batch = core.poll(7, 100)
        assert len(batch) <= 7
        events += batch
    assert len(events) == 53
    assert core.poll(7, 0) == []


def test_closing_drops_everything_and_may_be_repeated(engine):
    core = engine.core()
    core.attach(engine.file(TWO))
    core.close()
    core.close()
