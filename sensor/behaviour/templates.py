"""The messages of a dialect as its examples show them, labelled by its rules, each with the lengths it can have.

A dialect's file is the only source: nothing here names a dialect. Messages of framings that put other bytes around the
text (HTTP, binary ones) are left out, because what stands around them is as long as the program that wrote it likes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from sensor.behaviour.spans import STYLES, Span, SpanMeter, Style, id_digits, leaves, size_of
from sensor.dialects.conversation import Conversation
from sensor.dialects.stream.message import Message
from sensor.signatures import Dialect, Example, MessageRule, ReplyRule, SignatureSet
from sensor.signatures.model import Outcome, Side

#: Framings in which a message is its text and an end or header of fixed length.
TEXT_FRAMINGS = ("json-lines", "websocket")
#: A text of a login that stands in a share, too, is the miner's name if it has this many characters.
SHORTEST_NAME = 4


@dataclass(frozen=True, slots=True)
class Template:
    """One message of an example."""

    rule: str
    side: Side
    kind: str  # of a miner's or pool's message; "reply" for what answers by id
    answers: str  # the kind of request that a reply answers; "" else
    request: str  # the rule of that request; "" else
    outcome: Outcome
    job: bool  # carries work
    value: Mapping[str, object]
    example: int  # the number of its example
    digits: int  # of its id
    spans: Mapping[Style, Span]
    beside_login: Mapping[Style, Span] | None = None  # with what the login says, too, as in the example


@dataclass(frozen=True, slots=True)
class _Request:
    rule: MessageRule
    key: str


def templates_of(dialect: Dialect, signatures: SignatureSet) -> tuple[Template, ...]:
    """Every message of the dialect's examples that its rules recognise, in their order."""
    found: list[Template] = []
    for number, example in enumerate(dialect.header.examples):
        if not example.counter:
            found.extend(_of_example(dialect, signatures, example, number))
    return tuple(found)


def messages_of(example: Example) -> Iterator[Message]:
    """The JSON messages of an example's dialogue, as the readers cut them."""
    conversation, offsets = Conversation(), [0, 0]
    for line in example.dialogue:
        for read in conversation.feed(line.direction, 0, offsets[line.direction], 0, line.data):
            if isinstance(read, Message):
                yield read
        offsets[line.direction] += len(line.data)


def _of_example(dialect: Dialect, signatures: SignatureSet, example: Example, number: int) -> Iterator[Template]:
    pending: list[_Request] = []
    shared: frozenset[str] = frozenset()
    for message in messages_of(example):
        value = dict(message.value)
        if message.framing not in TEXT_FRAMINGS:
            continue
        rule = next((rule for rule in dialect.messages if rule.when(value)), None)
        if rule is not None:
            if rule.side == "miner":
                pending.append(_Request(rule, _key(value)))
            if rule.kind == "login":
                shared = frozenset(part for _, part in leaves(value.get("params")) if _is_name(part))
            yield _of_rule(rule, value, number, shared)
        elif pending and not value.keys().isdisjoint(("result", "error")):
            asked = next((request for request in pending if request.key == _key(value)), None)
            if asked is None:
                asked = next((request for request in pending if request.rule.kind == "submit"), pending[0])
            else:
                pending.remove(asked)
            yield _of_reply(asked.rule, (*asked.rule.replies, *signatures.shared_replies(dialect)), value, number)


def _key(value: Mapping[str, object]) -> str:
    return json.dumps(value.get("id"))


def _is_name(part: object) -> TypeGuard[str]:
    return isinstance(part, str) and len(part) >= SHORTEST_NAME


def _beside(rule: MessageRule, value: dict[str, object], shared: frozenset[str]) -> dict[Style, Span] | None:
    """For a login, and for a share that repeats a text of it: the spans with those texts as they are."""
    repeats = any(part in shared for _, part in leaves(value) if isinstance(part, str))
    if rule.kind not in ("login", "submit") or not repeats:
        return None
    meter = SpanMeter(rule.when, rule.take, rule.secrets, rule.kind, shared)
    return {style: meter.measure(value, style) for style in STYLES}


def _of_rule(rule: MessageRule, value: dict[str, object], number: int, shared: frozenset[str]) -> Template:
    meter = SpanMeter(rule.when, rule.take, rule.secrets, rule.kind)
    answer = rule.kind == "answer"
    return Template(
        rule=rule.name,
        side=rule.side,
        kind="reply" if answer else rule.kind,
        answers=rule.answers[0] if answer else "",
        request="",
        outcome=rule.outcome,
        job=rule.kind == "job",
        value=value,
        example=number,
        digits=id_digits(value),
        spans={style: meter.measure(value, style) for style in STYLES},
        beside_login=_beside(rule, value, shared),
    )


def _of_reply(asked: MessageRule, replies: tuple[ReplyRule, ...], value: dict[str, object], number: int) -> Template:
    reply = next((reply for reply in replies if reply.when(value)), None)
    job = reply is not None and reply.job
    kind = "job" if job else "reply"
    meter = SpanMeter(reply.when, reply.take, (), kind) if reply is not None else None
    spans = {
        style: meter.measure(value, style) if meter else Span(20, 400, 0, None, size_of(value, style))
        for style in STYLES
    }
    return Template(
        rule=reply.name if reply is not None else "unnamed",
        side="pool",
        kind="reply",
        answers=asked.kind,
        request=asked.name,
        outcome=reply.outcome if reply is not None else "none",
        job=job,
        value=value,
        example=number,
        digits=id_digits(value),
        spans=spans,
    )
