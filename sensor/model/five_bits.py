"""Bech32's five-bit characters and their polynomial (BIP 173, BIP 350): for addresses that are checked, and for keys
that a binary protocol sends bare. Knows no coins.
"""

from __future__ import annotations

from collections.abc import Sequence

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
#: What the polynomial must give: BIP 173 and BIP 350.
BECH32, BECH32M = 1, 0x2BC830A3
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def polynomial(prefix: str, values: Sequence[int]) -> int:
    """What prefix and five-bit values come to."""
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in [*expanded, *values]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def bech32m(prefix: str, data: bytes) -> str:
    """The address of these bytes: the prefix, 1, the bytes in five-bit characters, six check characters."""
    number = int.from_bytes(data, "big") << (-8 * len(data) % 5)
    count = (8 * len(data) + 4) // 5
    values = [number >> 5 * (count - 1 - index) & 31 for index in range(count)]
    check = polynomial(prefix, [*values, *[0] * 6]) ^ BECH32M
    values += [check >> 5 * (5 - index) & 31 for index in range(6)]
    return f"{prefix}1" + "".join(CHARSET[value] for value in values)
