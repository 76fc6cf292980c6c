"""The checksum of each kind of address, by the name the data files use. True, false, or None where this text carries no
checksum.

Knows the arithmetic only; which coin has which kind, prefix and version stands in signatures/wallets.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable

from sensor.model.five_bits import BECH32, BECH32M
from sensor.signatures.wallet_forms import WalletForm
from sensor.wallets import base32, base58


def check(form: WalletForm, text: str) -> bool | None:
    """The verdict of the form's checksum on a text that has its shape."""
    rule = _CHECKS.get(form.check)
    return rule(form, text) if rule else None


def _base58check(form: WalletForm, text: str) -> bool:
    body = base58.checked(text)
    return body is not None and any(
        body.startswith(version) and len(body) == len(version) + 20 for version in form.versions
    )


def _ergo(form: WalletForm, text: str) -> bool:
    """Ergo: a byte of network and type, the key, and the first four bytes of BLAKE2b-256 (docs.ergoplatform.com,
    "Address encoding").
    """
    body = base58.checked(text, "blake2b")
    return body is not None and any(body.startswith(version) for version in form.versions)


def _cryptonote(form: WalletForm, text: str) -> bool:
    body = base58.cryptonote(text)
    return body is not None and (not form.versions or any(body.startswith(version) for version in form.versions))


def _eip55(_form: WalletForm, text: str) -> bool | None:
    """EIP-55: the case of each letter is a bit of the Keccak-256 of the lower-case digits; one case only carries no
    checksum.
    """
    digits = text[2:]
    if digits in (digits.lower(), digits.upper()):
        return None
    from Crypto.Hash import keccak

    digest = keccak.new(digest_bits=256, data=digits.lower().encode()).hexdigest()
    return all(
        char.isdigit() or char.isupper() == (int(nibble, 16) >= 8) for char, nibble in zip(digits, digest, strict=False)
    )


def _sia(_form: WalletForm, text: str) -> bool:
    """Sia: 32 bytes and the first six of their BLAKE2b-256 (NebulousLabs/Sia, types/unlockhash.go)."""
    data = bytes.fromhex(text)
    return hashlib.blake2b(data[:32], digest_size=32).digest()[:6] == data[32:]


def _ton(_form: WalletForm, text: str) -> bool:
    """TON: base64url of flags, workchain, 32 bytes and CRC16-XMODEM (docs.ton.org, "Smart contract addresses")."""
    data = base64.urlsafe_b64decode(text)
    return binascii.crc_hqx(data[:34], 0) == int.from_bytes(data[34:], "big")


def _nimiq(_form: WalletForm, text: str) -> bool:
    """Nimiq: as IBAN (ISO 13616), the two digits make the rearranged number 1 modulo 97."""
    plain = text.replace(" ", "").upper()
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def _tari(_form: WalletForm, text: str) -> bool:
    """Tari: network, features and the two keys, each of the first two in base58 by itself, with a DammSum over all as
    the last byte (RFC-0155). The sum over the whole is 0.
    """
    parts = [base58.decode(part) for part in (text[:1], text[1:2], text[2:])]
    data = b"".join(part or b"" for part in parts)
    total = 0
    for byte in data:
        total ^= byte
        total = (total << 1) ^ (0x11B if total & 0x80 else 0)
    return len(data) == 67 and total == 0


_CHECKS: dict[str, Callable[[WalletForm, str], bool | None]] = {
    "base58check": _base58check,
    "cryptonote": _cryptonote,
    "ergo": _ergo,
    "eip55": _eip55,
    "segwit": lambda form, text: base32.segwit(text, form.prefix),
    "bech32": lambda form, text: base32.bech32(text, form.prefix, BECH32),
    "bech32m": lambda form, text: base32.bech32(text, form.prefix, BECH32M),
    "bech32-either": lambda form, text: any(
        base32.bech32(text, form.prefix, constant) for constant in (BECH32, BECH32M)
    ),
    "cashaddr": lambda form, text: base32.cashaddr(text, form.prefix),
    "cip37": lambda form, text: base32.conflux(text, form.prefix),
    "sia": _sia,
    "ton": _ton,
    "nimiq": _nimiq,
    "tari": _tari,
}
