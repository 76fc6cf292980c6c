"""From a wallet to the coin that is mined, where that is certain; and donation sessions as distinct from those of their
users.

A wallet says what is paid out. Pools that convert take wallets of any coin, so it counts only with an algorithm or
dialect that fits.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from sensor.model.finding import Wallet
from sensor.signatures.wallet_forms import WalletBook

#: The form of the name XMRig gives its user at the donation pool.
DONATION_LOGIN = re.compile(r"[0-9a-f]{64}")


def mined_coin(wallet: Wallet, dialect: str, algorithm: str | None, book: WalletBook) -> str | None:
    """The wallet's coin, if its checksum is right and what is spoken is how this coin is mined, and no other that
    has the same form.
    """
    if (
        wallet.verdict != "valid"
        or wallet.payout is not None
        or any(book.work_of(coin) is None for coin in wallet.coins)
    ):
        return None
    fitting = [coin for coin in wallet.coins if fits(coin, dialect, algorithm, book)]
    return fitting[0] if len(fitting) == 1 and (algorithm is not None or len(wallet.coins) == 1) else None


def fits(coin: str, dialect: str, algorithm: str | None, book: WalletBook) -> bool:
    """Whether a coin is mined by this algorithm; where that is not known, whether it is mined in this dialect."""
    work = book.work_of(coin)
    if work is None:
        return False
    if algorithm is not None:
        return work.algorithm.search(algorithm) is not None
    return work.in_dialect(dialect)


def donation_login(login: str) -> str:
    """What XMRig calls a user at its donation pool: Keccak-256 of the user's own login (DonateStrategy.cpp)."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=login.encode("utf-8", "replace")).hexdigest()


def donation_software(login: str | None, agent: str | None, dialect: str, book: WalletBook) -> str | None:
    """The program whose own donation session this is, or None."""
    for donation in book.donations:
        spoken = any(fnmatchcase(dialect, name) for name in donation.dialects)
        if spoken and donation.login.fullmatch(login or "") and donation.agent.search(agent or ""):
            return donation.software
    return None
