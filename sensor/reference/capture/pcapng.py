"""pcapng (draft-ietf-opsawg-pcapng): blocks, of which packets and the interfaces they are of are read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sensor.model.time import SECOND_NS
from sensor.reference.capture.bytestream import ByteStream
from sensor.reference.capture.records import RECORD_MAX_BYTES, Packet, ReadStop, RecordReader

BLOCK_MAX_BYTES = RECORD_MAX_BYTES + (64 << 10)
TIME_MAX_NS = (1 << 63) - 1

SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
BYTE_ORDER_MAGIC = 0x1A2B3C4D
INTERFACE_BLOCK, OLD_PACKET_BLOCK, SIMPLE_BLOCK, PACKET_BLOCK = 1, 2, 3, 6
SHORTEST_BODY = {INTERFACE_BLOCK: 8, OLD_PACKET_BLOCK: 20, SIMPLE_BLOCK: 4, PACKET_BLOCK: 20}
SHORTEST_SECTION = 28
#: Interfaces of one section: a file may hold nothing but their descriptions.
MAX_INTERFACES = 65_536
OPTION_TSRESOL, OPTION_TSOFFSET = 9, 14


class InterfaceBlock(NamedTuple):
    """What a section says of one interface: link type, bytes kept of a packet, and how its times are counted."""

    link: int
    snaplen: int
    units_per_second: int
    offset_ns: int

    def time_ns(self, high: int, low: int) -> int:
        units = high << 32 | low
        return max(0, min(TIME_MAX_NS, units * SECOND_NS // self.units_per_second + self.offset_ns))


class Pcapng(RecordReader):
    """Blocks: a section's header, its interfaces, and packets of them."""

    def __init__(self, stream: ByteStream) -> None:
        super().__init__(stream)
        self.order = "<"
        self.interfaces: list[InterfaceBlock] = []
        self.last_ns = 0

    @staticmethod
    def recognises(magic: bytes) -> bool:
        return magic == SECTION_HEADER

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
                    self.stop = ReadStop("section header", start)
                    return None
            length: int = struct.unpack_from(self.order + "I", stream.window, stream.at + 4)[0]
            if length < (12 if kind is not None else SHORTEST_SECTION) or length % 4 or length > BLOCK_MAX_BYTES:
                self.stop = ReadStop("block length", start)
                return None
            if not stream.need(length):
                return self.ended_at(start)
            block = stream.window[stream.at : stream.at + length]
            if block[4:8] != block[-4:]:
                self.stop = ReadStop("block length", start)
                return None
            if kind in SHORTEST_BODY:
                packet = self._read(kind, block[8:-4])
                if isinstance(packet, str):
                    self.stop = ReadStop(packet, start)
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
            return "block length"
        if kind == INTERFACE_BLOCK:
            if len(self.interfaces) >= MAX_INTERFACES:
                return "too many interfaces"
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
        """Section 4.4.

        No captured length of its own, so it is the least of the wire's, the snaplen and what is there.
        """
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


def _read_interface(order: str, body: bytes) -> InterfaceBlock:
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
    return InterfaceBlock(link, snaplen, units_per_second, offset_s * SECOND_NS)
