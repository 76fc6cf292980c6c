"""TLS sessions made byte by byte for the tests of the cores: records, hellos, certificates, and their packets."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from tests.core.captures import SECOND, SYN, T0, Packet, Talk

ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 21, 20, 22, 23
TLS_1_2, TLS_1_3 = 0x0303, 0x0304
AES_128_GCM, ECDHE_RSA_AES_128_GCM = 0x1301, 0xC02F


def vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width, "big") + data


def numbers(values: Iterable[int]) -> bytes:
    return b"".join(struct.pack(">H", value) for value in values)


def record(kind: int, body: bytes, version: int = TLS_1_2) -> bytes:
    return struct.pack(">BHH", kind, version, len(body)) + body


def sealed(length: int, kind: int = APPLICATION_DATA) -> bytes:
    """A record whose bytes look like no header."""
    return record(kind, b"\xe7" * length)


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(3, body)


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack(">H", kind) + vector(2, data)


def client_hello(
    *,
    sni: bytes | None = b"pool.example",
    alpn: Sequence[bytes] = (b"h2", b"http/1.1"),
    versions: Sequence[int] = (TLS_1_3, TLS_1_2),
    ciphers: Sequence[int] = (AES_128_GCM, ECDHE_RSA_AES_128_GCM),
    more: Sequence[bytes] = (),
) -> bytes:
    extensions = list(more)
    if sni is not None:
        extensions.append(extension(0, vector(2, b"\0" + vector(2, sni))))
    if alpn:
        extensions.append(extension(16, vector(2, b"".join(vector(1, name) for name in alpn))))
    if versions:
        extensions.append(extension(43, vector(1, numbers(versions))))
    extensions.append(extension(10, vector(2, numbers([29, 23]))))
    extensions.append(extension(13, vector(2, numbers([0x0403, 0x0804]))))
    body = struct.pack(">H", TLS_1_2) + bytes(32) + vector(1, b"") + vector(2, numbers(ciphers)) + b"\x01\0"
    return message(1, body + vector(2, b"".join(extensions)))


def server_hello(
    version: int = TLS_1_3, cipher: int = AES_128_GCM, *, random: bytes = bytes(32), alpn: bytes = b""
) -> bytes:
    extensions = b""
    if version > TLS_1_2:
        extensions += extension(43, struct.pack(">H", version))
    if alpn:
        extensions += extension(16, vector(2, vector(1, alpn)))
    body = struct.pack(">H", min(version, TLS_1_2)) + random + vector(1, b"") + struct.pack(">HB", cipher, 0)
    return message(2, body + (vector(2, extensions) if extensions else b""))


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    width = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 + width]) + len(content).to_bytes(width, "big") + content


def distinguished(*attributes: tuple[int, bytes]) -> bytes:
    pairs = (der(0x31, der(0x30, der(6, b"\x55\x04" + bytes([kind])), der(0x0C, value))) for kind, value in attributes)
    return der(0x30, *pairs)


def certificate(
    *,
    names: Sequence[bytes] = (b"pool.example", b"*.pool.example"),
    subject: bytes = distinguished((10, b"Pool Ltd"), (3, b"pool.example")),
    issuer: bytes = distinguished((6, b"NO"), (3, b"An Authority")),
    validity: tuple[bytes, bytes] = (b"240101000000Z", b"491231235959Z"),
) -> bytes:
    alternative = der(0x30, *(der(0x82, name) for name in names))
    extensions = der(0x30, der(0x30, der(6, b"\x55\x1d\x11"), der(1, b"\xff"), der(4, alternative)))
    algorithm = der(0x30, der(6, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"))
    times = der(0x30, *(der(0x17 if len(text) == 13 else 0x18, text) for text in validity))
    fields = [der(0xA0, der(2, b"\2")), der(2, b"\x55"), algorithm, issuer, times, subject, der(0x30, algorithm)]
    return der(0x30, der(0x30, *fields, der(0xA3, extensions)), algorithm, der(3, bytes(65)))


def certificate_message(*chain: bytes) -> bytes:
    return message(11, vector(3, b"".join(vector(3, found) for found in chain)))


#: TLS 1.3: hello, answer with the encrypted part of the handshake, the client's Finished.
OPENING_1_3: tuple[tuple[int, bytes], ...] = (
    (0, record(HANDSHAKE, client_hello(), 0x0301)),
    (1, record(HANDSHAKE, server_hello()) + record(CHANGE_CIPHER_SPEC, b"\1") + sealed(900)),
    (0, record(CHANGE_CIPHER_SPEC, b"\1") + sealed(53)),
)
OPENING_1_2: tuple[tuple[int, bytes], ...] = (
    (0, record(HANDSHAKE, client_hello(versions=()), 0x0301)),
    (
        1,
        record(HANDSHAKE, server_hello(TLS_1_2, ECDHE_RSA_AES_128_GCM, alpn=b"h2"))
        + record(HANDSHAKE, certificate_message(certificate(), certificate()))
        + record(HANDSHAKE, message(12, bytes(300)) + message(14, b"")),
    ),
    (0, record(HANDSHAKE, message(16, bytes(65))) + record(CHANGE_CIPHER_SPEC, b"\1") + sealed(40, HANDSHAKE)),
    (1, record(CHANGE_CIPHER_SPEC, b"\1") + sealed(40, HANDSHAKE)),
)

#: (seconds since the start, direction, bytes)
Turn = tuple[float, int, bytes]


def opening(flights: Iterable[tuple[int, bytes]] = OPENING_1_3) -> list[Turn]:
    return [(0.1 * number, direction, data) for number, (direction, data) in enumerate(flights)]


def packets(turns: Iterable[Turn], *, talk: Talk | None = None, syn: bool = True, size: int = 1_400) -> list[Packet]:
    """What both sides turns, cut into segments; with the handshake of TCP before it."""
    talk, sent = talk or Talk(), [0, 0]
    found = []
    if syn:
        found = [(T0 - SECOND, talk.data(0, -1, b"", flags=SYN)), (T0 - SECOND, talk.data(1, -1, b"", flags=0x12))]
    for at_s, direction, data in turns:
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            frame = talk.data(direction, sent[direction], piece, acked=sent[1 - direction])
            found.append((T0 + int(at_s * SECOND), frame))
            sent[direction] += len(piece)
    return found
