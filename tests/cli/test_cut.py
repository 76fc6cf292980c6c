"""However a sender cuts its stream into segments, the same events come out, to the byte: whole, at random, and byte
by byte.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import dpkt
import pytest

from tests.cli.conftest import ROOT, Run
from tests.core.captures import checksum
from tests.demo.miners import Counts

SHARED = ROOT.parent / "shared" / "captures" / "mining"
#: Captures that dpkt reads and whose sessions are whole; a capture with losses is another one when the losses are
#: smaller.
REAL = (
    "nicehash__dwarf_s.pcapng",
    "nesfit__zec-eu.suprnova.cc.pcapng",
    "nesfit__xmr.suprnova.cc.pcapng",
    "nesfit__eth-eu1.nanopool.org.pcapng",
)


def frames(path: Path) -> Iterator[tuple[float, bytes]]:
    with path.open("rb") as file:
        reader = dpkt.pcapng.Reader(file) if path.suffix == ".pcapng" else dpkt.pcap.Reader(file)
        yield from reader


def cut(frame: bytes, size: Callable[[], int]) -> list[bytes]:
    """An Ethernet frame with a TCP payload as several; any other as it is."""
    if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != 6:
        return [frame]
    total = struct.unpack_from(">H", frame, 16)[0]
    start = 34 + (frame[46] >> 4) * 4
    payload, flags = frame[start : 14 + total], frame[47]
    if len(payload) < 2 or flags & 0x02:
        return [frame]
    seq = struct.unpack_from(">I", frame, 38)[0]
    pieces, at = [], 0
    while at < len(payload):
        piece = payload[at : at + size()]
        last = at + len(piece) == len(payload)
        head = bytearray(frame[:start])
        struct.pack_into(">H", head, 16, start - 14 + len(piece))
        struct.pack_into(">I", head, 38, (seq + at) & 0xFFFFFFFF)
        head[47] = flags if last else flags & ~0x05  # FIN and RST leave with the last byte
        pieces.append(with_checksums(bytes(head), piece))
        at += len(piece)
    return pieces


def with_checksums(head: bytes, data: bytes) -> bytes:
    """The frame with the checksums of IP (RFC 791) and TCP (RFC 9293) as its bytes have them."""
    ip = head[14:24] + b"\0\0" + head[26:34]
    tcp = head[34:50] + b"\0\0" + head[52:] + data
    pseudo = head[26:34] + struct.pack(">HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    return head[:14] + ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp


def rewrite(source: Path, target: Path, size: Callable[[], int]) -> Path:
    with target.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for ts, frame in frames(source):
            for piece in cut(frame, size):
                writer.writepkt(piece, ts=ts)
    return target


def eve_of(run: Run, tmp_path: Path, source: Path, size: Callable[[], int], engine: str = "auto") -> bytes:
    target = rewrite(source, tmp_path / "cut.pcap", size)
    done = run("replay", "--quiet", "--engine", engine, "--eve", "-", target)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_the_same(run: Run, tmp_path: Path, source: Path) -> None:
    whole = eve_of(run, tmp_path, source, lambda: 1 << 20)
    assert whole.count(b'"mining"')
    rng = random.Random(20_260_101)
    assert eve_of(run, tmp_path, source, lambda: rng.randint(1, 90)) == whole
    assert eve_of(run, tmp_path, source, lambda: 1) == whole


def test_the_demo_capture_cut_anywhere(run: Run, tmp_path: Path, demo: tuple[Path, dict[str, Counts]]) -> None:
    assert_the_same(run, tmp_path, demo[0])


@pytest.mark.shared
@pytest.mark.parametrize("name", REAL)
def test_real_captures_cut_anywhere(run: Run, tmp_path: Path, name: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip("the real captures are not here")
    assert_the_same(run, tmp_path, SHARED / name)
