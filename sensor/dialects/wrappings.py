"""Wrappings are read past before anything else: SOCKS 4, 4a and 5, HTTP CONNECT, the PROXY header. What is inside is
another reader's.

Each is a function over the bytes of one direction from its start: how many belong to the wrapping, or that more are
needed, or that it is something else. Names the host asked for; user names and passwords are skipped, never kept.
Knows nothing of mining.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sensor.dialects.stream.message import DEFAULT_FRAMING, Read
from sensor.dialects.stream.reader import INSIDE, Left
from sensor.model.address import canonical_if_address, of_bytes
from sensor.model.text import endpoint_text, printable

#: A CONNECT request with credentials and cookies, or a refusal with its page; anything longer is not a wrapping worth
#: following.
MAX_WRAPPING_BYTES = 8_192
MAX_HOST = 255
#: The signature of a PROXY header of version 2 (HAProxy, proxy-protocol.txt, section 2.2).
PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"

#: More bytes are needed; this is something else.
MORE, OTHER = 0, -1


@dataclass(slots=True)
class Tunnel:
    """What both directions of one wrapping have shown."""

    name: str
    client: int  # the direction that asked
    host: str | None = None  # host:port as asked for
    source: str | None = None  # host:port the PROXY header says the connection comes from
    complete: bool = False  # the asking side was read to its end


Peel = Callable[[bytes, Tunnel], int]


class Peeler:
    """The reader of one direction of a wrapping: yields nothing, and leaves what is inside."""

    __slots__ = ("_asking", "_buffer", "_peel", "_start", "_tunnel", "left")

    def __init__(self, peel: Peel, tunnel: Tunnel, asking: bool, start: int) -> None:
        self._peel = peel
        self._tunnel = tunnel
        self._asking = asking
        self._start = start
        self._buffer = bytearray()
        self.left: Left | None = None

    def feed(self, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterator[Read]:  # noqa: ARG002 (what every reader is given)
        """Take bytes until the wrapping is over; a hole in it, or bytes that are no wrapping, leave for JSON lines."""
        if gap:
            self.left = Left(DEFAULT_FRAMING, offset, data)
            return iter(())
        self._buffer += data
        taken = self._peel(bytes(self._buffer), self._tunnel)
        if taken > 0:
            self._tunnel.complete = self._tunnel.complete or self._asking
            self.left = Left(INSIDE, self._start + taken, bytes(self._buffer[taken:]))
        elif taken == OTHER or len(self._buffer) > MAX_WRAPPING_BYTES:
            self.left = Left(DEFAULT_FRAMING, self._start, bytes(self._buffer))
        return iter(())

    def finish(self) -> Iterator[Read]:
        """Nothing is left of a wrapping."""
        return iter(())


def peeler(tunnel: Tunnel, direction: int, start: int) -> Peeler | None:
    """The reader of a direction of this wrapping; None where that direction has nothing of it."""
    asking = direction == tunnel.client
    wrapping = WRAPPINGS[tunnel.name]
    peel = wrapping.asks if asking else wrapping.answers
    return Peeler(peel, tunnel, asking, start) if peel is not None else None


def place(host: str, port: int) -> str:
    """host:port of a host name or address that someone asked for: cut, without blanks and what does not print; an
    address in the form that records have."""
    return endpoint_text(canonical_if_address(printable(host[:MAX_HOST]).replace(" ", "")), port)


def _socks5_address(data: bytes, at: int) -> tuple[int, str] | int:
    """RFC 1928 section 5, from ATYP on: the end, and host:port."""
    if len(data) < at + 2:
        return MORE
    sizes = {1: 4, 4: 16, 3: data[at + 1]}
    if data[at] not in sizes:
        return OTHER
    first = at + (2 if data[at] == 3 else 1)
    end = first + sizes[data[at]]
    if len(data) < end + 2:
        return MORE
    raw = data[first:end]
    host = raw.decode("ascii", "replace") if data[at] == 3 else of_bytes(raw)
    return end + 2, place(host, int.from_bytes(data[end : end + 2], "big"))


def _socks5_asks(data: bytes, tunnel: Tunnel) -> int:
    """RFC 1928 sections 3 and 4: methods, then (RFC 1929) user and password, then the request to connect."""
    if len(data) < 2 or len(data) < 2 + data[1]:
        return MORE
    at = 2 + data[1]
    if data[at : at + 1] == b"\x01":  # user name and password, each with its length
        if len(data) < at + 2 or len(data) < at + 3 + data[at + 1]:
            return MORE
        at += 3 + data[at + 1] + data[at + 2 + data[at + 1]]
    if len(data) < at + 4:
        return OTHER if data[at : at + 1] not in (b"", b"\x05") else MORE
    if data[at : at + 3] != b"\x05\x01\x00":
        return OTHER
    found = _socks5_address(data, at + 3)
    if isinstance(found, int):
        return found
    tunnel.host = found[1]
    return found[0]


def _socks5_answers(data: bytes, _tunnel: Tunnel) -> int:
    """The method chosen, the verdict on the password, the reply with the bound address."""
    if data[:1] != b"\x05" or (len(data) > 1 and data[1] not in (0, 2)):
        return OTHER
    at = 2
    if len(data) > 1 and data[1] == 2:
        if data[2:3] not in (b"", b"\x01"):
            return OTHER
        at = 4
    if len(data) < at + 4:
        return MORE
    if data[at] != 5 or data[at + 2] != 0:
        return OTHER
    found = _socks5_address(data, at + 3)
    return found if isinstance(found, int) else found[0]


def _socks4_asks(data: bytes, tunnel: Tunnel) -> int:
    """Version 4, connect, port, address, user name; an address 0.0.0.x means that a host name follows (4a)."""
    if len(data) < 9:
        return MORE
    end = data.find(b"\0", 8)
    if end < 0:
        return MORE if len(data) < 8 + 256 else OTHER
    host = of_bytes(data[4:8])
    if data[4:7] == b"\0\0\0" and data[7]:
        first, end = end + 1, data.find(b"\0", end + 1)
        if end < 0:
            return MORE if len(data) < first + 256 else OTHER
        host = data[first:end].decode("ascii", "replace")
    tunnel.host = place(host, int.from_bytes(data[2:4], "big"))
    return end + 1


def _socks4_answers(data: bytes, _tunnel: Tunnel) -> int:
    if data[:1] != b"\0" or (len(data) > 1 and not 0x5A <= data[1] <= 0x5D):
        return OTHER
    return 8 if len(data) >= 8 else MORE


_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONNECT = re.compile(rb"CONNECT (\[[0-9A-Fa-f:.]+\]|[^\s:/]{1,255}):(\d{1,5}) HTTP/1\.[01]\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[^\n]*\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n", re.IGNORECASE)


def _connect_asks(data: bytes, tunnel: Tunnel) -> int:
    """RFC 9110 section 9.3.6: the request's head; a body it cannot have."""
    found = _HEAD_END.search(data)
    if found is None:
        return MORE
    asked = _CONNECT.match(data)
    if asked is None:
        return OTHER
    tunnel.host = place(asked[1].decode("ascii", "replace").strip("[]"), int(asked[2]))
    return found.end()


