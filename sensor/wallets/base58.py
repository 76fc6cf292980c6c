"""Base58 as coins use it: one number with four check bytes (Bitcoin, Ergo), or blocks of eight bytes (CryptoNote).

Total functions; no coins.
"""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {char: value for value, char in enumerate(ALPHABET)}
#: Longer texts are no address; decoding grows with the square of the length.
MOST_CHARS = 256
#: CryptoNote: bytes of a block by its number of characters (cryptonote.org CNS007, "Base58 encoding").
_BLOCK_BYTES = {2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}


def decode(text: str) -> bytes | None:
    """The bytes of a base58 number; leading ones are zero bytes."""
    number = _number(text)
    if number is None:
        return None
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def checked(text: str, check: str = "sha256d") -> bytes | None:
    """Version and payload, if the last four bytes are the right ones; `check` is sha256d or blake2b (Ergo)."""
    data = decode(text)
    if data is None or len(data) < 5:
        return None
    body, tail = data[:-4], data[-4:]
    if check == "blake2b":
        digest = hashlib.blake2b(body, digest_size=32).digest()
    else:
        digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    return body if digest[:4] == tail else None


def cryptonote(text: str) -> bytes | None:
    """Tag, keys and payment id of a CryptoNote address, if the first four bytes of their Keccak-256 are at the end."""
    if len(text) > MOST_CHARS or (len(text) % 11 and len(text) % 11 not in _BLOCK_BYTES):
        return None
    data = bytearray()
    for at in range(0, len(text), 11):
        block = text[at : at + 11]
        number, size = _number(block), _BLOCK_BYTES[len(block)]
        if number is None or number >> (8 * size):
            return None
        data += number.to_bytes(size, "big")
    body, tail = bytes(data[:-4]), bytes(data[-4:])
    if len(body) < 65:
        return None
    from Crypto.Hash import keccak

    return body if keccak.new(digest_bits=256, data=body).digest()[:4] == tail else None


def _number(text: str) -> int | None:
    if not 0 < len(text) <= MOST_CHARS:
        return None
    number = 0
    for char in text:
        digit = _DIGIT.get(char)
        if digit is None:
            return None
        number = number * 58 + digit
    return number
