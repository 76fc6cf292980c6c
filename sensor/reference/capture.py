"""Capture files: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), record by record.

Gives each packet's time, link type and captured bytes, and says where and why a file stopped. What a frame holds is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sensor.reference.bytestream import ByteStream, CaptureError

RECORD_MAX_BYTES = 16 << 20
BLOCK_MAX_BYTES = RECORD_MAX_BYTES + (64 << 10)
FILE_HEADER_BYTES = 24
TIME_MAX_NS = (1 << 63) - 1

#: magic as read in the file's own byte order -> (record header length, nanoseconds per fraction)
PCAP_KINDS = {0xA1B2C3D4: (16, 1000), 0xA1B23C4D: (16, 1), 0xA1B2CD34: (24, 1000)}

SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
BYTE_ORDER_MAGIC = 0x1A2B3C4D
INTERFACE_BLOCK, OLD_PACKET_BLOCK, SIMPLE_BLOCK, PACKET_BLOCK = 1, 2, 3, 6
SHORTEST_BODY = {INTERFACE_BLOCK: 8, OLD_PACKET_BLOCK: 20, SIMPLE_BLOCK: 4, PACKET_BLOCK: 20}
OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14

#: time in ns, or None where the interface is unknown; link type, or None likewise; captured bytes
Packet = tuple[int | None, int | None, bytes]


class Stop(NamedTuple):
    """Why reading ended before the end of the file, and the offset to report."""

    error: str
    offset: int


class Capture:
    """One source, opened. `packets()` yields until the end or the first error; then `error` and `offset` are `End`'s."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.error: str | None = None
        self.offset = 0
        self._stream = ByteStream(source)
        if not self._stream.need(FILE_HEADER_BYTES):
            self._stream.close()
            raise CaptureError(source, "not a capture")
        magic = self._stream.window[self._stream.at : self._stream.at + 4]
        self._order = ""
        for order in "<>":
            if struct.unpack(order + "I", magic)[0] in PCAP_KINDS:
                self._order = order
        if not self._order and magic != SECTION_HEADER:
            self._stream.close()
            raise CaptureError(source, "not a capture")

    @property
    def source_bytes(self) -> int:
        return self._stream.source_bytes

    def packets(self) -> Iterator[Packet]:
        reader = _Pcap(self._stream, self._order) if self._order else _Pcapng(self._stream)
        yield from reader.packets()
        self.error, self.offset = reader.stop or (None, self._stream.offset)
        self._stream.close()

    def close(self) -> None:
        self._stream.close()


