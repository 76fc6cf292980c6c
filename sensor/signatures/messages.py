"""The `messages` block of a dialect: how each message is recognised, who sends it, what is taken from it, and how its
replies are read.

Knows the keys and their meaning for a session; the session itself is elsewhere.
"""

from __future__ import annotations

from typing import Literal, cast

from sensor.signatures.language import NEVER, When, conditions
from sensor.signatures.located import YamlEntry
from sensor.signatures.message_values import MessageValues, as_record
from sensor.signatures.model import MINER_KINDS, POOL_KINDS, MessageRule, Outcome, ReplyRule, Side
from sensor.signatures.paths import parse_path
from sensor.signatures.proofs import compile_proof
from sensor.signatures.take import compile_take

RULE_KEYS = (
    "from",
    "kind",
    "when",
    "take",
    "secrets",
    "weight",
    "confirms",
    "each",
    "by_algorithm",
    "scope",
    "replies",
    "answers",
    "outcome",
    "set",
    "basis",
    "proof",
    "note",
)
REPLY_KEYS = ("name", "when", "outcome", "job", "take", "weight", "confirms", "set", "proof", "note")
CONSTANTS = ("algorithm", "coin")


def compile_messages(entry: YamlEntry) -> tuple[MessageRule, ...]:
    """All message rules of a dialect, in their order: the first that fits a message wins."""
    block = entry.keys.get("messages")
    if block is None or not block.is_map():
        entry.fail("messages are missing")
        return ()
    rules = tuple(_rule(name, item) for name, item in block.keys.items() if item.is_map())
    if not any(rule.side == "miner" for rule in rules):
        block.fail("no message of the miner is described")
    return rules


def _rule(name: str, entry: YamlEntry) -> MessageRule:
    entry.only(RULE_KEYS)
    side = cast(Side, entry.choice("from", ("miner", "pool")))
    kind = entry.choice("kind", MINER_KINDS if side == "miner" else POOL_KINDS)
    when, methods = _when(entry)
    secrets = entry.texts("secrets")
    if kind == "login" and "secrets" not in entry.keys:
        entry.fail("a login must say where its secret stands (secrets: [] if it has none)")
    answers = entry.texts("answers")
    if (kind == "answer") != bool(answers):
        entry.fail("`answers` (kinds of request) belongs to kind: answer, and must be there")
    for answered in answers:
        if answered not in MINER_KINDS:
            entry.keys["answers"].fail(f"{answered!r} is not one of {', '.join(MINER_KINDS)}")
    each = entry.optional("each")
    by_algorithm = "by_algorithm" in entry.keys and entry.keys["by_algorithm"].scalar is True
    if by_algorithm and (each is None or kind != "job"):
        entry.keys["by_algorithm"].fail("belongs to a job that has `each`: the list of difficulties")
    return MessageRule(
        name=name,
        side=side,
        kind=kind,
        when=when.holds,
        needs=when.needs,
        methods=methods,
        take=compile_take(entry.keys.get("take")),
        secrets=tuple(parse_path(path) for path in secrets),
        weight=entry.number("weight", 0, -1_000, 1_000),
        confirms=_confirms(entry, "own"),
        each=parse_path(each) if each else None,
        every_job=entry.choice("scope", ("next-job", "every-job"), "next-job") == "every-job",
        replies=compile_replies(entry.keys.get("replies")),
        answers=answers,
        outcome=cast(Outcome, entry.choice("outcome", ("accepted", "rejected", "none"), "none")),
        constants=_constants(entry),
        proof=compile_proof(entry.keys.get("proof")),
        by_algorithm=by_algorithm,
        basis="stated" if entry.choice("basis", ("proven", "stated"), "proven") == "stated" else "proven",
    )


def compile_replies(entry: YamlEntry | None) -> tuple[ReplyRule, ...]:
    """`replies`: alternatives, the first that fits wins."""
    if entry is None:
        return ()
    rules = []
    for item in entry.each():
        if not item.is_map():
            continue
        item.only(REPLY_KEYS)
        job = item.keys["job"].scalar is True if "job" in item.keys else False
        rules.append(
            ReplyRule(
                name=item.text("name"),
                when=_when(item)[0].holds,
                outcome=cast(Outcome, item.choice("outcome", ("accepted", "rejected", "none"), "none")),
                job=job,
                take=compile_take(item.keys.get("take")),
                weight=item.number("weight", 0, -1_000, 1_000),
                confirms=_confirms(item, "none"),
                constants=_constants(item),
                proof=compile_proof(item.keys.get("proof")),
            )
        )
    return tuple(rules)


def _when(entry: YamlEntry) -> tuple[When, tuple[str, ...]]:
    block = entry.keys.get("when")
    if block is None:
        entry.fail("when is missing")
        return NEVER, ()
    options = list(block.each())
    methods: list[str] = []
    for option in options:
        named = _methods(option)
        if not named:
            return conditions(block), ()
        methods.extend(named)
    return conditions(block), tuple(dict.fromkeys(methods))


def _methods(option: YamlEntry) -> list[str]:
    test = option.keys.get("method")
    if test is None:
        return []
    if test.shape == "map" and len(test.keys) == 1:
        test = test.keys.get("one_of", test.keys.get("equals", test))
    named = [item.scalar for item in test.each()]
    return [name for name in named if isinstance(name, str)] if all(isinstance(name, str) for name in named) else []


def _confirms(entry: YamlEntry, default: Literal["none", "own"]) -> Literal["none", "own", "both"]:
    given = entry.keys.get("confirms")
    if given is None:
        return default
    if given.scalar == "both":
        return "both"
    if isinstance(given.scalar, bool):
        return "own" if given.scalar else "none"
    given.fail("must be true, false or both")
    return default


def _constants(entry: YamlEntry) -> MessageValues:
    block = entry.keys.get("set")
    if block is None or not block.is_map():
        return {}
    block.only(CONSTANTS)
    return as_record({name: block.text(name) for name in block.keys if name in CONSTANTS})
