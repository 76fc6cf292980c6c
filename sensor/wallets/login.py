"""A login taken apart: `wallet.worker`, `wallet/worker/mail`, `wallet+difficulty`, `COIN:wallet.worker#referral`,
`account.worker`.

The address is the longest leading part with the shape of a wallet; its checksum gives the verdict. Total: any text
is an account at least.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sensor.model.finding import Wallet
from sensor.signatures.wallet_forms import WalletBook, WalletForm
from sensor.wallets.checks import check

#: Where an address ends; an underscore may also be part of one (TON), a colon of its prefix.
_END = re.compile(r"[./+=@#,;|\s]")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9]{2,10}):(?P<rest>.+)", re.DOTALL)
#: Names before a colon that are ways of being paid, not coins.
_MODES = frozenset({"SOLO", "PROP", "PPS", "PPLNS", "FPPS", "TCP", "SSL", "TLS"})
_PAYMENT_ID = re.compile(r"([0-9a-f]{16}|[0-9a-f]{64})(?=[./]|$)")
MOST_CHARS = 512
#: Logins that are remembered, of 256 characters each.
MAX_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Login:
    """What stands in a login besides the wallet."""

    wallet: Wallet
    worker: str | None = None
    mail: bool = False  # a mail address is there; it is not kept
    difficulty: str | None = None
    referral: str | None = None


def identify(login: str, book: WalletBook) -> Login:
    """The parts of a login, with the best verdict on its wallet. The latest are remembered: a flow is judged more than
    once, and a checksum takes as long as reading twenty messages."""
    found = _latest.of(book).get(login)
    if found is None:
        found = _latest.of(book)[login] = _identified(login, book)
    return found


class _Latest:
    """The latest logins by one book."""

    def __init__(self) -> None:
        self._by_book: tuple[WalletBook | None, dict[str, Login]] = (None, {})

    def of(self, book: WalletBook) -> dict[str, Login]:
        """Those of this book, with room for one more."""
        whose, found = self._by_book
        if whose is not book or len(found) >= MAX_REMEMBERED:
            whose, found = self._by_book = (book, {})
        return found


_latest = _Latest()


def _identified(login: str, book: WalletBook) -> Login:
    text = login.strip()[:MOST_CHARS]
    best: tuple[int, Wallet, str] | None = None
    for start, payout in _starts(text):
        for end in _ends(text, start):
            rank, wallet = _wallet(text[start:end], payout, book)
            if rank and (best is None or rank > best[0]):
                best = rank, wallet, text[end:]
    if best is not None:
        return _rest(best[1], best[2])
    return _account(text)


def _starts(text: str) -> Iterator[tuple[int, str | None]]:
    yield 0, None
    named = _NAMED.match(text)
    if named:
        coin = named["name"].upper()
        yield named.start("rest"), None if coin in _MODES else coin


def _ends(text: str, start: int) -> Iterator[int]:
    """Candidates, the longest first."""
    found = _END.search(text, start)
    end = found.start() if found else len(text)
    if found and text[start : start + 2].upper() == "NQ":  # Nimiq writes its groups apart
        yield len(text)
    yield end
    for _ in range(4):
        end = text.rfind("_", start, end)
        if end <= start:
            return
        yield end


def _wallet(text: str, payout: str | None, book: WalletBook) -> tuple[int, Wallet]:
    """The wallet and its rank: 3 checksum right, 2 none to check, 1 wrong, 0 no known form."""
    ranked: dict[int, list[WalletForm]] = {}
    for form in book.forms:
        if form.pattern.fullmatch(text):
            right = check(form, text)
            ranked.setdefault({True: 3, None: 2, False: 1}[right], []).append(form)
    if not ranked:
        return 0, Wallet(None, "account")
    rank = max(ranked)
    forms = ranked[rank]
    if all(form.account for form in forms):
        return rank, Wallet(None, "account", form=forms[0].name, payout=payout)
    coins = tuple(sorted({coin for form in forms for coin in form.coins}))
    named = " or ".join(form.name for form in forms)
    if rank == 3:
        return rank, Wallet(text, "valid", coins, named, "right", payout)
    return rank, Wallet(text, "format matches", coins, named, "wrong" if rank == 1 else None, payout)


def _rest(wallet: Wallet, rest: str) -> Login:
    rest, _, referral = rest.partition("#")
    plain, _, difficulty = rest.partition("+")
    parts = [part for part in plain.lstrip("./_=@,;| ").split("/") if part]
    mail = any("@" in part for part in parts)
    names = [part for part in parts if "@" not in part]
    worker = names[0] if names else ""
    paid = _PAYMENT_ID.match(worker)
    if paid and (len(worker) > len(paid[0]) or len(names) > 1):
        worker = worker[len(paid[0]) + 1 :] or (names[1] if len(names) > 1 else "")
    return Login(wallet, worker or None, mail, difficulty if difficulty.isdigit() else None, referral or None)


def _account(text: str) -> Login:
    if "@" in text and "/" not in text:
        return Login(Wallet(None, "account"), mail=True)
    name, _, rest = (text.partition(".") if "." in text else text.partition("/")) if text else ("", "", "")
    found = _rest(Wallet(None, "account"), rest)
    return found if name else Login(Wallet(None, "account"))


def prove(book: WalletBook) -> list[str]:
    """Every form whose example is not what it says, or whose counterexample is."""
    wrong = []
    for form in book.forms:
        if not form.pattern.fullmatch(form.example) or check(form, form.example) is False:
            wrong.append(f"{form.place}: {form.name}: the example does not hold")
        if form.pattern.fullmatch(form.counterexample) and check(form, form.counterexample) in (True, None):
            wrong.append(f"{form.place}: {form.name}: the counterexample holds")
        if form.check not in ("none", "eip55") and check(form, form.example) is None:
            wrong.append(f"{form.place}: {form.name}: the example has no checksum")
    broken = [donation for donation in book.donations if not donation.login.fullmatch(donation.example)]
    wrong += [f"{donation.place}: donation of {donation.software}: the example does not hold" for donation in broken]
    return wrong
