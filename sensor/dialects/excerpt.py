"""A short printable excerpt of a message for evidence, with every secret blanked. Knows JSON values, where a rule says
secrets stand, and which texts may hold others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sensor.model.text import printable
from sensor.signatures.paths import Parts
from sensor.signatures.secret_text import BLANK, is_spoken, shown

MAX_EXCERPT = 160
#: The member of a message that holds what sensor/session/unknown.py makes of it.
FORM = "as"
#: Members that hold a secret in any dialect, whatever the rule; `api_key` is not one, it is Beam's login.
SECRET_KEYS = frozenset({"pass", "password", "passwd", "pwd", "secret"})
#: Secrets by name are looked for this deep; no dialect puts them deeper.
MAX_DEPTH = 4


def excerpt(value: dict[str, object], secrets: Iterable[Parts]) -> str:
    """At most 160 characters; a dot for each that does not print. A plain form (`as`) was not sent and is left out."""
    sent = {name: part for name, part in value.items() if name != FORM} if FORM in value else value
    return printable(_text(blanked(sent, secrets))[:MAX_EXCERPT], ".")


def blanked(value: object, secrets: Iterable[Parts]) -> object:
    """A message without what these places hold, and without what is called a secret."""
    left = value
    for parts in secrets:
        left = _at(left, parts)
    return _by_name(left, 0)


def _text(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError):
        return "{...}"


def _by_name(value: object, depth: int, *, spoken: bool = False, key: str = "") -> object:
    """The value without what is a secret by its member's name, or by its text; `spoken`: within what a pool says of an
    error."""
    if isinstance(value, str):
        return shown(value, spoken=spoken, key=key)
    if depth > MAX_DEPTH:
        return BLANK if isinstance(value, dict | list) else value
    if isinstance(value, dict):
        return {
            key: BLANK
            if key.lower() in SECRET_KEYS
            else _by_name(inner, depth + 1, spoken=spoken or is_spoken(key, inner), key=key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_by_name(inner, depth + 1, spoken=spoken) for inner in value]
    return value


def _at(value: object, parts: Parts) -> object:
    if not parts:
        return BLANK
    step, rest = parts[0], parts[1:]
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        copy = list(value)
        copy[step] = _at(copy[step], rest)
        return copy
    if isinstance(value, dict) and str(step) in value:
        return {**value, str(step): _at(value[str(step)], rest)}
    return value
