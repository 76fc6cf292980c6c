"""Decoders of xz, bzip2 and LZ4: streams or frames one after another, of which everything decodable before damage is
given.

Python's libraries forget what a failing call decoded. Both cores therefore ask the same of them: where a stream is
damaged it is given byte by byte and taken in quanta, LZ4 is cut into units that are decoded when they are whole. A call
for each byte of a whole file would take ten times as long, so here a second decoder follows one call behind, and only
what the first one failed at is given to it byte by byte.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable

import lz4.frame

XZ_MAGIC = b"\xfd7zXZ\0"  # .xz format 1.2.1, section 2.1.1.1
BZIP2_MAGIC = b"BZh"
LZ4_MAGIC = b"\x04\x22\x4d\x18"  # LZ4 Frame Format 1.6.4

#: At most so much is taken in one call, and so much may be lost before damage.
QUANTUM_BYTES = 1 << 12
#: What a stream of xz may ask for: a dictionary of 128 MiB, the largest window of Zstandard, and what goes with it.
XZ_MEMORY_BYTES = 144 << 20

#: Flags of an LZ4 frame.
BLOCK_CHECKSUM, CONTENT_SIZE, CONTENT_CHECKSUM, DICTIONARY = 1 << 4, 1 << 3, 1 << 2, 1
#: Skippable frames have one of sixteen magics, little-endian.
LZ4_SKIPPABLE = 0x184D2A50


Decompressor = bz2.BZ2Decompressor | lzma.LZMADecompressor


class Streams:
    """Streams one after another; zero bytes between and behind them are padding."""

    def __init__(self, new: Callable[[], Decompressor], piece_bytes: int) -> None:
        """`new` begins a stream."""
        self.damaged = False
        self.piece_bytes = piece_bytes
        self._new = new
        self._stream: Decompressor | None = None
        self._behind: Decompressor | None = None  # the same stream, one call behind

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while data:
            if self._stream is None or self._behind is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                self._stream, self._behind = self._new(), self._new()
            try:
                whole = _drained(self._stream, data)
            except (OSError, lzma.LZMAError, MemoryError):
                self.damaged = True
                out += self._salvage(data)
                break
            out += whole
            if not self._stream.eof:
                _drained(self._behind, data)
                break
            data = self._stream.unused_data
            self._stream = self._behind = None
        return bytes(out)

    def _salvage(self, data: bytes) -> bytes:
        """What a failing call decoded: given again to the second decoder, byte by byte."""
        out = bytearray()
        try:
            for at in range(len(data) if self._behind is not None else 0):
                pending = data[at : at + 1]
                while self._behind is not None:
                    piece = self._behind.decompress(pending, QUANTUM_BYTES)
                    out += piece
                    if self._behind.eof or len(piece) < QUANTUM_BYTES:
                        break
                    pending = b""
        except (OSError, lzma.LZMAError, MemoryError):
            pass
        return bytes(out)

    def finish(self) -> None:
        self.damaged = self.damaged or self._stream is not None


def _drained(stream: Decompressor, data: bytes) -> bytes:
    """All that these bytes complete. A call whose output was full when its input ended leaves the rest to the next."""
    out = piece = stream.decompress(data)
    while piece and not stream.eof:
        piece = stream.decompress(b"")
        out += piece
    return out


def xz() -> Streams:
    """.xz files; a piece gives at most about 7 MiB."""
    return Streams(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES), 1 << 10)


def bzip2() -> Streams:
    """A block of 40 bytes can hold 46 MiB, so a piece is shorter than that."""
    return Streams(bz2.BZ2Decompressor, 1 << 5)


class Lz4:
    """Frames one after another, skippable ones passed over. A piece gives at most 4 MiB beyond the unit it ends."""

    piece_bytes = 1 << 14

    def __init__(self) -> None:
        self.damaged = False
        self._held = bytearray()  # the beginning of a unit
        self._skip = 0  # bytes of a skippable frame that are still to come
        self._frame = lz4.frame.LZ4FrameDecompressor()
        self._flags = 0
        self._largest = 0  # bytes of the frame's largest block; 0 between frames
        self._room = 0  # the same, also for the end mark

    def feed(self, data: bytes) -> bytes:
        out, at = bytearray(), 0
        self._held += data
        while not self.damaged:
            skipped = min(self._skip, len(self._held) - at)
            self._skip -= skipped
            at += skipped
            length = self._unit_bytes(bytes(self._held[at : at + 8]))
            if self.damaged or self._skip or len(self._held) - at < length:
                break
            out += self._decode(bytes(self._held[at : at + length]))
            at += length
        del self._held[:at]
        return bytes(out)

    def _unit_bytes(self, first: bytes) -> int:
        """How long the unit is that begins so; one more than there is while that is not known."""
        if len(first) < 4:
            return len(first) + 1
        number = int.from_bytes(first[:4], "little")
        if self._largest:
            if number == 0:
                return 8 if self._flags & CONTENT_CHECKSUM else 4
            length = number & 0x7FFFFFFF
            self.damaged = length > self._largest
            return 4 + length + (4 if self._flags & BLOCK_CHECKSUM else 0)
        if number & ~0xF == LZ4_SKIPPABLE:
            return 8
        self.damaged = first[:4] != LZ4_MAGIC
        if len(first) < 6:
            return len(first) + 1
        flags, code = first[4], first[5] >> 4 & 7
        self.damaged = self.damaged or flags >> 6 != 1 or bool(flags & DICTIONARY) or code < 4
        return 15 if flags & CONTENT_SIZE else 7

    def _decode(self, unit: bytes) -> bytes:
        number = int.from_bytes(unit[:4], "little")
        if not self._largest and number & ~0xF == LZ4_SKIPPABLE:
            self._skip = int.from_bytes(unit[4:], "little")
            return b""
        if not self._largest:
            self._frame = lz4.frame.LZ4FrameDecompressor()
            self._flags, self._largest = unit[4], 1 << (8 + 2 * (unit[5] >> 4 & 7))
            self._room = self._largest
        elif not number:
            self._largest = 0
        try:
            # Room for a whole block: without a limit the library may keep the end of it back until more input comes.
            return bytes(self._frame.decompress(unit, self._room))
        except (RuntimeError, MemoryError):
            self.damaged = True
            return b""

    def finish(self) -> None:
        self.damaged = self.damaged or bool(self._held or self._skip or self._largest)
