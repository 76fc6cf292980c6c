"""Wallet forms as data: the shape of each kind of address, its checksum's name, the coins that use it, and the proof of
both.

Knows the files' keys; the checksums themselves are code (sensor/wallets), and what a login means is decided there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sensor.signatures.located import YamlEntry

CHECKS = (
    *(
        "base58check",
        "cryptonote",
        "ergo",
        "eip55",
        "segwit",
        "bech32",
        "bech32m",
        "bech32-either",
        "cashaddr",
        "cip37",
        "sia",
        "ton",
        "nimiq",
        "tari",
    ),
    "none",
)
#: Character classes that patterns may name.
CLASSES = {"<b58>": "[1-9A-HJ-NP-Za-km-z]", "<b32>": "[02-9ac-hj-np-z]", "<hex>": "[0-9a-fA-F]"}
FORM_KEYS = (
    "name",
    "coins",
    "pattern",
    "check",
    "versions",
    "prefix",
    "account",
    "example",
    "counterexample",
    "source",
    "note",
)


@dataclass(frozen=True, slots=True)
class WalletForm:
    """One kind of address, or of account number."""

    name: str
    coins: tuple[str, ...]
    pattern: re.Pattern[str]
    check: str
    versions: tuple[bytes, ...]
    prefix: str
    account: bool  # an account's number at a service, not a wallet
    example: str
    counterexample: str
    place: str


@dataclass(frozen=True, slots=True)
class CoinWork:
    """By what a wallet's coin is known to be the one that is mined, not only the one that is paid out."""

    algorithm: re.Pattern[str]
    dialects: tuple[str, ...]

    def in_dialect(self, name: str) -> bool:
        """Whether the coin is mined in this dialect."""
        return any(fnmatchcase(name, pattern) for pattern in self.dialects)


@dataclass(frozen=True, slots=True)
class Donation:
    """How a program's own donation or fee session is distinguished from its user's."""

    software: str
    dialects: tuple[str, ...]
    login: re.Pattern[str]
    agent: re.Pattern[str]
    example: str
    place: str


@dataclass(frozen=True, slots=True)
class WalletBook:
    """The forms, the coins' ways of being mined, and the donations of one file or of all."""

    forms: tuple[WalletForm, ...] = ()
    coins: tuple[tuple[str, CoinWork], ...] = ()
    donations: tuple[Donation, ...] = ()

    def add(self, other: WalletBook) -> WalletBook:
        """Both; where a coin stands in both, this one's row counts."""
        return WalletBook(self.forms + other.forms, self.coins + other.coins, self.donations + other.donations)

    def work_of(self, coin: str) -> CoinWork | None:
        """How the coin is mined, if the files say so."""
        return next((work for name, work in self.coins if name == coin), None)


def compile_wallets(entry: YamlEntry, file: str) -> WalletBook:
    """One file of `kind: wallets`."""
    entry.only(("kind", "title", "references", "forms", "coins", "donations"))
    entry.text("title")
    return WalletBook(
        tuple(_form(item, file) for item in _maps(entry, "forms")),
        tuple(_coin(item) for item in _maps(entry, "coins")),
        tuple(_donation(item, file) for item in _maps(entry, "donations")),
    )


def _maps(entry: YamlEntry, key: str) -> Iterable[YamlEntry]:
    return [item for item in entry.keys[key].each() if item.is_map()] if key in entry.keys else []


def _form(entry: YamlEntry, file: str) -> WalletForm:
    entry.only(FORM_KEYS)
    kind = entry.choice("check", CHECKS, "none")
    return WalletForm(
        name=entry.text("name"),
        coins=entry.texts("coins"),
        pattern=_pattern(entry, "pattern"),
        check=kind,
        versions=_versions(entry, needed=kind in ("base58check", "ergo")),
        prefix=entry.text(
            "prefix", "" if kind not in ("segwit", "bech32", "bech32m", "bech32-either", "cashaddr", "cip37") else None
        ),
        account="account" in entry.keys and entry.keys["account"].scalar is True,
        example=entry.text("example"),
        counterexample=entry.text("counterexample"),
        place=f"{file}:{entry.line}",
    )


def _versions(entry: YamlEntry, needed: bool) -> tuple[bytes, ...]:
    texts = entry.texts("versions")
    if needed and not texts:
        entry.fail("versions are missing")
    if all(re.fullmatch(r"([0-9a-f]{2})+", text) for text in texts):
        return tuple(bytes.fromhex(text) for text in texts)
    entry.fail("versions must be bytes in hex, in quotes")
    return ()


def _coin(entry: YamlEntry) -> tuple[str, CoinWork]:
    entry.only(("coin", "algorithm", "dialects"))
    return entry.text("coin"), CoinWork(_pattern(entry, "algorithm"), entry.texts("dialects"))


def _donation(entry: YamlEntry, file: str) -> Donation:
    entry.only(("software", "dialects", "login", "agent", "example", "source", "note"))
    return Donation(
        software=entry.text("software"),
        dialects=entry.texts("dialects"),
        login=_pattern(entry, "login"),
        agent=_pattern(entry, "agent"),
        example=entry.text("example"),
        place=f"{file}:{entry.line}",
    )


def _pattern(entry: YamlEntry, key: str) -> re.Pattern[str]:
    text = entry.text(key)
    for name, characters in CLASSES.items():
        text = text.replace(name, characters)
    try:
        return re.compile(text)
    except re.error as error:
        entry.keys[key].fail(f"not a regular expression: {error}")
        return re.compile(r"(?!)")
