"""What each message of a transcript is for, and where it has its fields: the same sight that the generic dialect has,
over a whole conversation at once. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sensor.dialects.stream.message import Message
from sensor.dialects.unknown.fields import (
    Field,
    JobFields,
    computed,
    content,
    fields,
    identity,
    jobs,
    jobs_in_result,
    secrets,
    sign_in,
    target_of,
)
from sensor.dialects.unknown.outcomes import outcome_of
from sensor.dialects.unknown.verbs import OF_MINER, Verb, verb_in
from sensor.session.pending_requests import id_key
from sensor.session.session import is_reply
from sensor.signatures.paths import MISSING, Parts

#: How requests are remembered until their replies.
MAX_ASKED = 256


class Role(NamedTuple):
    """One message: what it is for, its fields by what they mean, and the request that it answers."""

    message: Message
    purpose: str  # of its verb; `reply` without one
    verb: Verb | None
    fields: dict[str, Field]
    jobs: tuple[JobFields, ...] = ()
    answers: int | None = None  # the index of the request
    outcome: str = "none"
    secrets: tuple[Parts, ...] = ()


@dataclass(slots=True)
class Roles:
    """A transcript that was understood."""

    miner: int  # direction
    roles: list[Role] = field(default_factory=list)
    named: set[str] = field(default_factory=set)  # names of the fields by which shares name their jobs
    shares: int = 0  # that name a job


def roles_of(messages: list[Message]) -> Roles:
    """What the messages are for."""
    found = Roles(_miner(messages))
    ids: set[tuple[str, str]] = set()
    asked: dict[tuple[str, object], int] = {}
    firsts: set[str] = set()
    for index, message in enumerate(messages):
        role = _role(message, found, ids)
        if role.purpose == "reply":
            role = _reply(role, asked, found)
        elif message.direction == found.miner and len(asked) < MAX_ASKED:
            asked[id_key(message.value.get("id", MISSING))] = index
        if "first" in role.fields:
            firsts.add(str(role.fields["first"].value))
        for job in role.jobs:
            ids.update(identity(each) for each in job.ids)
        found.roles.append(role)
    _name_logins(found, firsts)
    return found


def _miner(messages: list[Message]) -> int:
    """The direction that sends what miners send."""
    counts = [0, 0]
    for message in messages:
        verb = verb_in(message.value)
        if verb is not None and not is_reply(message.value):
            counts[message.direction] += verb.purpose in OF_MINER
    return int(counts[1] > counts[0])


def _role(message: Message, found: Roles, ids: set[tuple[str, str]]) -> Role:
    value, verb = message.value, verb_in(message.value)
    from_miner = message.direction == found.miner
    purpose = verb.purpose if verb is not None else "reply"
    if is_reply(value) and not (from_miner and purpose == "share"):
        return Role(message, "reply", verb, {})
    if purpose in ("sign-in", "subscribe") and from_miner:
        return Role(message, purpose, verb, sign_in(value, subscribes=purpose == "subscribe"), secrets=secrets(value))
    if purpose == "share" and from_miner:
        return Role(message, purpose, verb, _share(value, found, ids))
    if purpose == "job" and not from_miner:
        return Role(message, purpose, verb, {}, jobs(*content(value)))
    if purpose == "target" and not from_miner:
        return Role(message, purpose, verb, target_of(value))
    if purpose == "answer" and not from_miner:
        return Role(message, purpose, verb, {}, outcome=outcome_of(value))
    return Role(message, "work-request" if purpose == "work-request" and from_miner else "other", verb, {})


def _share(value: dict[str, object], found: Roles, ids: set[tuple[str, str]]) -> dict[str, Field]:
    inner, path = content(value)
    its = fields(inner, path)
    named = next((each for each in its if identity(each) in ids), None)
    if named is None:
        return {}
    found.shares += 1
    found.named.add(identity(named)[0])
    others = [each for each in its if each.path != named.path]
    proof = computed(others, in_list=isinstance(inner, list))
    taken = {"job": named} if proof is None else {"job": named, "nonce": proof}
    if isinstance(inner, list) and its and its[0].text and its[0].path != named.path:
        taken["login"] = its[0]
    elif isinstance(inner, dict):
        signed = sign_in(value, subscribes=True)
        taken |= {name: signed[name] for name in ("login", "worker") if name in signed}
    return taken


def _reply(role: Role, asked: dict[tuple[str, object], int], found: Roles) -> Role:
    """A reply with the request that it answers, and the work that it brings."""
    value = role.message.value
    index = asked.get(id_key(value.get("id", MISSING)))
    request = found.roles[index] if index is not None else None
    result = value.get("result")
    given = jobs_in_result(result) if isinstance(result, dict | list) else ()
    outcome = outcome_of(value) if request is not None and request.purpose == "share" else "none"
    return role._replace(answers=index, jobs=given, outcome=outcome)


def _name_logins(found: Roles, firsts: set[str]) -> None:
    """The first text of a subscription is a login where shares begin with the same text, and an agent elsewhere."""
    paid = {
        str(role.fields["login"].value) for role in found.roles if role.purpose == "share" and "login" in role.fields
    }
    for index, role in enumerate(found.roles):
        first = role.fields.get("first")
        if first is None:
            continue
        meaning = "login" if str(first.value) in paid & firsts else "agent"
        found.roles[index] = role._replace(
            fields={**{k: v for k, v in role.fields.items() if k != "first"}, meaning: first}
        )