class _Reader:
    """What both formats share: the stream, and how reading ended."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.stop: Stop | None = None

    def ended_at(self, start: int) -> None:
        """The bytes end within, or right before, the record at `start`."""
        if self.stream.damaged:
            self.stop = Stop("decompression", self.stream.end_offset)
        elif start < self.stream.end_offset:
            self.stop = Stop("truncated", start)


class _Pcap(_Reader):
    def __init__(self, stream: ByteStream, order: str) -> None:
        super().__init__(stream)
        words = struct.unpack_from(order + "6I", stream.window, stream.at)
        self.header_bytes, self.unit_ns = PCAP_KINDS[words[0]]
        self.link = (
            words[5] & 0xFFFF
        )  # the upper bits carry the FCS length (section 4, "LinkType and additional information")
        self.record = struct.Struct(order + "III")
        stream.at += FILE_HEADER_BYTES

    def packets(self) -> Iterator[Packet]:
        stream, header_bytes, link, unit_ns = self.stream, self.header_bytes, self.link, self.unit_ns
        unpack = self.record.unpack_from
        while True:
            start = stream.offset
            if not stream.need(header_bytes):
                return self.ended_at(start)
            seconds, fraction, length = unpack(stream.window, stream.at)
            if length > RECORD_MAX_BYTES:
                self.stop = Stop("record length", start)
                return None
            if not stream.need(header_bytes + length):
                return self.ended_at(start)
            begin = stream.at + header_bytes
            stream.at = begin + length
            yield seconds * 1_000_000_000 + fraction * unit_ns, link, stream.window[begin : stream.at]


class _Interface(NamedTuple):
    link: int
    snaplen: int
    units_per_second: int
    offset_ns: int

    def time_ns(self, high: int, low: int) -> int:
        units = high << 32 | low
        return max(0, min(TIME_MAX_NS, units * 1_000_000_000 // self.units_per_second + self.offset_ns))


class _Pcapng(_Reader):
    def __init__(self, stream: ByteStream) -> None:
        super().__init__(stream)
        self.order = "<"
        self.interfaces: list[_Interface] = []
        self.last_ns = 0

    def packets(self) -> Iterator[Packet]:
        stream = self.stream
        while True:
            start = stream.offset
            if not stream.need(8):
                return self.ended_at(start)
            kind = self._kind()
            if kind is None:
                if not stream.need(12):
                    return self.ended_at(start)
                if not self._begin_section():
                    self.stop = Stop("section header", start)
                    return None
            length: int = struct.unpack_from(self.order + "I", stream.window, stream.at + 4)[0]
            if length < 12 or length % 4 or length > BLOCK_MAX_BYTES:
                self.stop = Stop("block length", start)
                return None
            if not stream.need(length):
                return self.ended_at(start)
            block = stream.window[stream.at : stream.at + length]
            if block[4:8] != block[-4:]:
                self.stop = Stop("block length", start)
                return None
            if kind in SHORTEST_BODY:
                packet = self._read(kind, block[8:-4])
                if isinstance(packet, str):
                    self.stop = Stop(packet, start)
                    return None
                if packet is not None:
                    yield packet
            stream.at += length

    def _kind(self) -> int | None:
        """The type of the block at hand; None for a section header, which reads the same in either byte order."""
        if self.stream.window.startswith(SECTION_HEADER, self.stream.at):
            return None
        kind: int = struct.unpack_from(self.order + "I", self.stream.window, self.stream.at)[0]
        return kind

    def _begin_section(self) -> bool:
        for order in "<>":
            if struct.unpack_from(order + "I", self.stream.window, self.stream.at + 8)[0] == BYTE_ORDER_MAGIC:
                self.order = order
                self.interfaces = []
                return True
        return False

    def _read(self, kind: int, body: bytes) -> Packet | str | None:
        """A packet, an error, or None for an interface description."""
        if len(body) < SHORTEST_BODY[kind]:
            return "block length" if kind == INTERFACE_BLOCK else "record length"
        if kind == INTERFACE_BLOCK:
            self.interfaces.append(_read_interface(self.order, body))
            return None
        if kind == SIMPLE_BLOCK:
            return self._simple(body)
        if kind == PACKET_BLOCK:
            number, high, low, length = struct.unpack_from(self.order + "4I", body)
        else:
            number, _drops, high, low, length = struct.unpack_from(self.order + "HHIII", body)
        if length > RECORD_MAX_BYTES or length > len(body) - 20:
            return "record length"
        data = body[20 : 20 + length]
        if number >= len(self.interfaces):
            return None, None, data
        interface = self.interfaces[number]
        self.last_ns = interface.time_ns(high, low)
        return self.last_ns, interface.link, data

    def _simple(self, body: bytes) -> Packet | str:
        """Section 4.4: no captured length of its own, so it is the least of the wire's, the snaplen and what is there."""
        (length,) = struct.unpack_from(self.order + "I", body)
        snaplen = self.interfaces[0].snaplen if self.interfaces else 0
        if snaplen:
            length = min(length, snaplen)
        data = body[4 : 4 + length]
        if len(data) > RECORD_MAX_BYTES:
            return "record length"
        if not self.interfaces:
            return None, None, data
        return self.last_ns, self.interfaces[0].link, data


def _read_interface(order: str, body: bytes) -> _Interface:
    link, _reserved, snaplen = struct.unpack_from(order + "HHI", body)
    units_per_second, offset_s = 1_000_000, 0
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == OPTION_TSRESOL and length == 1:
            exponent = value[0] & 0x7F
            units_per_second = 2**exponent if value[0] & 0x80 else 10**exponent
        elif code == OPTION_TSOFFSET and length == 8:
            (offset_s,) = struct.unpack(order + "q", value)
        at += 4 + ((length + 3) & ~3)
    return _Interface(link, snaplen, units_per_second, offset_s * 1_000_000_000)
