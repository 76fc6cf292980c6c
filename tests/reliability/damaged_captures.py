"""Captures that are damaged, strange or hostile, each with what must come of it in both cores."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import lz4.frame
import zstandard

from tests.core.captures import (
    RAW_IPV4,
    SECOND,
    T0,
    Talk,
    block,
    enhanced,
    interface,
    option,
    pcap,
    pcap_header,
    pcap_record,
    section,
    simple,
)

MIB = 1 << 20
TALK = Talk()
HELLO = b'{"id":1,"method":"mining.subscribe","params":[]}\n'
FIRST, SECOND_FRAME = TALK.data(0, 0, HELLO), TALK.data(0, len(HELLO), HELLO)
ONE = pcap([(T0, FIRST)])
NG_ONE = section() + interface() + enhanced(T0 // 1_000, FIRST)
RECORD = pcap_record(T0, SECOND_FRAME)
YEARS_10 = 10 * 365 * 86_400 * SECOND
#: Decompressed sizes of bombs: what is empty costs the reference core a step for each record.
BOMB_BYTES, RECORD_BYTES = 300 * MIB, 65_536


@dataclass(frozen=True)
class DamagedCapture:
    """One file, and what reading it must tell: packets, and why it stopped ("" at a clean end)."""

    name: str
    make: Callable[[], bytes]
    packets: int
    error: str = ""
    #: It is refused when it is opened, with `error`.
    refused: bool = False
    #: Bytes after decompression, where they are many more than those of the file.
    holds_bytes: int = 0


def classic() -> Iterator[DamagedCapture]:
    """Damage to the classic format."""
    for name, magic, unit_ns, extra in (
        ("microseconds", 0xA1B2C3D4, 1_000, b""),
        ("nanoseconds", 0xA1B23C4D, 1, b""),
        ("modified", 0xA1B2CD34, 1_000, bytes(8)),
    ):
        for order in "<>":
            record = pcap_record(T0, FIRST, order=order, unit_ns=unit_ns, extra=extra)
            content = pcap_header(order=order, magic=magic) + record * 2
            yield DamagedCapture(f"pcap {name} {order}", lambda content=content: content, 2)
    longer = pcap_header() + struct.pack("<IIII", 1, 0, len(FIRST), 10) + FIRST
    huge = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0xFFFFFFFF, RAW_IPV4) + RECORD
    for name, content, packets, error in (
        ("captured length over the wire's", longer, 1, ""),
        ("snaplen of 4 GiB", huge, 1, ""),
        ("captured length of 4 GiB", ONE + pcap_record(T0, b"", length=0xFFFFFFFF) + bytes(99), 1, "record length"),
        ("captured length below zero", ONE + pcap_record(T0, b"", length=1 << 31), 1, "record length"),
        ("captured length of 16 MiB and no more", ONE + pcap_record(T0, b"", length=16 * MIB), 1, "truncated"),
        ("tail without its data", ONE + RECORD[:40], 1, "truncated"),
        ("tail without its header", ONE + RECORD[:15], 1, "truncated"),
        ("header alone", pcap_header(), 0, ""),
        ("records without bytes", ONE + pcap_record(T0, b"") * 1_000, 1_001, ""),
        ("microseconds over a second", ONE + struct.pack("<IIII", 1, 0xFFFFFFFF, 0, 0), 2, ""),
        ("unknown link type", pcap_header(0x7FFF) + RECORD * 3, 3, ""),
        ("time that goes back", pcap([(T0, FIRST), (T0 - 90 * SECOND, SECOND_FRAME), (0, FIRST)]), 3, ""),
        ("a gap of ten years", pcap([(T0, FIRST), (T0 + YEARS_10, SECOND_FRAME)]), 2, ""),
        ("the last second there is", pcap_header() + struct.pack("<IIII", 0xFFFFFFFF, 999_999, 0, 0), 1, ""),
    ):
        yield DamagedCapture(f"pcap {name}", lambda content=content: content, packets, error)
    for name, content, error in (
        ("empty", b"", "empty file"),
        ("cut header", pcap_header()[:23], "not a capture"),
        ("zeros", bytes(4_096), "not a capture"),
        ("text", b"no capture\n" * 99, "not a capture"),
        ("that is a cut section", section()[:20], "not a capture"),
    ):
        yield DamagedCapture(f"pcap {name}", lambda content=content: content, 0, error, refused=True)


def blocks() -> Iterator[DamagedCapture]:
    """Damage to pcapng."""
    for length in (0, 4, 8, 11, 13, 1 << 31, 0xFFFFFFFC, 0xFFFFFFFF, 16 * MIB + 65_540):
        content = NG_ONE + struct.pack("<II", 6, length) + bytes(64)
        yield DamagedCapture(f"pcapng block of {length}", lambda content=content: content, 1, "block length")
    trailing = enhanced(1, FIRST)[:-4] + struct.pack("<I", 0)
    time = enhanced((1 << 64) - 1, FIRST)
    for name, content, packets, error in (
        ("another trailing length", NG_ONE + trailing, 1, "block length"),
        ("section of 12 bytes", NG_ONE + struct.pack("<IIII", 0x0A0D0D0A, 12, 0x1A2B3C4D, 12), 1, "block length"),
        ("section without byte order", NG_ONE + struct.pack("<II", 0x0A0D0D0A, 28) + bytes(20), 1, "section header"),
        ("section in the other byte order", NG_ONE + section(">") + interface(order=">"), 1, ""),
        ("packet block too short for itself", NG_ONE + block(6, bytes(16)), 1, "block length"),
        ("obsolete block too short for itself", NG_ONE + block(2, bytes(16)), 1, "block length"),
        ("simple block without a length", NG_ONE + block(3, b""), 1, "block length"),
        ("interface too short for itself", NG_ONE + block(1, bytes(4)), 1, "block length"),
        ("captured length over the block", NG_ONE + enhanced(1, FIRST, length=len(FIRST) + 400), 1, "record length"),
        ("captured length below zero", NG_ONE + enhanced(1, FIRST, length=1 << 31), 1, "record length"),
        ("packet of no interface", NG_ONE + enhanced(1, FIRST, number=0xFFFFFFFF), 2, ""),
        ("simple block of 4 GiB on the wire", NG_ONE + simple(FIRST, wire=0xFFFFFFFF), 2, ""),
        ("unknown blocks", NG_ONE + block(0x0BAD, bytes(1_000)) * 50 + enhanced(1, FIRST), 2, ""),
        ("option over its block", section() + interface(options=struct.pack("<HH", 9, 60_000)) + time, 1, ""),
        ("resolution of 2^-127", section() + interface(options=option(9, b"\xff")) + time, 1, ""),
        ("resolution of 10^-127", section() + interface(options=option(9, b"\x7f")) + time, 1, ""),
        ("resolution of a second", section() + interface(options=option(9, b"\0")) + time, 1, ""),
        ("offset of -2^63 s", section() + interface(options=option(14, b"\0" * 7 + b"\x80")) + time, 1, ""),
        ("offset of 2^63 s", section() + interface(options=option(14, b"\xff" * 7 + b"\x7f")) + time, 1, ""),
        ("cut block", NG_ONE + enhanced(1, FIRST)[:-5], 1, "truncated"),
        ("cut section behind another", NG_ONE + section()[:20], 1, "truncated"),
    ):
        yield DamagedCapture(f"pcapng {name}", lambda content=content: content, packets, error)
    yield DamagedCapture(
        "pcapng interfaces without end",
        lambda: zstandard.compress(section() + interface() * 8_000_000),
        0,
        "too many interfaces",
        holds_bytes=8_000_000 * 20,
    )


def compressed() -> Iterator[DamagedCapture]:
    """Bombs, cuts, and captures inside what is none."""
    zeros = pcap_record(T0, bytes(RECORD_BYTES))
    for name, pack in (
        ("gzip", lambda data: gzip.compress(data, 6)),
        ("zstd", lambda data: zstandard.ZstdCompressor(level=3).compress(data)),
        ("xz", lambda data: lzma.compress(data, preset=0)),
        ("bzip2", lambda data: bz2.compress(data, 1)),
        ("lz4", lz4.frame.compress),
    ):
        count = BOMB_BYTES // len(zeros)
        yield DamagedCapture(
            f"{name} bomb of 300 MiB",
            lambda pack=pack, count=count: pack(pcap_header() + zeros * count),
            count,
            holds_bytes=BOMB_BYTES,
        )
        packed = pack(ONE + RECORD * 2_000)
        yield DamagedCapture(f"{name} cut in its first bytes", lambda packed=packed: packed[:9], 0, "", refused=True)
    largest = pcap_record(T0, bytes(16 * MIB))
    yield DamagedCapture(
        "gzip of the largest records",
        lambda: gzip.compress(pcap_header() + largest * 12, 1),
        12,
        holds_bytes=12 * 16 * MIB,
    )
    nested = gzip.compress(gzip.compress(ONE))
    yield DamagedCapture("gzip in gzip", lambda: nested, 0, "not a capture", refused=True)
    yield DamagedCapture("gzip and rubbish", lambda: gzip.compress(ONE) + b"rubbish", 1, "decompression")


def corpus() -> list[DamagedCapture]:
    """All of them."""
    return [*classic(), *blocks(), *compressed()]
