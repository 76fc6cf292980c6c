"""A DNS response (RFC 1035 section 4): the name that was asked, and the addresses in the answer.

Names of records are passed over, not followed, and so many records are looked at. docs/border.md, "DNS".
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.reference.vectors import ByteReader, CutError

HEADER_BYTES = 12  # before the question
MAX_ADDRESSES, MAX_RECORDS = 16, 64
MAX_NAME_BYTES, MAX_LABEL_BYTES = 255, 63  # RFC 1035 section 2.3.4
A, CNAME, AAAA, HTTPS, ANY = 1, 5, 28, 65, 255
ADDRESS_BYTES = {A: 4, AAAA: 16}
INTERNET = 1
#: QR, the kind of query, and RCODE; of a response without error QR alone is set.
JUDGED_FLAGS, RESPONSE = 0xF80F, 0x8000
POINTER = 0xC0


class AnswerFacts(NamedTuple):
    """The fields of the event `DnsAnswer` from its `name` to its `ttl_s`."""

    name: bytes
    addresses: tuple[bytes, ...]
    ttl_s: int


class _DnsRecord(NamedTuple):
    kind: int
    internet: bool
    ttl_s: int
    data: bytes

    def is_address(self) -> bool:
        return self.internet and ADDRESS_BYTES.get(self.kind) == len(self.data)


def read_dns(message: bytes) -> AnswerFacts | None:
    """What a response says; None of a query, an error, another kind of question, and without an address.

    Raises CutError where the message cannot be read.
    """
    rest = ByteReader(message)
    rest.take(2)
    flags, questions, answers = rest.number(2), rest.number(2), rest.number(2)
    rest.take(4)
    if flags & JUDGED_FLAGS != RESPONSE or questions != 1 or not answers:
        return None
    name = _read_question(rest)
    kind, of_class = rest.number(2), rest.number(2)
    if of_class != INTERNET or kind not in (A, AAAA, HTTPS, ANY):
        return None
    addresses: list[bytes] = []
    ttls_s: list[int] = []
    try:
        for _ in range(min(answers, MAX_RECORDS)):
            found = _read_record(rest)
            if found.is_address() or (found.internet and found.kind == CNAME):
                ttls_s.append(found.ttl_s)
            if found.is_address():
                addresses.append(found.data)
            if len(addresses) == MAX_ADDRESSES:
                break
    except CutError:
        if not addresses:
            raise
    return AnswerFacts(name, tuple(addresses), min(ttls_s)) if addresses else None


def _read_question(rest: ByteReader) -> bytes:
    """The name of the question, in which nothing is compressed. A label with a dot in it could be taken for two."""
    labels = []
    while label := rest.vector(1):
        labels.append(label)
        if len(label) > MAX_LABEL_BYTES or b"." in label or sum(map(len, labels)) + len(labels) + 1 > MAX_NAME_BYTES:
            raise CutError
    return b".".join(labels).lower()


def _pass_name(rest: ByteReader) -> None:
    """Labels up to an empty one, or up to a pointer, which is a name's end."""
    while length := rest.number(1):
        if length >= POINTER:
            rest.take(1)
            return
        if length > MAX_LABEL_BYTES:
            raise CutError
        rest.take(length)


def _read_record(rest: ByteReader) -> _DnsRecord:
    _pass_name(rest)
    kind, of_class, ttl_s = rest.number(2), rest.number(2), rest.number(4)
    # RFC 2181 section 8: with the first bit set it is 0.
    return _DnsRecord(kind, of_class == INTERNET, 0 if ttl_s >> 31 else ttl_s, rest.vector(2))
