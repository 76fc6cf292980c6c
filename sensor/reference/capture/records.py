"""What all capture formats share: the packet they give, the bound of a record, and how reading ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from sensor.reference.capture.bytestream import ByteStream

RECORD_MAX_BYTES = 16 << 20

#: time in ns, or None where the interface is unknown; link type, or None likewise; captured bytes
Packet = tuple[int | None, int | None, bytes]


class ReadStop(NamedTuple):
    """Why reading ended before the end of the file, and the offset to report."""

    error: str
    offset: int


class RecordReader(ABC):
    """One capture format. A format is a file of this folder with a subclass of this, and its line in `capture_file`."""

    def __init__(self, stream: ByteStream) -> None:
        """`stream` stands at the first byte of the capture and has its first 24 bytes at hand."""
        self.stream = stream
        self.stop: ReadStop | None = None

    @staticmethod
    @abstractmethod
    def recognises(magic: bytes) -> bool:
        """Whether a capture that begins with these four bytes is of this format."""

    @abstractmethod
    def packets(self) -> Iterator[Packet]:
        """Packets up to the end or the first error; then `stop` says which error, if it was one."""

    def ended_at(self, start: int) -> None:
        """The bytes end within, or right before, the record at `start`."""
        if self.stream.damaged:
            self.stop = ReadStop("decompression", self.stream.end_offset)
        elif start < self.stream.end_offset:
            self.stop = ReadStop("truncated", start)
