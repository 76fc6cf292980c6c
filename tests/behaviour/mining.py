"""Mining sessions played from the examples of any dialect: its lines with other wallets, job ids, numbers, branches,
ids that grow or stay, in either style.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any

from sensor.behaviour.spans import Style, size_of
from sensor.behaviour.templates import Template
from tests.behaviour.plans import DOWN, UP, Plan, every, mixed, poisson

HEX = re.compile(r"(?:0x)?[0-9a-f]+\Z", re.I)
#: Mean seconds between blocks, for the pushes that follow them.
BLOCK_S = (13.0, 60.0, 75.0, 120.0, 150.0, 600.0)


class Session:
    """What stays the same in one session: texts, styles, how ids run."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.texts: dict[str, int] = {}
        self.styles: tuple[Style, Style] = (self._style(0.15), self._style(0.25))
        self.next_id = 1 if rng.random() < 0.75 else None
        self.job_digits = rng.choice([None, 2, 4, 8, 14, 36])

    def _style(self, spaced: float) -> Style:
        return "spaced" if self._rng.random() < spaced else "compact"

    def line(self, template: Template, number: object = None) -> int:
        """The length of a line of this template, with an id of its own."""
        value = json.loads(json.dumps(template.value))
        if "id" in value and number is not None and isinstance(value["id"], int):
            value["id"] = number
        if template.kind != "reply" or template.answers != "submit":  # what answers a share has no names in it
            value = {name: self._varied(part, name) if name != "id" else part for name, part in value.items()}
        side = UP if template.side == "miner" else DOWN
        return size_of(value, self.styles[side]) + 1

    def _varied(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: self._varied(part, key) for key, part in value.items()}
        if isinstance(value, list):
            if name in ("extensions", "algo") or len(value) > 12:
                return value
            if value and all(isinstance(part, str) and len(part) == 64 for part in value) and name == "":
                return [value[0]] * self._rng.choice([10, 11, 12, 12, 12, 13])
            return [self._varied(part, "") for part in value]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return self._rng.randrange(value // 2, 2 * value) if value >= 100_000_000 else value
        if isinstance(value, str) and name not in ("method", "jsonrpc", "status", "result"):
            return self._text(value)
        return value

    def _text(self, text: str) -> str:
        """Hex keeps its length, but for short names, which have one of the session's; other texts have one too."""
        digits = text.removeprefix("0x")
        if (HEX.match(text) and len(digits) >= 8) or text in ("", "mining.notify", "mining.set_difficulty"):
            return text
        if text not in self.texts:
            few = len(text) <= 6
            self.texts[text] = (self.job_digits or len(text)) if few else max(6, len(text) + self._rng.randrange(-4, 5))
        return "x" * self.texts[text]


def playable(templates: Sequence[Template]) -> list[int]:
    """Examples with a share and a job."""
    found = []
    for number in dict.fromkeys(t.example for t in templates):
        own = [t for t in templates if t.example == number]
        kinds = {t.kind for t in own}
        if "submit" in kinds and any(t.job for t in own) and own[0].side == "miner":
            found.append(number)
    whole = [n for n in found if any(t.kind == "job" and t.example == n for t in templates)] or found
    rules = {n: _signs_in(templates, n) for n in whole}
    return [n for n in whole if not any(rules[n] < others for others in rules.values())]


def _signs_in(templates: Sequence[Template], number: int) -> set[str]:
    """The rules by which the miner of an example subscribes and signs in."""
    return {t.rule for t in templates if t.example == number and t.kind in ("login", "subscribe")}


def play(
    templates: Sequence[Template],
    rng: random.Random,
    until_s: float,
    per_minute: float,
    blocks_s: Sequence[float] | None = None,
) -> Plan:
    """One session: the opening as the example has it, then jobs, shares and whatever else the miner says."""
    number = rng.choice(playable(templates))
    own = [t for t in templates if t.example == number]
    session, plan = Session(rng), Plan()
    first = next(i for i, t in enumerate(own) if t.kind == "submit")
    at, asked = 0.0, 0
    for template in own[:first]:
        if template.side == "miner":
            asked = plan.say(at, UP, session.line(template, session.next_id or 1))
            at += 0.5
            session.next_id = session.next_id + 1 if session.next_id else None
        elif plan.rows:
            plan.answer(asked, DOWN, session.line(template))
    if blocks_s is None:
        blocks_s = list(poisson(rng, until_s, rng.choice(BLOCK_S)))
    refresh_s = rng.choice([0, 10, 30, 30, 60])
    events = mixed(
        block=(at + rng.gammavariate(2, 0.4) for at in blocks_s),
        timer=every(rng, until_s, refresh_s, 0.01) if refresh_s else iter(()),
        share=poisson(rng, until_s, 60 / per_minute),
        rate=every(rng, until_s, 60) if rng.random() < 0.5 else iter(()),
    )
    _work(templates, own, session, plan, rng, events)
    return plan


def _work(
    templates: Sequence[Template],
    own: list[Template],
    session: Session,
    plan: Plan,
    rng: random.Random,
    events: Sequence[tuple[float, str]],
) -> None:
    share = next(t for t in own if t.kind == "submit")
    job = next((t for t in (*own, *templates) if t.kind == "job"), None) or next(t for t in own if t.job)
    taken = [t for t in (*own, *templates) if (t.kind, t.answers, t.outcome) == ("reply", "submit", "accepted")]
    rate = next((t for t in own if t.kind == "hashrate"), None)
    for at, what in events:
        if at < 2 or (what == "rate" and rate is None):
            continue
        if what in ("block", "timer"):
            plan.say(at, DOWN, session.line(job, 0))
            continue
        asked = share if what == "share" or rate is None else rate
        number = session.next_id or 4
        reply = acknowledgement(taken, session, rng, number)
        plan.ask(at, session.line(asked, number), reply)
        session.next_id = session.next_id + 1 if session.next_id else None


def acknowledgement(taken: list[Template], session: Session, rng: random.Random, number: int) -> int:
    if rng.random() < 0.02:
        refused = {"id": number, "result": None, "error": [23, "Low difficulty share", None]}
        return size_of(refused, session.styles[DOWN]) + 1
    if taken:
        return session.line(taken[0], number)
    return size_of({"id": number, "result": True, "error": None}, session.styles[DOWN]) + 1
