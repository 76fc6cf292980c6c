"""Whether an answer of an unknown dialect takes what was sent or refuses it, by its verb, its marks or its text."""

from __future__ import annotations

import re
from typing import Literal

from sensor.dialects.unknown.fields import content, fields
from sensor.dialects.unknown.verbs import verb_in

_REFUSED = re.compile(r"(?i)\b(?:reject|refus|stale|invalid|low diff|duplicate|error|denied|too late|fail|false|not )")
_TAKEN = re.compile(r"(?i)^(?:ok|true|accept|success|block ?found|hash_?(?:accepted|solved)|login success)")


def says_accepted(error: object) -> bool:
    """Whether an error is none: some pools take a share that is late, and say so as an error."""
    texts = fields({"error": error}) if isinstance(error, dict | list) else []
    return any(re.search(r"(?i)(?<!not )\baccepted\b", field.text) for field in texts if field.text is not None)


def outcome_of(value: dict[str, object]) -> Literal["accepted", "rejected", "none"]:
    """What an answer means; "none" where nothing in it says so."""
    if value.get("error") not in (None, False, "", 0):
        return "accepted" if says_accepted(value["error"]) else "rejected"
    inner, path = content(value)
    results = [value.get("result"), *(field.value for field in fields(inner, path) if field.name == "result")]
    if False in [result for result in results if isinstance(result, bool)]:
        return "rejected"
    verb = verb_in(value)
    texts = [verb.text, verb.text.rpartition("_")[2]] if verb is not None else []
    texts += [field.text for field in fields(inner, path) if field.text is not None]
    if any(_REFUSED.search(text) for text in texts):
        return "rejected"
    if True in [result for result in results if isinstance(result, bool)] or any(map(_TAKEN.search, texts)):
        return "accepted"
    return "none"
