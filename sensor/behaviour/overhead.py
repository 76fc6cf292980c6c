"""What encryption adds to the plaintext of a TLS record, by version and cipher suite.

A record's length, behind its header of 5 bytes, is plaintext and overhead. The mode of a suite is told by its number in
IANA's registry "TLS Cipher Suites"; what none of the lists below has is not known, and anything is possible.
"""

from __future__ import annotations

from typing import NamedTuple

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304
#: What a suite that is not known may add at most: RFC 5246 section 6.2.3 allows 2,048, but the suites in use stay under
#: a padding block and the longest digest (CBC with HMAC-SHA-384: 16 + 16 + 48).
MAX_OVERHEAD_BYTES = 80


class RecordOverhead(NamedTuple):
    """Bytes that encryption adds to a plaintext: the same number where both are equal."""

    low: int
    high: int


#: RFC 8446 section 5.2: the tag and one byte of content type (without padding, which no client in use adds). Suites of
#: CCM with a tag of 8 bytes: RFC 8446 appendix B.4.
TLS_1_3_OVERHEAD, TLS_1_3_CCM_8_OVERHEAD = RecordOverhead(17, 17), RecordOverhead(9, 9)
AES_128_CCM_8 = 0x1305
#: RFC 5288 section 3: an explicit nonce of 8 bytes and a tag of 16. RFC 7905 section 2: the tag alone.
GCM_OVERHEAD, CHACHA_OVERHEAD = RecordOverhead(24, 24), RecordOverhead(16, 16)
#: RFC 6655 sections 3 and 4: as GCM; a tag of 8 bytes.
CCM_OVERHEAD, CCM_8_OVERHEAD = RecordOverhead(24, 24), RecordOverhead(16, 16)
#: AES, ARIA and Camellia in GCM: RFC 5288, 5289, 5487, 6209, 6367, 8442.
GCM = frozenset((
    *range(0x009C, 0x00AE), *range(0xC02B, 0xC033), *range(0xC050, 0xC064), *range(0xC06A, 0xC070),
    *range(0xC07A, 0xC094), *range(0xD001, 0xD003),
))  # fmt: skip
CHACHA = frozenset(range(0xCCA8, 0xCCAF))
CCM = frozenset((0xC09C, 0xC09D, 0xC09E, 0xC09F, 0xC0A4, 0xC0A5, 0xC0A6, 0xC0A7, 0xC0AC, 0xC0AD, 0xD005))
CCM_8 = frozenset((0xC0A0, 0xC0A1, 0xC0A2, 0xC0A3, 0xC0A8, 0xC0A9, 0xC0AA, 0xC0AB, 0xC0AE, 0xC0AF, 0xD003))
#: RC4 adds its digest alone (RFC 5246 section 6.2.3.1): MD5 16, SHA-1 20.
RC4_MD5, RC4_SHA = frozenset((0x0004, 0x0018)), frozenset((0x0005, 0xC002, 0xC007, 0xC00C, 0xC011, 0xC016))
RC4_MD5_OVERHEAD, RC4_SHA_OVERHEAD = RecordOverhead(16, 16), RecordOverhead(20, 20)


class _BlockMode(NamedTuple):
    block: int
    digest: int


AES_SHA, AES_SHA256, AES_SHA384 = _BlockMode(16, 20), _BlockMode(16, 32), _BlockMode(16, 48)
TRIPLE_DES_SHA = _BlockMode(8, 20)
#: AES and Camellia in CBC: RFC 4132, 4279, 5054, 5246, 5289, 5487, 5489, 5932, 6367, 8422.
CBC_SHA = frozenset((
    *range(0x002F, 0x003B), *range(0x0041, 0x0047), *range(0x0084, 0x008A), 0x008C, 0x008D, 0x0090, 0x0091, 0x0094,
    0x0095, 0xC004, 0xC005, 0xC009, 0xC00A, 0xC00E, 0xC00F, 0xC013, 0xC014, 0xC018, 0xC019, *range(0xC01D, 0xC023),
    0xC035, 0xC036,
))  # fmt: skip
CBC_SHA256 = frozenset((
    *range(0x003C, 0x0041), *range(0x0067, 0x006E), 0x00AE, 0x00B2, 0x00B6, *range(0x00BA, 0x00C6),
    *range(0xC023, 0xC02B, 2), 0xC037, *range(0xC072, 0xC07A, 2), *range(0xC094, 0xC09C, 2),
))  # fmt: skip
CBC_SHA384 = frozenset((
    0x00AF, 0x00B3, 0x00B7, *range(0xC024, 0xC02B, 2), 0xC038, *range(0xC073, 0xC07A, 2), *range(0xC095, 0xC09C, 2),
))  # fmt: skip
CBC_TRIPLE_DES_SHA = frozenset((
    0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0x001B, 0x008B, 0x008F, 0x0093, 0xC003, 0xC008, 0xC00D, 0xC012, 0xC017,
    0xC01A, 0xC01B, 0xC01C, 0xC034,
))  # fmt: skip
CBC = {
    **dict.fromkeys(CBC_SHA, AES_SHA),
    **dict.fromkeys(CBC_SHA256, AES_SHA256),
    **dict.fromkeys(CBC_SHA384, AES_SHA384),
    **dict.fromkeys(CBC_TRIPLE_DES_SHA, TRIPLE_DES_SHA),
}


def overhead(version: int, cipher: int) -> RecordOverhead:
    """What the chosen version and cipher suite (`ServerHello`) add to each plaintext."""
    if version >= TLS_1_3:
        return TLS_1_3_CCM_8_OVERHEAD if cipher == AES_128_CCM_8 else TLS_1_3_OVERHEAD
    for suites, added in (
        (GCM, GCM_OVERHEAD),
        (CHACHA, CHACHA_OVERHEAD),
        (CCM, CCM_OVERHEAD),
        (CCM_8, CCM_8_OVERHEAD),
        (RC4_MD5, RC4_MD5_OVERHEAD),
        (RC4_SHA, RC4_SHA_OVERHEAD),
    ):
        if cipher in suites:
            return added
    mode = CBC.get(cipher)
    return RecordOverhead(0, MAX_OVERHEAD_BYTES) if mode is None else _cbc(version, mode)


def _cbc(version: int, mode: _BlockMode) -> RecordOverhead:
    """A digest, 1 to one block of padding and, from TLS 1.1 on, an initial vector of a block (RFC 5246 section
    6.2.3.2). Padding of more than a block is allowed, and not in use; with encrypt-then-MAC (RFC 7366) it is the same
    range.
    """
    vector = mode.block if version >= TLS_1_1 else 0
    return RecordOverhead(vector + mode.digest + 1, vector + mode.digest + mode.block)
