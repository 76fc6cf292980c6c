"""The file of a drafted dialect: what was seen is filled in, what only a person knows is marked with EDIT. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sensor.dialects.excerpt import blanked
from sensor.line.draft.roles import Role, Roles, roles_of
from sensor.line.draft.rules import Rule, rules_of
from sensor.line.draft.transcript import Transcript
from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet
from sensor.signatures.loader import parse
from sensor.signatures.model import Dialect

#: Messages of the example, and shares with their answers that it has.
MAX_EXAMPLE, EXAMPLE_SHARES = 40, 3
#: Literals of a gate have at least and at most so many bytes.
LITERAL = (4, 16)
FILE = "draft"

HEAD = """\
# Drafted from {flow}. Lines with EDIT say what only a person knows.
# `minewatch signatures test` with this file proves it.
kind: dialect
name: draft  # EDIT: lower-case letters, digits and hyphens
id: 5001  # EDIT: a number of your own, from 5000
rev: 1
title: A dialect drafted from a capture  # EDIT: the alert's text
description: Drafted from a capture, not yet described.  # EDIT
references: [a capture of one's own]  # EDIT: where the protocol is described
framing: json-lines
family: draft  # EDIT: as the name
# coin: XYZ  # EDIT: where all who speak this mine one coin
# algorithm: xyz  # EDIT: and one algorithm

gate:
  literals: {literals}

messages:
"""


class DraftError(Exception):
    """Nothing can be drafted; the message says why, in a clause."""


def draft(transcript: Transcript, signatures: SignatureSet) -> str:
    """The text of a signature that recognises this conversation. Raises DraftError where no share in it names a job."""
    found = roles_of(transcript.messages)
    if not found.shares:
        raise DraftError("nobody sends a share that names a job which the other side gave")
    rules = rules_of(found)
    head = HEAD.format(flow=transcript.flow, literals=json.dumps(_literals(found)))
    body = [
        f"  {name}:\n" + "".join(f"    {key}: {flow_text(part)}\n" for key, part in rule.items())
        for name, rule in rules.items()
    ]
    text = head + "".join(body) + _work(found) + "\n"
    dialogue = _dialogue(found, signatures)
    proof = _proof(dialogue, "{}")
    return text + _proof(dialogue, _expected(text + proof, signatures))


def flow_text(value: object) -> str:
    """A value in YAML's flow style: JSON is YAML, and plain texts need no quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow_text(key)}: {flow_text(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.-]*", value) and not _is_special(value):
        return value
    return json.dumps(value, ensure_ascii=True)


def _is_special(text: str) -> bool:
    return text.lower() in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def _literals(found: Roles) -> list[str]:
    """The verb of a share in quotes, cut to what a literal may have; mid-stream, it opens the gate."""
    verbs = [role.verb.text for role in found.roles if role.purpose == "share" and role.verb is not None]
    literal = f'"{verbs[0]}"'[: LITERAL[1]]
    return [literal] if len(literal.encode()) >= LITERAL[0] else []


def _work(found: Roles) -> str:
    """What a share is worth, as far as the messages say it."""
    given = [job for role in found.roles for job in role.jobs]
    targets = [target for job in given if (target := job.target or job.perhaps_target) is not None]
    targets += [role.fields["target"] for role in found.roles if role.purpose == "target" and "target" in role.fields]
    lines = ["\nwork:\n  unit: hashes  # EDIT: or solutions\n"]
    if targets and targets[0].digits == 64:
        form = "reversed" if str(targets[0].value).endswith("000000") and not _zeros(targets[0].value) else "boundary"
        lines.append(f"  rules:\n    - {{use: target, form: {form}}}  # EDIT: compare with what the pool shows\n")
    elif targets:
        lines.append("  # EDIT: what the target means\n  # rules:\n  #   - {use: target, form: little-endian}\n")
    else:
        lines.append(
            "  # EDIT: what difficulty 1 is\n  # rules:\n  #   - {use: difficulty, form: scaled, factor: 2^32}\n"
        )
    return "".join(lines)


def _zeros(value: object) -> bool:
    return str(value).lower().removeprefix("0x").startswith("000000")


def _dialogue(found: Roles, signatures: SignatureSet) -> list[str]:
    """The conversation up to the answers of its first shares, without secrets."""
    lines: list[str] = []
    shares, answered = 0, 0
    for role in found.roles[:MAX_EXAMPLE]:
        if role.purpose == "share" and shares >= EXAMPLE_SHARES:
            break
        shares += role.purpose == "share"
        lines.append(_line(role, signatures))
        answered += role.outcome != "none"
        if answered >= EXAMPLE_SHARES:
            break
    return lines


def _line(role: Role, signatures: SignatureSet) -> str:
    """A message without its secrets: those of a sign-in, and those that any signature knows."""
    value = role.message.value
    places = [place for _, rule in signatures.match(value) for place in rule.secrets]
    return (
        f"{'CS'[role.message.direction]} {json.dumps(blanked(value, [*role.secrets, *places]), separators=(',', ':'))}"
    )


def _proof(dialogue: Sequence[str], expected: str) -> str:
    script = "".join(f"      {line}\n" for line in dialogue)
    return (
        f"examples:\n  - name: as it was captured\n    dialogue: |\n{script}    expect: {expected}\n\n"
        "counterexamples:\n  - name: a service that is no pool  # EDIT: something like it that is not mining\n"
        '    dialogue: |\n      C {"id":1,"method":"status","params":{}}\n      S {"id":1,"result":"ready"}\n'
    )


def _expected(text: str, signatures: SignatureSet) -> str:
    """What this draft finds in its own example. Raises DraftError where that is nothing."""
    problems: list[str] = []
    dialect = parse(text, FILE, problems, [])
    if not isinstance(dialect, Dialect):
        raise DraftError(f"its messages do not fit the language of signatures ({problems[0]})")
    whole = replace(signatures, dialects=(*signatures.dialects, dialect), _by_framing={}, _shares={})
    pipeline = Pipeline(whole)
    pipeline.step(dialogue_events(dialect.header.examples[0].dialogue))
    found = [record for record in pipeline.finish() if isinstance(record, Finding) and record.dialect == dialect.name]
    if not found:
        raise DraftError("the draft does not find its own example: another signature reads it better")
    return flow_text([_facts(record) for record in found])


def _facts(record: Finding) -> Rule:
    facts: Rule = {"login": record.login, "worker": record.worker, "agent": record.agent}
    facts |= {name: getattr(record.shares, name) for name in ("submitted", "accepted", "rejected", "unanswered")}
    work = {} if record.hashes_per_share is None else {"hashes_per_share": record.hashes_per_share}
    return {**facts, **work, "grade": record.grade.label}
