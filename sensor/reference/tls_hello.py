"""ClientHello and ServerHello (RFC 8446 section 4.1; RFC 5246 section 7.4.1), without their headers, and the
fingerprints of the former.

A hello that cannot be read is None. How strict: docs/border.md, "Encrypted sessions".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from sensor.reference.vectors import ByteReader, CutError, numbers

MAX_LISTED = 16  # protocols and versions of a hello that are handed on
MAX_NAME_BYTES = 255
SEALED_HELLO, OUTER = 0xFE0D, 0  # encrypted_client_hello (RFC 9849 section 5), in its outer form
SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES, ALPN, VERSIONS = 0, 10, 11, 13, 16, 43
#: The random of a ServerHello that is a HelloRetryRequest: RFC 8446 section 4.1.3.
RETRY_RANDOM = hashlib.sha256(b"HelloRetryRequest").digest()
#: JA4's names of versions.
VERSION_CODES = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}
NOTHING = "0" * 12

Extensions = list[tuple[int, bytes]]
T = TypeVar("T")


@dataclass(slots=True)
class ClientOffer:
    """What a ClientHello offers, in the order of the message, GREASE left out."""

    version: int
    ciphers: list[int]
    extensions: list[int]
    groups: list[int]
    point_formats: list[int]
    signatures: list[int]
    versions: list[int]
    alpn: list[bytes]
    sni: bytes
    ech: bool


class ClientFacts(NamedTuple):
    """The fields of the event `ClientHello` from its `sni` on, and one more."""

    sni: bytes
    alpn: tuple[bytes, ...]
    versions: tuple[int, ...]
    ciphers: int
    ja3: str
    ja4: str
    length: int
    ech: bool  # another hello is sealed in it


class ServerFacts(NamedTuple):
    version: int
    cipher: int
    alpn: bytes
    retry: bool  # a HelloRetryRequest


def read_client_hello(body: bytes, *, over_quic: bool = False) -> ClientFacts | None:
    try:
        offer = _read_offer(body)
    except CutError:
        return None
    return ClientFacts(
        offer.sni,
        tuple(offer.alpn[:MAX_LISTED]),
        tuple((offer.versions or [offer.version])[:MAX_LISTED]),
        len(offer.ciphers),
        ja3(offer),
        ja4(offer, over_quic=over_quic),
        len(body) + 4,
        offer.ech,
    )


def read_server_hello(body: bytes) -> ServerFacts | None:
    rest = ByteReader(body)
    try:
        version = rest.number(2)
        retry = rest.take(32) == RETRY_RANDOM
        _read_session_id(rest)
        cipher = rest.number(2)
        rest.take(1)
        extensions = _read_extensions(rest)
    except CutError:
        return None
    chosen = _first(extensions, VERSIONS, _read_chosen_version, version)
    alpn = _first(extensions, ALPN, lambda data: next(iter(_read_protocols(data)), b""), b"")
    return ServerFacts(chosen, cipher, alpn, retry)


def _read_offer(body: bytes) -> ClientOffer:
    rest = ByteReader(body)
    version = rest.number(2)
    rest.take(32)
    _read_session_id(rest)
    ciphers = numbers(rest.vector(2))
    if not ciphers or not rest.vector(1):
        raise CutError
    extensions = _read_extensions(rest)

    def listed(kind: int, width: int) -> list[int]:
        return _without_grease(_first(extensions, kind, lambda data: numbers(data.last_vector(width)), []))

    return ClientOffer(
        version=version,
        ciphers=_without_grease(ciphers),
        extensions=_without_grease(kind for kind, _ in extensions),
        groups=listed(GROUPS, 2),
        point_formats=_first(extensions, POINT_FORMATS, lambda data: list(data.last_vector(1)), []),
        signatures=listed(SIGNATURES, 2),
        versions=listed(VERSIONS, 1),
        alpn=_first(extensions, ALPN, _read_protocols, []),
        sni=_first(extensions, SERVER_NAME, _read_server_name, b""),
        ech=_first(extensions, SEALED_HELLO, _is_sealed_hello, False),
    )


def _read_session_id(rest: ByteReader) -> None:
    if len(rest.vector(1)) > 32:
        raise CutError


def _read_extensions(rest: ByteReader) -> Extensions:
    """All of them in order; they have to fill their block, and the block the rest of the message."""
    if not rest:
        return []
    block = ByteReader(rest.last_vector(2))
    found = []
    while block:
        found.append((block.number(2), block.vector(2)))
    return found


def _first(extensions: Extensions, kind: int, read: Callable[[ByteReader], T], otherwise: T) -> T:
    """The first extension of a kind, where it has its form."""
    for found, data in extensions:
        if found == kind:
            try:
                return read(ByteReader(data))
            except CutError:
                break
    return otherwise


def _read_server_name(data: ByteReader) -> bytes:
    entries = ByteReader(data.last_vector(2))
    names = []
    while entries:
        kind, value = entries.number(1), entries.vector(2)
        if kind == 0:
            names.append(value)
    return names[0] if names and len(names[0]) <= MAX_NAME_BYTES else b""


def _read_protocols(data: ByteReader) -> list[bytes]:
    entries = ByteReader(data.last_vector(2))
    found = []
    while entries:
        found.append(entries.vector(1))
    if not all(found):
        raise CutError
    return found


def _is_sealed_hello(data: ByteReader) -> bool:
    """A suite of two numbers, a key's number, the key, and the sealed hello."""
    is_outer = data.number(1) == OUTER
    data.take(5)
    data.vector(2)
    return bool(data.last_vector(2)) and is_outer


