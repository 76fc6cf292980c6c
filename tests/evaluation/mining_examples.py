"""Mining played from the examples of the dialect files: each dialect that has its text in lines or WebSocket frames.

The messages of an example are said again with other names and numbers; then come jobs with the coin's blocks and a
timer, and shares at random. What a program does besides is not in an example; the families by hand have that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from sensor.behaviour.templates import Template, templates_of
from sensor.signatures import Dialect, SignatureSet, load
from tests.evaluation.mining_randomx import framed, shares, text
from tests.evaluation.talk import BLOCK_S, DOWN, UP, Talk

HEX = re.compile(r"(?:0x)?[0-9a-f]+\Z", re.I)
#: Whose texts are a miner's own: name, wallet, agent.
PERSONAL = ("login", "subscribe", "submit")
#: Members that say what a message is, by the protocol.
KINDS = ("id", "method", "type", "identifier")
#: Texts of a protocol, not of a miner.
FIXED = ("stratum", "mining.", "nicehash", "http")


@lru_cache(1)
def signatures() -> SignatureSet:
    """The dialects that are shipped."""
    return load()


@lru_cache(None)
def examples() -> dict[str, tuple[tuple[Template, ...], ...]]:
    """By dialect the examples that can be played: a miner who begins, a share, a job."""
    found: dict[str, tuple[tuple[Template, ...], ...]] = {}
    for dialect in signatures().dialects:
        templates = templates_of(dialect, signatures())
        numbers = dict.fromkeys(template.example for template in templates)
        own = [tuple(t for t in templates if t.example == number) for number in numbers]
        whole = tuple(rows for rows in own if _is_whole(rows))
        # Where others sign in, an example without it is cut short.
        whole = tuple(rows for rows in whole if _signs_in(rows)) or whole
        if whole:
            found[dialect.header.name] = whole
    return found


def _is_whole(rows: Sequence[Template]) -> bool:
    opens = rows[0].side == "miner" and any(row.kind in ("login", "subscribe") for row in rows)
    return opens and any(row.kind == "submit" for row in rows) and any(row.job for row in rows)


def _signs_in(rows: Sequence[Template]) -> bool:
    return any(row.kind == "login" for row in rows)


def player(name: str) -> Callable[[Talk], None]:
    """Plays one dialect."""
    return partial(_play, name)


def _dialect(name: str) -> Dialect:
    return next(dialect for dialect in signatures().dialects if dialect.name == name)


def coin_of(name: str) -> str | None:
    """The coin whose blocks the dialect's jobs follow, where its blocks are simulated here."""
    coin = _dialect(name).coin
    nearest = {"ethproxy": "ETC", "ethereum-stratum": "ETC", "cryptonote": "XMR", "kawpow": "RVN", "equihash": "ZEC"}
    if coin in BLOCK_S:
        return str(coin)
    return "BTC" if name.startswith(("stratum-v1", "btcagent")) else nearest.get(name)


class _Lines:
    """The lines of one session: which texts have which length, how ids run, in which style each side writes."""

    def __init__(self, talk: Talk, name: str) -> None:
        self.rng = talk.rng
        framings = _dialect(name).framings or (_dialect(name).framing,)
        both = "websocket" in framings and name != "stratum-v1"
        self.framed = both and (len(framings) == 1 or talk.server.trait("framed", lambda r: r.random() < 0.7))
        self.spaced = (self.rng.random() < 0.1, talk.server.trait("spaced", lambda r: r.random() < 0.2))
        self.grows = self.rng.random() < 0.75
        self.number = 0
        self._names: dict[str, str] = {}
        self._branches = talk.server.trait("branches", lambda r: r.randrange(-2, 3))

    def length(self, row: Template, number: int | None) -> int:
        """The length of a line like this, with an id of its own."""
        value = dict(row.value)
        if number is not None and type(value.get("id")) is int and self.grows:
            value["id"] = number
        value = {key: part if key in KINDS else self._other(part, row.kind) for key, part in value.items()}
        side = UP if row.side == "miner" else DOWN
        length = text(value, self.spaced[side])
        return framed(length - 1, side) if self.framed else length

    def _other(self, part: Any, kind: str) -> Any:
        if isinstance(part, dict):
            return {key: self._other(inner, kind) for key, inner in part.items()}
        if isinstance(part, list):
            if (
                part
                and all(isinstance(inner, str) and len(inner) == 64 for inner in part)
                and kind == "job"
                and len(part) > 1
            ):
                many = max(1, len(part) + self._branches + self.rng.choice([0, 0, 0, 0, 1, -1]))
                return [part[0]] * many
            return [self._other(inner, kind) for inner in part]
        if type(part) is int and part >= 10_000_000:
            return self.rng.randrange(10 ** (len(str(part)) - 1), 10 ** len(str(part)))
        if isinstance(part, str) and (kind in PERSONAL or part in self._names):
            return self._name(part)
        return part

    def _name(self, part: str) -> str:
        if len(part) < 6 or (HEX.match(part) and len(part) >= 8) or any(word in part.lower() for word in FIXED):
            return part
        if part not in self._names:
            self._names[part] = "n" * max(5, len(part) + self.rng.randrange(-4, 9))
        return self._names[part]


