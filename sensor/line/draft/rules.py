"""The rules of a drafted dialect: one for each verb and side, with the tests that all of its messages meet. Pure; gives
plain maps, as they stand in a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sensor.dialects.unknown.fields import JobFields, content, identity
from sensor.dialects.unknown.verbs import VERB_MEMBERS
from sensor.line.draft.roles import Role, Roles
from sensor.signatures.paths import MISSING, Parts, look

Rule = dict[str, object]

#: What each purpose is called in a rule.
KINDS = {
    "sign-in": "login",
    "subscribe": "subscribe",
    "share": "submit",
    "work-request": "getwork",
    "job": "job",
    "target": "target",
    "answer": "answer",
    "other": "other",
}
#: How much a rule speaks for the dialect against others, by kind.
WEIGHTS = {"submit": 100, "job": 60, "login": 20}
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{6,}\Z")


def rules_of(found: Roles) -> dict[str, Rule]:
    """The rules by name, the miner's first."""
    groups: dict[tuple[bool, str, str], list[Role]] = {}
    for role in found.roles:
        if role.verb is not None and role.purpose != "reply":
            outcome = role.outcome if role.purpose == "answer" else ""
            key = (role.message.direction != found.miner, role.verb.text, outcome)
            groups.setdefault(key, []).append(role)
    rules: dict[str, Rule] = {}
    for (of_pool, verb, outcome), roles in sorted(groups.items(), key=lambda item: item[0][0]):
        name = re.sub(r"[^a-z0-9]+", "-", f"{verb} {outcome}".lower()).strip("-") or "message"
        name = f"{name}-of-the-pool" if name in rules else name
        rules[name] = _rule(roles, found, of_pool=of_pool)
    unasked = [role for role in found.roles if role.purpose == "reply" and role.jobs and role.answers is None]
    if unasked:
        rules["work-unasked"] = _rule(unasked, found, of_pool=True, kind="job")
    return rules | _otherwise(rules)


def _otherwise(rules: dict[str, Rule]) -> dict[str, Rule]:
    """What refuses a share: any other answer with the verb of one that takes it."""
    found: dict[str, Rule] = {}
    for name, rule in rules.items():
        tests = _map(rule["when"])
        if rule["kind"] == "answer" and rule["outcome"] == "accepted" and len(tests) > 1:
            verb, text = next(iter(tests.items()))
            other = {"when": {verb: text}, "answers": ["submit"], "outcome": "rejected"}
            found[f"{name.removesuffix('-accepted')}-otherwise"] = {**rule, **other}
    return found


def _rule(roles: list[Role], found: Roles, *, of_pool: bool, kind: str | None = None) -> Rule:
    kind = kind or _kind(roles)
    rule: Rule = {"from": "pool" if of_pool else "miner", "kind": kind}
    taken, tests = _fields(roles, found)
    rule["when"] = {**_verb_test(roles), **_shape(roles), **tests, **(_outcome_test(roles) if kind == "answer" else {})}
    each = _each(roles)
    if each is not None:
        rule["each"] = path_text(each)
        taken = {name: f".{path_text(path[len(each) + 1 :])}" for name, path in _job_paths(roles[0].jobs[0], found)}
    if taken:
        rule["take"] = taken
    if kind in ("login", "subscribe"):
        rule["secrets"] = [path_text(path) for path in dict.fromkeys(path for role in roles for path in role.secrets)]
    if kind == "answer":
        of_share = ["submit"] if roles[0].outcome != "none" else []
        rule |= {"answers": [*of_share, "login", "subscribe"], "outcome": roles[0].outcome}
    if kind in WEIGHTS:
        rule["weight"] = WEIGHTS[kind]
    if kind in ("other", "target", "getwork"):
        rule["confirms"] = False
    replies = _replies(roles, found)
    if replies:
        rule["replies"] = replies
    return rule


def _map(value: object) -> Rule:
    return value if isinstance(value, dict) else {}


def _kind(roles: list[Role]) -> str:
    role = roles[0]
    if role.purpose in ("sign-in", "subscribe"):
        return "login" if any("login" in each.fields for each in roles) else "subscribe"
    if role.purpose == "share" and not any("job" in each.fields for each in roles):
        return "other"
    if role.purpose == "job" and not any(each.jobs for each in roles):
        return "other"
    return KINDS[role.purpose]


def _verb_test(roles: list[Role]) -> Rule:
    value = roles[0].message.value
    return next(({name: value[name]} for name in VERB_MEMBERS if isinstance(value.get(name), str)), {})


def _shape(roles: list[Role]) -> Rule:
    """The length of a list that all have."""
    inners = [content(role.message.value) for role in roles]
    raw = [look(role.message.value, path[:1]) for role, (_, path) in zip(roles, inners, strict=True)]
    sizes = [len(value) for value in raw if isinstance(value, list)]
    if len(sizes) != len(roles) or not inners[0][1]:
        return {}
    low, high = min(sizes), max(sizes)
    return {path_text(inners[0][1][:1]): {"is": "list", "length": low if low == high else [low, high]}}


