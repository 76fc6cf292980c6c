"""Addresses of five-bit characters with a polynomial check: bech32, bech32m, CashAddr and Conflux's CIP-37. Total
functions; no coins.
"""

from __future__ import annotations

from sensor.model.five_bits import BECH32, BECH32M, CHARSET, polynomial

#: CIP-37 leaves out i, l, o and q.
CONFLUX_CHARSET = "abcdefghjkmnprstuvwxyz0123456789"

#: https://reference.cash/protocol/blockchain/encoding/cashaddr, shared by CIP-37.
_CASH_GENERATOR = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def bech32(text: str, prefix: str, constant: int) -> bool:
    """Whether `prefix1data` carries the right six check characters; one case only."""
    lower = text.lower()
    if text not in (lower, text.upper()) or not lower.startswith(prefix + "1"):
        return False
    values = _values(lower[len(prefix) + 1 :], CHARSET)
    if values is None or len(values) < 6:
        return False
    return polynomial(prefix, values) == constant


def segwit(text: str, prefix: str) -> bool:
    """A witness address: version 0 with bech32, later ones with bech32m (BIP 350)."""
    version = text.lower()[len(prefix) + 1 : len(prefix) + 2]
    return bech32(text, prefix, BECH32 if version == "q" else BECH32M)


def cashaddr(text: str, prefix: str) -> bool:
    """Whether the 40-bit check of `prefix:data` holds; the prefix may be left out."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        return False
    values = _values(lower.removeprefix(prefix + ":"), CHARSET)
    return values is not None and len(values) > 8 and _cash_polynomial(prefix, values) == 0


def conflux(text: str, prefix: str) -> bool:
    """CIP-37: the same polynomial over another alphabet; an optional `type.x` between the colons is not checked."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        return False
    values = _values(lower.rsplit(":", 1)[-1], CONFLUX_CHARSET)
    return values is not None and len(values) == 42 and _cash_polynomial(prefix, values) == 0


def _cash_polynomial(prefix: str, values: list[int]) -> int:
    check = 1
    for value in [*(ord(char) & 31 for char in prefix), 0, *values]:
        top = check >> 35
        check = (check & 0x07FFFFFFFF) << 5 ^ value
        for bit, generator in enumerate(_CASH_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check ^ 1


def _values(text: str, charset: str) -> list[int] | None:
    values = [charset.find(char) for char in text]
    return None if -1 in values else values
