"""AES-128 (FIPS 197) and its mode GCM (NIST SP 800-38D), as far as opening what was sealed needs them.

Slow and short: for the first packets of QUIC, whose keys are public. It is not for keys that are secret.
"""

from __future__ import annotations

from collections.abc import Iterator

BLOCK_BYTES = TAG_BYTES = 16
ROUNDS = 10
#: x^128 + x^7 + x^2 + x + 1, its bits in GCM's order (SP 800-38D section 6.3).
REDUCTION = 0xE1 << 120


def _double(byte: int) -> int:
    """Times x in the field of AES (FIPS 197 section 4.2)."""
    return (byte << 1 ^ (0x1B if byte & 0x80 else 0)) & 0xFF


def _substitutions() -> bytes:
    """The S-box: the inverse in the field, then an affine map (FIPS 197 section 5.1.1)."""
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value ^= _double(value)  # times x + 1, whose powers are all but 0
    inverses = {power: powers[-number % 255] for number, power in enumerate(powers)} | {0: 0}
    box = []
    for byte in range(256):
        mixed = 0x63
        for shift in range(5):
            mixed ^= inverses[byte] << shift | inverses[byte] >> 8 - shift
        box.append(mixed & 0xFF)
    return bytes(box)


BOX = _substitutions()
#: Where each byte of a state comes from when its rows are shifted (FIPS 197 section 5.1.2).
SHIFTED = [(column * 4 + row * 5) % 16 for column in range(4) for row in range(4)]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


class Aes128:
    """A key, with the keys of its rounds (FIPS 197 section 5.2)."""

    def __init__(self, key: bytes) -> None:
        schedule = [key[at : at + 4] for at in range(0, BLOCK_BYTES, 4)]
        constant = 1
        while len(schedule) < 4 * (ROUNDS + 1):
            last = schedule[-1]
            if len(schedule) % 4 == 0:
                last = _xor(bytes(BOX[byte] for byte in last[1:] + last[:1]), bytes([constant, 0, 0, 0]))
                constant = _double(constant)
            schedule.append(_xor(schedule[-4], last))
        self._rounds = [b"".join(schedule[at : at + 4]) for at in range(0, len(schedule), 4)]

    def encrypt(self, block: bytes) -> bytes:
        """One block."""
        state = _xor(block, self._rounds[0])
        for number in range(1, ROUNDS + 1):
            state = bytes(BOX[state[at]] for at in SHIFTED)
            state = _xor(state if number == ROUNDS else _mix(state), self._rounds[number])
        return state


def _mix(state: bytes) -> bytes:
    """The columns mixed (FIPS 197 section 5.1.3)."""
    mixed = []
    for start in range(0, BLOCK_BYTES, 4):
        column = state[start : start + 4]
        whole = column[0] ^ column[1] ^ column[2] ^ column[3]
        mixed += [column[at] ^ whole ^ _double(column[at] ^ column[(at + 1) % 4]) for at in range(4)]
    return bytes(mixed)


def _blocks(data: bytes) -> Iterator[bytes]:
    """In pieces of a block, the last filled up with zeros."""
    for at in range(0, len(data), BLOCK_BYTES):
        yield data[at : at + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0")


def _times(left: int, right: int) -> int:
    """In the field of GCM (SP 800-38D section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (REDUCTION if right & 1 else 0)
    return product


def _tag(aes: Aes128, nonce: bytes, header: bytes, sealed: bytes) -> bytes:
    subkey = int.from_bytes(aes.encrypt(bytes(BLOCK_BYTES)), "big")
    lengths = (8 * len(header)).to_bytes(8, "big") + (8 * len(sealed)).to_bytes(8, "big")
    found = 0
    for block in (*_blocks(header), *_blocks(sealed), lengths):
        found = _times(found ^ int.from_bytes(block, "big"), subkey)
    return _xor(found.to_bytes(BLOCK_BYTES, "big"), aes.encrypt(nonce + b"\0\0\0\1"))


def _crypt(aes: Aes128, nonce: bytes, data: bytes) -> bytes:
    keys = (aes.encrypt(nonce + (number + 2).to_bytes(4, "big")) for number in range(-(-len(data) // BLOCK_BYTES)))
    return _xor(data, b"".join(keys))


def seal(key: bytes, nonce: bytes, header: bytes, plain: bytes) -> bytes:
    """Encrypted, with its tag behind it."""
    aes = Aes128(key)
    sealed = _crypt(aes, nonce, plain)
    return sealed + _tag(aes, nonce, header, sealed)


def unseal(key: bytes, nonce: bytes, header: bytes, data: bytes) -> bytes | None:
    """What was sealed; None if that was other data, or sealed by another key."""
    aes, sealed = Aes128(key), data[:-TAG_BYTES]
    if len(data) < TAG_BYTES or _tag(aes, nonce, header, sealed) != data[-TAG_BYTES:]:
        return None
    return _crypt(aes, nonce, sealed)
