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
#: Symbols of coins: those of the tables of wallets, and those in which pools that convert are paid (unMineable's list).
_SYMBOLS = """
    AAVE ADA ALEO ALGO ALPH APT ARQ ATOM AVAX BAND BAT BCH BEAM BNB BONK BSV BTC BTG BTT BTTC BTX CAKE CCX CFX CHZ CKB
    CLO CLORE CRO CRV CTSI CVC DASH DCR DERO DGB DOGE DOT EGLD ELON ENJ EOS ERG ETC ETH ETHW EVR FB FEG FIL FIRO FLOKI
    FLUX FTM FUN GALA GRFT GRIN GRS GRT HBAR HNS HNT HOT HTN HTR ICP ICX INJ IRON KAS KDA KLS KLV KMD KSM LINK LSK LTC
    LUNC MANA MATIC MKR MONA MSR NANO NEAR NEO NEXA NIM NMC OCTA ONE ONT OXEN PEPE PIVX POL PPC PRL PYI QTUM QUAI QUBIC
    RSR RTM RUNE RVN RXD RYO SAL SAND SC SHIB SKL SNX SOL SPR STORJ SUI SUMO SUSHI SXP THETA TON TRTL TRX TWT UBQ UNI
    USDC USDT VET VRSC VTC VTHO WART WAVES WBTC WIN WOW XCH XEC XEL XEM XHV XLM XMR XNA XNO XRP XTM XTZ XVG YFI ZANO ZEC
    ZEN ZEPH ZIL ZRX
"""
#: Prefixes that belong to an address, and symbols that are written small and are nobody's name.
_PREFIXES = """
    bitcoincash bchtest btc bch cfx cfxtest dash doge ecash hoosat karlsen kas kaspa kaspatest ltc nexa pyrin rvn shib
    spectre trx xel xet xmr zec
"""
_COINS = frozenset([*_SYMBOLS.split(), *_PREFIXES.split()])
#: What stands behind a coin that is listed: wallets have 26 characters or more (Bitcoin's shortest).
_WALLET = re.compile(r"[0-9A-Za-z_]{26}")
#: What has the form of an address behind its prefix, and of no password: an Ethereum address, or 58 five-bit characters
#: or more (CashAddr's of 32 bytes has 61).
_ADDRESS = re.compile(
    r"(?:0x[0-9A-Fa-f]{40}|(?=[a-z0-9]*[a-z])(?=[a-z0-9]*[0-9])[02-9ac-hj-np-z]{58,120})(?![0-9A-Za-z])"
)
#: Kadena's account of one key.
_KEY = re.compile(r"[0-9a-f]{64}(?![0-9A-Za-z])")
#: Letters of a name that may be a coin's.
MAX_COIN = 20
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
    colon = login.find(":")
    if colon < 0 or "://" in login:
        return login
    if _is_coin(login, colon):
        colon = login.find(":", colon + 1)
    return login if colon < 0 else login[:colon]


def _is_coin(login: str, colon: int) -> bool:
    """Whether a coin and a wallet stand around the colon: `kaspa:qr..`, `SHIB:0x..`."""
    name, behind = login[:colon], colon + 1
    if name in _COINS:
        return _WALLET.match(login, behind) is not None
    if name == "k" and _KEY.match(login, behind) is not None:
        return True
    is_word = len(name) <= MAX_COIN and name.isascii() and name.isalpha()
    return is_word and _ADDRESS.match(login, behind) is not None


def without_secrets(text: str) -> str:
    """A text without the user of a URL and without what follows a name such as `password=`."""
    if "@" in text:
        text = _USER_OF_URL.sub(BLANK, text)
    if "=" in text or ":" in text or "%3" in text:
        small = text.casefold()  # cheaper than the expression, and nearly no text has one of these
        if "pass" in small or "pwd" in small or "secret" in small or "token" in small:
            return _NAMED.sub(rf"\1{BLANK}", text)
    return text


def is_spoken(key: str, value: object) -> bool:
    """Whether a member is what a pool says of an error."""
    return key.lower() == "error" or (isinstance(value, str) and key.lower() in _SPOKEN_KEYS)


def shown(text: str, *, spoken: bool = False, key: str = "") -> str:
    """A text of a message fit to be shown; `spoken` is what a pool says of an error, of which common words stay. `key`
    is the member that it stands under: a host may have a port behind its colon."""
    if spoken:
        return _TOKEN.sub(lambda token: token[0] if _is_common(token[0]) else BLANK, text)
    if text.isalnum():  # as most are: numbers in hexadecimal
        return text
    if " " in text and _SPOKEN.search(text):
        return BLANK
    plain = without_secrets(text)
    if " " in plain or "://" in plain or key.lower() == "host":
        return plain
    login = without_password(plain)
    return plain if login == plain else f"{login}:{BLANK}"


def _is_common(token: str) -> bool:
    return all(part in _COMMON for part in _PARTS.split(token.lower()) if part)
