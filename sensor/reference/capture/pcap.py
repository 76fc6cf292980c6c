"""pcap (draft-ietf-opsawg-pcap): a header for the file, then one record a packet."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sensor.model.time import SECOND_NS
from sensor.reference.capture.bytestream import ByteStream
from sensor.reference.capture.records import RECORD_MAX_BYTES, Packet, ReadStop, RecordReader

FILE_HEADER_BYTES = 24

#: magic as read in the file's own byte order -> (record header length, nanoseconds per fraction)
PCAP_KINDS = {0xA1B2C3D4: (16, 1000), 0xA1B23C4D: (16, 1), 0xA1B2CD34: (24, 1000)}


class Pcap(RecordReader):
    """Records of one link type, each with a header of seconds, a fraction and lengths."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__(stream)
        order = _byte_order(stream.window[stream.at : stream.at + 4])
        fields = struct.unpack_from(order + "6I", stream.window, stream.at)
        self.header_bytes, self.unit_ns = PCAP_KINDS[fields[0]]
        # The upper bits carry the FCS length (section 4, "LinkType and additional information").
        self.link = fields[5] & 0xFFFF
        self.record = struct.Struct(order + "III")
        stream.at += FILE_HEADER_BYTES

    @staticmethod
    def recognises(magic: bytes) -> bool:
        return bool(_byte_order(magic))

    def packets(self) -> Iterator[Packet]:
        stream, header_bytes, link, unit_ns = self.stream, self.header_bytes, self.link, self.unit_ns
        unpack = self.record.unpack_from
        while True:
            start = stream.offset
            if not stream.need(header_bytes):
                return self.ended_at(start)
            seconds, fraction, length = unpack(stream.window, stream.at)
            if length > RECORD_MAX_BYTES:
                self.stop = ReadStop("record length", start)
                return None
            if not stream.need(header_bytes + length):
                return self.ended_at(start)
            begin = stream.at + header_bytes
            stream.at = begin + length
            yield seconds * SECOND_NS + fraction * unit_ns, link, stream.window[begin : stream.at]


def _byte_order(magic: bytes) -> str:
    """The byte order of a file, as `struct` writes it; empty if it is no pcap."""
    return next((order for order in "<>" if struct.unpack(order + "I", magic)[0] in PCAP_KINDS), "")