def _fields(roles: list[Role], found: Roles) -> tuple[dict[str, str], Rule]:
    """Where the fields stand, and the tests that they meet in every message."""
    taken: dict[str, str] = {}
    tests: Rule = {}
    paths: dict[str, Parts] = {}
    for role in reversed(roles):
        paths |= {name: field.path for name, field in role.fields.items()}
        for job in role.jobs[:1]:
            paths |= dict(_job_paths(job, found))
            if job.work is not None:
                paths["work"] = job.work.path
    for name, path in paths.items():
        values = [look(role.message.value, path) for role in roles]
        if any(value is MISSING for value in values):
            if name in ("agent", "worker", "login"):
                taken[name] = path_text(path)
            continue
        if name not in ("agent", "worker"):
            tests[path_text(path)] = _test(name, values)
        if name not in ("nonce", "work"):
            taken["account" if name == "login" and roles[0].purpose == "share" else name] = path_text(path)
    return taken, tests


def _job_paths(job: JobFields, found: Roles) -> list[tuple[str, Parts]]:
    """A job's id, by which shares name it, and what it says of a share's worth."""
    ids = [each for each in job.ids if identity(each)[0] in found.named] or list(job.ids)
    places = {"job": ids[0], "target": job.target or job.perhaps_target, "difficulty": job.difficulty}
    return [(name, each.path) for name, each in places.items() if each is not None]


def _test(name: str, values: Sequence[object]) -> Rule:
    if name in ("job", "difficulty"):
        return {"is": "scalar" if name == "job" else "number"}
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values) and all(map(_HEX.match, texts)) and name != "login":
        sizes = sorted({len(text.lower().removeprefix("0x")) for text in texts})
        # One length says little of the next message: only lengths of whole numbers of 4 bytes are taken for fixed.
        fixed = len(sizes) == 1 and sizes[0] % 8 == 0 and sizes[0] <= 64
        return {"hex": sizes[0] if fixed else [max(2, sizes[0] // 2), sizes[-1] * 4]}
    kinds: tuple[tuple[str, Callable[[object], bool]], ...] = (
        ("text", lambda value: isinstance(value, str)),
        ("boolean", lambda value: isinstance(value, bool)),
        ("integer", lambda value: isinstance(value, int)),
        ("number", lambda value: isinstance(value, int | float)),
        ("list", lambda value: isinstance(value, list)),
    )
    return {"is": next((kind for kind, holds in kinds if all(map(holds, values))), "present")}


def _outcome_test(roles: list[Role]) -> Rule:
    """By what an answer of this outcome differs: a result of true or false, a code, or a text."""
    value = roles[0].message.value
    inner, path = content(value)
    for member in ("result", "code", "status", "description", "message"):
        place = (*path, member) if isinstance(inner, dict) else (member,)
        values = [look(role.message.value, place) for role in roles]
        plain = [each for each in values if isinstance(each, bool | int | str)]
        if len(plain) == len(values):
            unique = list(dict.fromkeys(plain))
            return {path_text(place): unique[0] if len(unique) == 1 else {"one_of": unique}}
    return {}


def _each(roles: list[Role]) -> Parts | None:
    """The list of a message that gives several jobs."""
    for role in roles:
        inner, path = content(role.message.value)
        if role.jobs and isinstance(inner, list) and inner and isinstance(inner[0], dict):
            return path
    return None


def _replies(roles: list[Role], found: Roles) -> list[Rule]:
    """What is answered to these requests, where the framing's replies do not say it."""
    requests = {id(role.message) for role in roles}
    replies = [
        role for role in found.roles if role.answers is not None and id(found.roles[role.answers].message) in requests
    ]
    rules: list[Rule] = []
    work = [reply for reply in replies if reply.jobs]
    if work:
        taken, tests = _fields(work[:1], found)
        rules.append(
            {"name": "work", "when": tests, "outcome": "accepted", "job": True, "take": taken, "confirms": True}
        )
    if roles[0].purpose == "share":
        for outcome in ("accepted", "rejected"):
            when = [_result_test(reply) for reply in replies if reply.outcome == outcome]
            rules += [
                {"name": outcome, "when": test, "outcome": outcome, "confirms": True}
                for number, test in enumerate(when)
                if test and test not in when[:number]
            ]
    if rules and len(rules) == 1 and (other := _opposite(rules[0])) is not None:
        rules.append(other)
    for number, rule in enumerate(rules):
        rule["name"] = rule["name"] if not number else f"{rule['name']}-{number + 1}"
    return rules


def _opposite(rule: Rule) -> Rule | None:
    """The answer that was not seen, where it can only be the opposite."""
    taken = {"true": "false", "false": "true"}.get(str(_map(rule["when"]).get("result.0")))
    if taken is None or not isinstance(_map(rule["when"])["result.0"], str):
        return None
    outcome = "rejected" if rule["outcome"] == "accepted" else "accepted"
    return {**rule, "name": outcome, "when": {"result.0": taken}, "outcome": outcome}


def _result_test(reply: Role) -> Rule:
    """The test of a result that is a list or a text of the pool's own."""
    result = reply.message.value.get("result")
    if isinstance(result, list) and result and isinstance(result[0], bool | str):
        return {"result.0": result[0]}
    if isinstance(result, str) and result.lower() != "ok":
        start = re.match(r"[A-Za-z _]{1,24}", result)
        return {"result": {"matches": f"^{start[0].rstrip()}"} if start else result}
    return {}


def path_text(path: Parts) -> str:
    """A path as signatures write it."""
    return ".".join(f'"{step}"' if isinstance(step, str) and re.search(r"[.\s]", step) else str(step) for step in path)
