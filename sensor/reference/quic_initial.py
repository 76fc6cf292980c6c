"""QUIC's Initial packets of a client, versions 1 (RFC 9000, RFC 9001) and 2 (RFC 9369): opened, for their keys derive
from what they say in clear, and the CRYPTO frames in them put together until the ClientHello is whole.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from sensor.reference.aes_gcm import Aes128, unseal
from sensor.reference.vectors import ByteReader, CutError

#: A client's Initial is in a datagram of at least so many bytes (RFC 9000 section 14.1); names have at most 20, the
#: first that a client makes up for its server at least 8 (sections 17.2 and 7.2).
MIN_DATAGRAM_BYTES, MIN_NAME_BYTES, MAX_NAME_BYTES = 1_200, 8, 20
SAMPLE_AT, SAMPLE_BYTES = 4, 16  # RFC 9001 section 5.4.2
MAX_HELLO_BYTES = 4_096
CLIENT_HELLO = 1
#: Frames of an Initial (RFC 9000 section 12.4).
PADDING, PING, ACK, ACK_ECN, CRYPTO, CLOSE = 0, 1, 2, 3, 6, 0x1C


class QuicVersion(NamedTuple):
    """What a version has of its own: the bits of an Initial's first byte, its salt, its labels' beginning."""

    first: int
    salt: bytes
    label: str


VERSIONS = {
    1: QuicVersion(0xC0, bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), "quic "),
    0x6B3343CF: QuicVersion(0xD0, bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), "quicv2 "),
}


class InitialKeys(NamedTuple):
    key: bytes
    iv: bytes
    header: bytes


class InitialPacket(NamedTuple):
    """A packet that is not opened yet."""

    version: int
    server_name: bytes  # the connection id that the keys derive from
    number_at: int
    data: bytes  # from its first byte to its last


def _expand(secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label of RFC 8446 section 7.1, of at most one digest."""
    name = b"tls13 " + label.encode()
    text = size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
    return hmac.digest(secret, text + b"\1", "sha256")[:size]


def derive_keys(version: int, server_name: bytes) -> InitialKeys:
    """The client's (RFC 9001 section 5.2)."""
    own = VERSIONS[version]
    initial = hmac.digest(own.salt, server_name, "sha256")
    secret = _expand(initial, "client in", hashlib.sha256().digest_size)
    sizes = {"key": 16, "iv": 12, "hp": 16}
    return InitialKeys(*(_expand(secret, own.label + label, size) for label, size in sizes.items()))


def _number(rest: ByteReader) -> int:
    """A number of 1, 2, 4 or 8 bytes (RFC 9000 section 16)."""
    first = rest.number(1)
    more = (1 << (first >> 6)) - 1
    return (first & 0x3F) << 8 * more | rest.number(more)


def find_initial(datagram: bytes) -> InitialPacket | None:
    """The packet that a datagram begins with, if it is an Initial as a client sends them."""
    rest = ByteReader(datagram)
    try:
        first, version = rest.number(1), rest.number(4)
        if version not in VERSIONS or first & 0xF0 != VERSIONS[version].first:
            return None
        server_name = rest.vector(1)
        client_name = rest.vector(1)
        rest.take(_number(rest))  # a token
        length = _number(rest)
        number_at = rest.at
        rest.take(length)
    except CutError:
        return None
    fits = max(len(server_name), len(client_name)) <= MAX_NAME_BYTES and length >= SAMPLE_AT + SAMPLE_BYTES
    return InitialPacket(version, server_name, number_at, datagram[: number_at + length]) if fits else None


def open_initial(packet: InitialPacket, keys: InitialKeys) -> bytes | None:
    """The frames in a packet; None if it is sealed by other keys."""
    data, at = packet.data, packet.number_at
    mask = Aes128(keys.header).encrypt(data[at + SAMPLE_AT : at + SAMPLE_AT + SAMPLE_BYTES])
    first = data[0] ^ mask[0] & 0x0F
    size = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(data[at : at + size], mask[1:], strict=False))
    header = bytes([first]) + data[1:at] + number
    nonce = int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")
    return unseal(keys.key, nonce.to_bytes(len(keys.iv), "big"), header, data[at + size :])


class CryptoStream:
    """The bytes of CRYPTO frames, in order as far as they go."""

    def __init__(self) -> None:
        self._bytes: dict[int, int] = {}  # by offset; the first counts

    def take(self, frames: bytes) -> None:
        """Take the frames of a packet. Raises CutError where they cannot be read, or are too many."""
        rest = ByteReader(frames)
        while rest:
            kind = _number(rest)
            if kind == CRYPTO:
                self._add(_number(rest), rest.take(_number(rest)))
            elif kind in (ACK, ACK_ECN):
                _pass_acknowledgement(rest, kind)
            elif kind not in (PADDING, PING):
                raise CutError

    def _add(self, offset: int, data: bytes) -> None:
        if offset + len(data) > MAX_HELLO_BYTES:
            raise CutError
        for at, byte in enumerate(data, offset):
            self._bytes.setdefault(at, byte)

    def hello(self) -> bytes | None:
        """The body of the ClientHello, once it is whole. Raises CutError if it will never be."""
        head = self._read(0, 4)
        if head and head[0] != CLIENT_HELLO:
            raise CutError
        if len(head) < 4:
            return None
        length = int.from_bytes(head[1:], "big")
        if 4 + length > MAX_HELLO_BYTES:
            raise CutError
        body = self._read(4, length)
        return body if len(body) == length else None

    def _read(self, start: int, length: int) -> bytes:
        found = bytearray()
        for at in range(start, start + length):
            if at not in self._bytes:
                break
            found.append(self._bytes[at])
        return bytes(found)


def _pass_acknowledgement(rest: ByteReader, kind: int) -> None:
    """RFC 9000 section 19.3: the largest, its delay, further ranges, the first range; then two numbers each."""
    _number(rest)
    _number(rest)
    ranges = _number(rest)
    _number(rest)
    for _ in range(2 * ranges + (3 if kind == ACK_ECN else 0)):
        _number(rest)
