"""Snoop files (RFC 1761): the format that the test of the recipes adds."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sensor.model.time import SECOND_NS
from sensor.reference.capture.bytestream import ByteStream
from sensor.reference.capture.records import RECORD_MAX_BYTES, Packet, ReadStop, RecordReader

FILE_HEADER_BYTES = 16
RECORD_HEADER = struct.Struct(">6I")
ETHERNET = 1


class Snoop(RecordReader):
    """Records with a header of lengths, drops and time, padded to whole words."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__(stream)
        stream.at += FILE_HEADER_BYTES

    @staticmethod
    def recognises(magic: bytes) -> bool:
        return magic == b"snoo"

    def packets(self) -> Iterator[Packet]:
        stream = self.stream
        while True:
            start = stream.offset
            if not stream.need(RECORD_HEADER.size):
                return self.ended_at(start)
            _, captured, record, _, seconds, microseconds = RECORD_HEADER.unpack_from(stream.window, stream.at)
            if record < RECORD_HEADER.size + captured or record > RECORD_MAX_BYTES:
                self.stop = ReadStop("record length", start)
                return None
            if not stream.need(record):
                return self.ended_at(start)
            begin = stream.at + RECORD_HEADER.size
            stream.at += record
            yield seconds * SECOND_NS + microseconds * 1_000, ETHERNET, stream.window[begin : begin + captured]