def _connect_answers(data: bytes, _tunnel: Tunnel) -> int:
    """A 2xx has no body; a refusal (407, then the client asks again) has one of the length it states."""
    if not data.startswith(b"HTTP/1."[: len(data)]):
        return OTHER
    found = _HEAD_END.search(data)
    if found is None:
        return MORE
    status = _STATUS.match(data)
    if status is None:
        return OTHER
    length = _LENGTH.search(data, 0, found.end())
    end = found.end() + (int(length[1]) if length and not status[1].startswith(b"2") else 0)
    return end if len(data) >= end else MORE


def _proxy_v1(data: bytes, tunnel: Tunnel) -> int:
    """The PROXY protocol of HAProxy, version 1: one line of at most 107 bytes."""
    end = data.find(b"\r\n")
    if end < 0:
        return MORE if len(data) < 107 else OTHER
    parts = data[:end].decode("ascii", "replace").split(" ")
    if len(parts) == 6 and parts[1] in ("TCP4", "TCP6") and parts[4].isdecimal() and parts[5].isdecimal():
        tunnel.source, tunnel.host = place(parts[2], int(parts[4]) & 0xFFFF), place(parts[3], int(parts[5]) & 0xFFFF)
    elif parts[1:2] != ["UNKNOWN"]:
        return OTHER
    return end + 2


def _proxy_v2(data: bytes, tunnel: Tunnel) -> int:
    """Version 2: signature, version and command, family, length, both addresses, and extensions, which are skipped."""
    if len(data) < 16:
        return MORE
    end = 16 + int.from_bytes(data[14:16], "big")
    if data[12] >> 4 != 2 or data[12] & 15 > 1:
        return OTHER
    if len(data) < end:
        return MORE
    size = {1: 4, 2: 16}.get(data[13] >> 4, 0)
    if data[12] & 15 == 1 and size and end >= 16 + 2 * size + 4:
        ports = 16 + 2 * size
        tunnel.source = place(of_bytes(data[16 : 16 + size]), int.from_bytes(data[ports : ports + 2], "big"))
        tunnel.host = place(of_bytes(data[16 + size : ports]), int.from_bytes(data[ports + 2 : ports + 4], "big"))
    return end


@dataclass(frozen=True, slots=True)
class Wrapping:
    """One kind of wrapping: how it begins, and how each side's part of it is read past."""

    name: str
    start: re.Pattern[bytes]  # matches the first bytes of a stream
    start_bytes: bytes  # with which such a stream can begin
    asks: Peel
    answers: Peel | None = None  # None: the other side sends nothing of it


_SOCKS5_METHODS = rb"\x01[\0-\x09]|\x02[\0-\x09]{2}|\x03[\0-\x09]{3}|\x04[\0-\x09]{4}|[\x05-\x08][\0-\x09]{5}"
WRAPPINGS = {
    wrapping.name: wrapping
    for wrapping in (
        Wrapping("proxy-v2", re.compile(re.escape(PROXY_V2)), b"\r", _proxy_v2),
        Wrapping("proxy-v1", re.compile(rb"PROXY (?:TCP4|TCP6|UNKNOWN)"), b"P", _proxy_v1),
        Wrapping("http-connect", re.compile(rb"CONNECT "), b"C", _connect_asks, _connect_answers),
        Wrapping("socks5", re.compile(rb"\x05(?:" + _SOCKS5_METHODS + rb")"), b"\x05", _socks5_asks, _socks5_answers),
        Wrapping("socks4", re.compile(rb"\x04\x01[\s\S]{2}[\s\S]{4}"), b"\x04", _socks4_asks, _socks4_answers),
    )
}
