"""What a message is for by its verb alone: the verbs are those that the shipped dialects use, in any namespace and
spelling (`mining.submit`, `xyz_submitWork`, `submit`).

A verb decides the side, too: what only miners send, and what only pools send. Knows names, no fields and no sessions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from sensor.model.text import printable

Purpose = Literal["sign-in", "subscribe", "share", "work-request", "job", "target", "answer", "none"]

#: Members that may hold the verb, the usual one first.
VERB_MEMBERS = ("method", "command", "type", "identifier")
#: Purposes of the miner's verbs, and of the pool's.
OF_MINER = frozenset({"sign-in", "subscribe", "share", "work-request"})
OF_POOL = frozenset({"job", "target", "answer"})
#: Characters of a verb that are looked at.
MAX_VERB = 48

#: Verbs with one of these do something beside mining's own course, whatever else is in them.
_ASIDE = frozenset({"hashrate", "extranonce", "suggest", "status", "transactions", "version", "block", "blocktemplate"})
_SIGN_IN = frozenset({"login", "authorize", "auth"})
_SUBSCRIBE = frozenset({"subscribe", "hello", "handshake"})
_SHARE = frozenset({"submit", "solution", "solved"})
_WORK_REQUESTS = frozenset({"getwork", "getjob", "getjobtemplate"})
_JOB = frozenset({"notify", "job"})
_TARGET = frozenset({"target", "difficulty"})
#: Verbs that end in one of these answer the verb before it.
_OUTCOMES = frozenset({"success", "failure"})
_ANSWER = frozenset({"result", "submitted", "accepted", "hashsolved", "authed", "error"})


class Verb(NamedTuple):
    """A verb as it came, and what it is for."""

    text: str
    purpose: Purpose
    is_mining: bool  # of the namespace that only mining has


@lru_cache(maxsize=1024)
def verb_of(text: str) -> Verb:
    """The verb with this text, of MAX_VERB characters at most."""
    text = printable(text, ".")
    parts = tuple(part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", text))
    return Verb(text, _purpose(frozenset(parts)), parts[:1] == ("mining",) and len(parts) > 1)


def _purpose(parts: frozenset[str]) -> Purpose:
    if parts & _ASIDE:
        return "none"
    if parts & _OUTCOMES:
        return "answer"
    if parts == {"mining", "set"} or ("set" in parts and parts & _TARGET):
        return "target"
    table: tuple[tuple[Purpose, frozenset[str]], ...] = (
        ("sign-in", _SIGN_IN),
        ("share", _SHARE),
        ("answer", _ANSWER),
        ("subscribe", _SUBSCRIBE),
        ("work-request", _WORK_REQUESTS),
        ("job", _JOB),
    )
    if {"get", "work"} <= parts:
        return "work-request"
    return next((purpose for purpose, verbs in table if parts & verbs), "none")


def verb_in(value: dict[str, object]) -> Verb | None:
    """The verb of a message; None if it has none."""
    for member in VERB_MEMBERS:
        text = value.get(member)
        if type(text) is str:
            return verb_of(text[:MAX_VERB])
    return None
