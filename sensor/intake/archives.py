"""What a file is that is no capture: an archive, maybe compressed. It reads its first bytes only, and never raises."""

from __future__ import annotations

import bz2
import lzma
import zlib
from pathlib import Path

import lz4.frame
import zstandard

from sensor.reference.capture.bytestream import GZIP_MAGIC, ZSTD_MAGIC
from sensor.reference.capture.streams import BZIP2_MAGIC, LZ4_MAGIC, XZ_MAGIC, XZ_MEMORY_BYTES

#: Of the first block of a tar archive (POSIX.1-1988, "ustar"), and where its magic stands in it.
TAR_BLOCK_BYTES, TAR_MAGIC_AT, TAR_MAGIC = 512, 257, b"ustar"
#: So much of a file is enough to inflate its first block: one of LZ4 is at most 4 MiB, those of the others are less.
FIRST_BYTES = (4 << 20) + (64 << 10)
#: Archives by what they begin with; the command is what unpacks them.
MAGICS = (
    (b"PK\x03\x04", "a zip archive", "unzip"),
    (b"PK\x05\x06", "an empty zip archive", "unzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x"),
    (b"Rar!\x1a\x07", "a rar archive", "unrar x"),
)


def refusal(path: str) -> str | None:
    """Why a file is no capture, as a phrase with what mends it; None where that is not known, or it is no file."""
    try:
        if not Path(path).is_file():
            return None
        with Path(path).open("rb") as file:
            first = file.read(FIRST_BYTES)
    except (OSError, ValueError):
        return None
    inner = _inflated(first)
    if is_tar(first):
        return "this is a tar archive: unpack it first (tar -xf)"
    if is_tar(inner):
        return "this is a compressed tar archive: unpack it first (tar -xf)"
    found = next(((what, how) for magic, what, how in MAGICS if first.startswith(magic)), None)
    return None if found is None else f"this is {found[0]}: unpack it first ({found[1]})"


def is_tar(data: bytes) -> bool:
    """Whether bytes begin with the first block of a tar archive: by its magic, or, in one of before there was any, by
    its checksum."""
    if len(data) < TAR_BLOCK_BYTES or not any(data[:TAR_BLOCK_BYTES]):
        return False
    if data[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC:
        return True
    try:
        stated = int(data[148:156].strip(b" \0"), 8)
    except ValueError:
        return False
    return stated == sum(data[:148]) + 8 * 0x20 + sum(data[156:TAR_BLOCK_BYTES])


def _inflated(data: bytes) -> bytes:
    """The first block of what compressed data holds; empty where it holds none."""
    try:
        if data.startswith(GZIP_MAGIC):
            return zlib.decompressobj(31).decompress(data, TAR_BLOCK_BYTES)
        if data.startswith(ZSTD_MAGIC):
            return zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data).read(TAR_BLOCK_BYTES)
        if data.startswith(XZ_MAGIC):
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES).decompress(data, TAR_BLOCK_BYTES)
        if data.startswith(BZIP2_MAGIC):
            return bz2.BZ2Decompressor().decompress(data, TAR_BLOCK_BYTES)
        if data.startswith(LZ4_MAGIC):
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data, TAR_BLOCK_BYTES))
    except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, RuntimeError, MemoryError):
        pass
    return b""