def _read_chosen_version(data: ByteReader) -> int:
    version = data.number(2)
    if data:
        raise CutError
    return version


def _without_grease(values: Iterable[int]) -> list[int]:
    """RFC 8701: 0x0a0a, 0x1a1a .. 0xfafa."""
    return [value for value in values if value & 0x0F0F != 0x0A0A or value >> 8 != value & 0xFF]


def ja3(offer: ClientOffer) -> str:
    """The MD5 of version, cipher suites, extensions, groups and point formats (Salesforce, BSD licence)."""
    lists = (offer.ciphers, offer.extensions, offer.groups, offer.point_formats)
    text = ",".join([str(offer.version), *("-".join(map(str, values)) for values in lists)])
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def ja4(offer: ClientOffer, *, over_quic: bool = False) -> str:
    """FoxIO's JA4 of a TLS client over TCP or QUIC (the client's part has the BSD licence)."""
    ciphers = sorted(offer.ciphers)
    extensions = sorted(kind for kind in offer.extensions if kind not in (SERVER_NAME, ALPN))
    text = _in_hex(extensions) + ("_" + _in_hex(offer.signatures) if offer.signatures else "")
    return "".join((
        "q" if over_quic else "t",
        VERSION_CODES.get(max(offer.versions, default=offer.version), "00"),
        "d" if SERVER_NAME in offer.extensions else "i",
        f"{min(len(ciphers), 99):02}{min(len(offer.extensions), 99):02}",
        _protocol_code(offer.alpn),
        "_" + (_digest(_in_hex(ciphers)) if ciphers else NOTHING),
        "_" + (_digest(text) if extensions else NOTHING),
    ))  # fmt: skip


def _in_hex(values: list[int]) -> str:
    return ",".join(f"{value:04x}" for value in values)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _protocol_code(alpn: list[bytes]) -> str:
    """First and last character of the first protocol; of its hex digits where one of its ends is no letter or digit."""
    if not alpn:
        return "00"
    name = alpn[0]
    if name[:1].isalnum() and name[-1:].isalnum():
        return (name[:1] + name[-1:]).decode("ascii")
    return name.hex()[0] + name.hex()[-1]
