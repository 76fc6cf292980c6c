"""Passwords inside of other texts: behind a login's colon, in a URL, after a name such as `password=`, in what a pool
says of an error. Knows text only; where the places of passwords are, signatures say.
"""

from __future__ import annotations

import re

BLANK = "***"
#: Members in which a pool says in words why it refuses; it may repeat what it was sent.
_SPOKEN_KEYS = frozenset({"reason", "reject-reason", "reject_reason", "message", "msg"})
#: What stands between a URL's scheme and its host (RFC 3986 section 3.2.1).
_USER_OF_URL = re.compile(r"(?<=://)[^/?#\s]+(?=@)")
_NAMES = r"pass(?:word|wd|phrase)?|pwd|secret|token"
_NAMED = re.compile(rf"(?i)((?:\b|_)(?:{_NAMES})(?:=|%3d|:\s*))[^\s&;,\"']+")
_SPOKEN = re.compile(rf"(?i)\b(?:{_NAMES})\b")
#: A coin before a wallet: `kaspa:qr..`, `SHIB:0x..`. Wallets have 26 characters or more (Bitcoin's shortest).
_COIN = re.compile(r"[A-Za-z]{1,20}:(?=[0-9A-Za-z_]{26})")
#: Words of refusals. Whatever else one holds may be a password, or a name.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        a above account address again already an and are at authentication authorization authorized authorize
        bad banned be block by cannot code coin connected connection could credentials daemon denied diff
        difficulty disabled does duplicate error exist expired extranonce failed first for format found hash
        header high if in incorrect internal invalid is it job later limit login low many method miner mining
        minning minimum minutes must network no nonce not ntime of old on or out parameters params parse
        password permission please pool proof range refused rejected request required result seconds server
        session share sign signed size solution stale submit submitted subscribe subscribed subscription
        target template temporarily the this time timeout to too try type unauthorized unauthenticated unknown
        unsupported user username valid version wait wallet work worker wrong you your
        """,
    )
)
_TOKEN = re.compile(r"\S+")
_PARTS = re.compile(r"[\W_]+")


def without_password(login: str) -> str:
    """A login without the password that some miners write behind it (`user:PASS`); a coin before a wallet stays."""
    coin = _COIN.match(login)
    start = coin.end() if coin else 0
    colon = login.find(":", start)
    return login if colon < 0 or "://" in login else login[:colon]


def without_secrets(text: str) -> str:
    """A text without the user of a URL and without what follows a name such as `password=`."""
    if "@" in text:
        text = _USER_OF_URL.sub(BLANK, text)
    return _NAMED.sub(rf"\1{BLANK}", text) if "=" in text or ":" in text or "%3" in text else text


def is_spoken(key: str, value: object) -> bool:
    """Whether a member is what a pool says of an error."""
    return key.lower() == "error" or (isinstance(value, str) and key.lower() in _SPOKEN_KEYS)


def shown(text: str, *, spoken: bool = False, key: str = "") -> str:
    """A text of a message fit to be shown; `spoken` is what a pool says of an error, of which common words stay. `key`
    is the member that it stands under: a host may have a port behind its colon."""
    if spoken:
        return _TOKEN.sub(lambda token: token[0] if _is_common(token[0]) else BLANK, text)
    if " " in text and _SPOKEN.search(text):
        return BLANK
    plain = without_secrets(text)
    if " " in plain or "://" in plain or key.lower() == "host":
        return plain
    login = without_password(plain)
    return plain if login == plain else f"{login}:{BLANK}"


def _is_common(token: str) -> bool:
    return all(part in _COMMON for part in _PARTS.split(token.lower()) if part)
