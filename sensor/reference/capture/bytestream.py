"""The bytes of a source, decompressed on the way: a file or standard input, plain or compressed, by its magic.

Everything decodable before damage is delivered; the damage is remembered, not raised. What the bytes mean is not known
here.
"""

from __future__ import annotations

import io
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import zstandard

from sensor.reference.capture.streams import BZIP2_MAGIC, LZ4_MAGIC, XZ_MAGIC, Lz4, bzip2, xz

GZIP_MAGIC = b"\x1f\x8b"  # RFC 1952 section 2.3.1
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878 section 3.1.1


class CaptureError(Exception):
    """A source cannot be opened or read: `source`, `reason`, `offset` (bytes)."""

    def __init__(self, source: str, reason: str, offset: int = 0) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
        self.offset = offset


class Decoder(Protocol):
    """Turns compressed bytes into plain ones.

    `damaged` is set at the first byte that cannot be decoded; nothing comes after it.
    """

    #: Compressed bytes given at a time: bounds what one call can blow up to (about 16 and 32 MiB for gzip and Zstandard
    #: at the formats' best ratios).
    piece_bytes: int
    damaged: bool

    def feed(self, data: bytes) -> bytes: ...
    def finish(self) -> None: ...


class Plain:
    piece_bytes = 1 << 18

    def __init__(self) -> None:
        self.damaged = False

    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> None:
        return


class Gzip:
    """Members one after another (RFC 1952 section 2.2); zero bytes after a member are padding, as for gzip itself."""

    piece_bytes = 1 << 14

    def __init__(self) -> None:
        self.damaged = False
        self._member = zlib.decompressobj(wbits=31)
        self._inside = True  # false between members, where the data may end

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while not self.damaged:
            if not self._inside:
                data = data.lstrip(b"\0")
            if not data:
                break
            before = self._member.copy()
            self._inside = True
            try:
                out += self._member.decompress(data)
            except zlib.error:
                self.damaged = True
                out += _salvage_gzip(before, data)
                break
            data = self._member.unused_data
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
                self._inside = False
        return bytes(out)

    def finish(self) -> None:
        self.damaged = self.damaged or self._inside


def _salvage_gzip(member: zlib._Decompress, data: bytes) -> bytes:
    """What `member` gives of `data` before it fails.

    Zlib forgets the output of the call that fails, so each call asks for one byte.
    """
    out = bytearray()
    try:
        for at in range(len(data)):
            pending = data[at : at + 1]
            while piece := member.decompress(pending, 1):
                out += piece
                pending = member.unconsumed_tail
    except zlib.error:
        pass
    return bytes(out)


class Zstandard:
    """Frames one after another (RFC 8878 section 3.1)."""

    piece_bytes = 1 << 10

    def __init__(self) -> None:
        self.damaged = False
        self._new_frame()

    def _new_frame(self) -> None:
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        # The library forgets the output of a call that fails and cannot be copied, so a second decoder follows one call
        # behind.
        self._behind = zstandard.ZstdDecompressor().decompressobj()
        self._inside = False

    def feed(self, data: bytes) -> bytes:
        out = bytearray()
        while data:
            self._inside = True
            try:
                out += self._frame.decompress(data)
            except zstandard.ZstdError:
                self.damaged = True
                out += self._salvage(data)
                break
            if not self._frame.eof:
                self._behind.decompress(data)
                break
            data = self._frame.unused_data
            self._new_frame()
        return bytes(out)

    def _salvage(self, data: bytes) -> bytes:
        out = bytearray()
        try:
            for at in range(len(data)):
                out += self._behind.decompress(data[at : at + 1])
        except zstandard.ZstdError:
            pass
        return bytes(out)

    def finish(self) -> None:
        self.damaged = self.damaged or self._inside


#: Decoders by what the data begins with.
DECODERS: tuple[tuple[bytes, Callable[[], Decoder]], ...] = (
    (GZIP_MAGIC, Gzip),
    (ZSTD_MAGIC, Zstandard),
    (XZ_MAGIC, xz),
    (BZIP2_MAGIC, bzip2),
    (LZ4_MAGIC, Lz4),
)


class ByteStream:
    """A window over the decompressed bytes.

    `need(n)` makes n bytes available from `at` in `window`, if there are so many.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self._start = 0  # offset of window[0] in the decompressed capture
        self._ended = False
        self._file = _open(source)
        try:
            first = self._file.read(len(XZ_MAGIC))
        except OSError as error:
            raise CaptureError(source, str(error)) from None
        if not first:
            raise CaptureError(source, "empty file")
        decoder = next((kind for magic, kind in DECODERS if first.startswith(magic)), Plain)
        self._decoder: Decoder = decoder()
        self.source_bytes = len(first)
        self.window = self._decoder.feed(first)

    @property
    def offset(self) -> int:
        """Of `at`, in the decompressed capture."""
        return self._start + self.at

    @property
    def end_offset(self) -> int:
        """How much has been decompressed."""
        return self._start + len(self.window)

    @property
    def damaged(self) -> bool:
        return self._decoder.damaged

    def need(self, count: int) -> bool:
        missing = count - (len(self.window) - self.at)
        if missing <= 0:
            return True
        pieces = [self.window[self.at :]]
        while missing > 0 and not self._ended:
            pieces.append(self._read())
            missing -= len(pieces[-1])
        self._start += self.at
        self.window, self.at = b"".join(pieces), 0
        return missing <= 0

    def _read(self) -> bytes:
        try:
            # read1: what a pipe has now, without waiting for a full piece.
            data = self._file.read1(self._decoder.piece_bytes)
        except OSError:
            data = b""
        self.source_bytes += len(data)
        if data:
            plain = self._decoder.feed(data)
            self._ended = self._decoder.damaged
            return plain
        self._decoder.finish()
        self._ended = True
        return b""

    def close(self) -> None:
        self._ended = True
        if self.source != "-":
            self._file.close()


def _open(source: str) -> io.BufferedReader:
    if source == "-":
        return cast(io.BufferedReader, sys.stdin.buffer)
    try:
        return Path(source).open("rb")
    except FileNotFoundError:
        raise CaptureError(source, "no such file") from None
    except PermissionError:
        raise CaptureError(source, "permission denied") from None
    except IsADirectoryError:
        raise CaptureError(source, "is a directory") from None
    except (OSError, ValueError) as error:
        raise CaptureError(source, str(error)) from None