def _play(name: str, talk: Talk) -> None:
    whole = examples()[name]
    rng, lines = talk.rng, _Lines(talk, name)
    rows = whole[talk.server.trait("example", lambda r: r.randrange(len(whole)))]
    at = _open(talk, lines, rows)
    share = next(row for row in rows if row.kind == "submit")
    job = next((row for row in rows if row.kind == "job"), None) or next(row for row in rows if row.job)
    rate = next((row for row in rows if row.kind == "hashrate"), None)
    replies = [row for row in rows if row.kind == "reply" and row.answers == "submit"]
    taken = next((row for row in (*replies, *_accepted(whole)) if row.outcome == "accepted"), None)
    level = next((row for row in rows if row.side == "pool" and row.kind in ("difficulty", "target")), None)
    refresh_s = talk.server.trait("refresh", lambda r: r.choice([0, 15, 30, 30, 60]))
    coin = coin_of(name)
    if coin is None:
        refresh_s = refresh_s or 30
    found = shares(talk, 10 ** rng.uniform(-0.3, 0.7), rng.random() < 0.3)
    events = talk.mixed(
        job=iter(talk.clocked(refresh_s, coin, 0.02)),
        share=iter(found),
        rate=talk.every(60) if rate is not None and rng.random() < 0.7 else iter(()),
        level=talk.poisson(900) if level is not None else iter(()),
    )
    for moment, what in events:
        if moment < at + 1:
            continue
        if what == "job":
            talk.say(moment, DOWN, lines.length(job, None))
        elif what == "level" and level is not None:
            talk.say(moment, DOWN, lines.length(level, None), lines.length(job, None))
        else:
            asked = rate if what == "rate" and rate is not None else share
            lines.number += 1
            answer = _answer(lines, taken if asked is share else _reply_to(rows, asked), asked)
            ask = talk.submit if asked is share else talk.ask
            ask(moment, lines.length(asked, lines.number), answer)


def _accepted(whole: Sequence[Sequence[Template]]) -> list[Template]:
    """What takes a share in any of the examples: one that shows a refused share is of no pool that refuses all."""
    return [row for rows in whole for row in rows if row.kind == "reply" and row.answers == "submit"]


def _reply_to(rows: Sequence[Template], asked: Template) -> Template | None:
    return next((row for row in rows if row.kind == "reply" and row.request == asked.rule), None)


def _answer(lines: _Lines, reply: Template | None, asked: Template) -> int:
    if reply is not None:
        return lines.length(reply, lines.number)
    number = lines.number if lines.grows else asked.value.get("id", 4)
    length = text({"id": number, "result": True, "error": None})
    return framed(length - 1, DOWN) if lines.framed else length


def _open(talk: Talk, lines: _Lines, rows: Sequence[Template]) -> float:
    """Everything before the first share, as the example has it; returns when it is over."""
    at, back_s = 0.0, 0.0
    if lines.framed:
        back_s = talk.ask(0.0, talk.rng.randrange(180, 620), talk.rng.randrange(129, 260))
    for row in rows:
        if row.kind == "submit":
            break
        if row.side == "miner":
            lines.number += 1
            at = max(at, back_s) + 0.002
            talk.say(at, UP, lines.length(row, lines.number))
            back_s = at + talk.rtt_s
        else:
            back_s += 0.001
            talk.say(back_s, DOWN, lines.length(row, lines.number if row.kind == "reply" else None))
    return max(at, back_s)
