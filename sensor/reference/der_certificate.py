"""An X.509 certificate (RFC 5280) in DER, as far as it says whose it is and how long. Nothing is verified; what cannot
be read is None.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.reference.vectors import ByteReader, CutError

INTEGER, OCTETS, OID, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
VERSION, EXTENSIONS, DNS_NAME = 0xA0, 0xA3, 0x82
ALTERNATIVE_NAMES = bytes.fromhex("551d11")  # 2.5.29.17
#: The attribute types that are written, by their last number below 2.5.4 (RFC 5280 appendix A).
ATTRIBUTES = {3: b"CN", 6: b"C", 7: b"L", 8: b"ST", 10: b"O", 11: b"OU"}
MAX_NAMES, MAX_VALUE_BYTES, MAX_DISTINGUISHED_BYTES = 16, 255, 1_024
MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
EPOCH_DAYS = 719_527  # from 0000-01-01 of the Gregorian calendar to 1970-01-01, counted as `_days_before` does


class CertificateFacts(NamedTuple):
    """The fields of the event `ServerCertificate` from its `names` on."""

    names: tuple[bytes, ...]
    subject: bytes
    issuer: bytes
    self_signed: bool
    not_before_s: int
    not_after_s: int


def read_certificate(der: bytes) -> CertificateFacts | None:
    try:
        return _read(der)
    except CutError:
        return None


def _read(der: bytes) -> CertificateFacts:
    whole = ByteReader(_expect(ByteReader(der), SEQUENCE))
    fields = ByteReader(_expect(whole, SEQUENCE))
    tag, _ = _element(fields)
    if tag == VERSION:
        _expect(fields, INTEGER)
    elif tag != INTEGER:
        raise CutError
    _expect(fields, SEQUENCE)  # the signature's algorithm
    issuer = _expect(fields, SEQUENCE)
    validity = ByteReader(_expect(fields, SEQUENCE))
    not_before_s, not_after_s = _time(validity), _time(validity)
    subject = _expect(fields, SEQUENCE)
    _expect(fields, SEQUENCE)  # the key
    names: list[bytes] = []
    while fields:
        tag, content = _element(fields)
        if tag == EXTENSIONS:
            names = _alternative_names(content)
    return CertificateFacts(
        tuple(names), _distinguished(subject), _distinguished(issuer), subject == issuer, not_before_s, not_after_s
    )


def _element(source: ByteReader) -> tuple[int, bytes]:
    """The next element's tag and content. Tags of several bytes and lengths of other forms are refused."""
    tag, length = source.number(1), source.number(1)
    if tag & 0x1F == 0x1F or length == 0x80 or length > 0x83:
        raise CutError
    if length > 0x80:
        length = source.number(length - 0x80)
    return tag, source.take(length)


def _expect(source: ByteReader, tag: int) -> bytes:
    found, content = _element(source)
    if found != tag:
        raise CutError
    return content


def _alternative_names(content: bytes) -> list[bytes]:
    extensions = ByteReader(_expect(ByteReader(content), SEQUENCE))
    names: list[bytes] = []
    while extensions:
        extension = ByteReader(_expect(extensions, SEQUENCE))
        kind = _expect(extension, OID)
        tag, value = _element(extension)
        if tag != OCTETS:
            value = _expect(extension, OCTETS)  # after "critical"
        if kind != ALTERNATIVE_NAMES:
            continue
        entries = ByteReader(_expect(ByteReader(value), SEQUENCE))
        while entries:
            tag, name = _element(entries)
            if tag == DNS_NAME and 1 <= len(name) <= MAX_VALUE_BYTES and len(names) < MAX_NAMES:
                names.append(name)
    return names


def _distinguished(content: bytes) -> bytes:
    sets, parts = ByteReader(content), []
    while sets:
        members = ByteReader(_expect(sets, SET))
        while members:
            pair = ByteReader(_expect(members, SEQUENCE))
            oid = _expect(pair, OID)
            _, value = _element(pair)
            if len(oid) == 3 and oid[:2] == b"\x55\x04" and oid[2] in ATTRIBUTES:
                parts.append(ATTRIBUTES[oid[2]] + b"=" + value[:MAX_VALUE_BYTES])
    return b",".join(parts)[:MAX_DISTINGUISHED_BYTES]


def _time(source: ByteReader) -> int:
    """UTCTime or GeneralizedTime in the form of RFC 5280 section 4.1.2.5, in seconds since the epoch."""
    tag, text = _element(source)
    digits = text[:-1]
    if text[-1:] != b"Z" or not digits.isdigit():
        raise CutError
    if tag == UTC_TIME and len(digits) == 12:
        digits = (b"20" if digits < b"50" else b"19") + digits
    elif tag != GENERALIZED_TIME or len(digits) != 14:
        raise CutError
    year = int(digits[:4])
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    fits = 1 <= month <= 12 and 1 <= day <= _days_in(year, month)
    if not fits or hour > 23 or minute > 59 or second > 59:
        raise CutError
    return (_days_before(year, month) + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second


def _days_in(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return MONTH_DAYS[month - 1] + (month == 2 and is_leap)


def _days_before(year: int, month: int) -> int:
    """Days from 1970-01-01 to the first of a month."""
    before = year - 1
    years = 365 * year + before // 4 - before // 100 + before // 400
    return years + sum(_days_in(year, passed) for passed in range(1, month)) - EPOCH_DAYS
