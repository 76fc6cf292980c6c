"""What a message gives: named values taken from paths, turned into plain text or numbers, bounded and never raising.

Knows paths and the few conversions; the names (login, job, target, ...) and their types are those of `MessageValues`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sensor.model.text import CutText, printable
from sensor.signatures.language import MAX_MATCHED_TEXT, MISSING, Parts, compile_pattern, look, parse_path
from sensor.signatures.located import YamlEntry
from sensor.signatures.message_values import (
    CONVERSIONS,
    DEFAULT_CONVERSIONS,
    MessageValues,
    Taken,
    as_record,
    conversions_of,
)
from sensor.signatures.secret_text import without_password, without_secrets

#: Longest text kept of any text from the network; wallets with mail address and options stay well below.
MAX_TEXT = 256
#: Values that are logins.
LOGINS = ("login", "account")


@dataclass(frozen=True, slots=True)
class ValueSource:
    """One place a value may stand, and how it is read."""

    parts: Parts
    relative: bool  # from the element of `each`, not from the message
    conversion: str
    pattern: re.Pattern[str] | None
    names: Mapping[str, str] | None = None  # what is called so in the message is called so here; nothing else counts

    def read(self, message: object, element: object) -> Taken | None:
        """The value, or None if it is absent or not of the right kind."""
        value = look(element if self.relative else message, self.parts)
        if value is MISSING or value is None or isinstance(value, bool | list | dict | CutText):
            return None
        if self.pattern is not None:
            found = self.pattern.search(str(value)[:MAX_MATCHED_TEXT]) if isinstance(value, str) else None
            if found is None:
                return None
            value = found[1] if self.pattern.groups else found[0]
        if self.names is not None:
            value = self.names.get(str(value))
        return convert(value, self.conversion)


@dataclass(frozen=True, slots=True)
class TakeRules:
    """All named values of one message; per name the first source that has a value wins."""

    sources: tuple[tuple[str, tuple[ValueSource, ...]], ...]

    def read(self, message: object, element: object = None) -> MessageValues:
        """The values that are there."""
        found: dict[str, Taken] = {}
        for name, places in self.sources:
            for place in places:
                value = place.read(message, element)
                if isinstance(value, str) and name in LOGINS:
                    value = without_password(value)
                if value is not None and value != "":
                    found[name] = value
                    break
        return as_record(found)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.sources}


def compile_take(entry: YamlEntry | None) -> TakeRules:
    """`take`: a map of name to a path, to a map {path, as, matches, names}, or to a list of these."""
    if entry is None or not entry.is_map():
        return TakeRules(())
    entry.only(DEFAULT_CONVERSIONS)
    compiled = []
    for name, places in entry.keys.items():
        if name in DEFAULT_CONVERSIONS:
            compiled.append((name, tuple(_source(name, place) for place in places.each())))
    return TakeRules(tuple(compiled))


def _source(name: str, entry: YamlEntry) -> ValueSource:
    path, conversion, pattern, names = "", DEFAULT_CONVERSIONS[name], None, None
    if entry.shape == "map":
        entry.only(("path", "as", "matches", "names"))
        path = entry.text("path")
        conversion = entry.choice("as", CONVERSIONS, conversion)
        if conversion not in conversions_of(name):
            entry.keys["as"].fail(f"{name} is read by {', '.join(conversions_of(name))}, not by {conversion}")
        if "matches" in entry.keys:
            pattern = compile_pattern(entry.keys["matches"])
        if "names" in entry.keys and entry.keys["names"].is_map():
            names = {theirs: entry.keys["names"].text(theirs) for theirs in entry.keys["names"].keys}
    elif isinstance(entry.scalar, str):
        path = entry.scalar
    else:
        entry.fail("must be a path")
    return ValueSource(parse_path(path), path.startswith("."), conversion, pattern, names)


def clean(text: str) -> str:
    """Text fit to keep: bounded, without control characters, lone surrogates and passwords."""
    return without_secrets(printable(text[:MAX_TEXT], "�").strip())


def convert(value: object, conversion: str) -> Taken | None:
    """One JSON scalar read as `conversion` says; None where it cannot be."""
    if conversion == "text":
        return clean(value) if isinstance(value, str) else None
    if conversion == "key":
        return (
            clean(str(value))
            if isinstance(value, str) or (isinstance(value, int | float) and abs(value) < 1 << 128)
            else None
        )
    if conversion == "hex-key":
        return clean(value).lower().removeprefix("0x") if isinstance(value, str) else None
    if conversion == "target":
        return clean(value) if isinstance(value, str) else _number(value)
    if conversion == "hex":
        return hex_number(value) if isinstance(value, str) else _number(value)
    return _number(value)


def hex_number(text: str) -> int | None:
    """A non-negative hexadecimal number of at most 256 bits, 0x or not."""
    digits = text.strip().lower().removeprefix("0x")
    if not digits or len(digits) > 64 or not all(c in "0123456789abcdef" for c in digits):
        return None
    return int(digits, 16)


def _number(value: object) -> int | float | None:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{1,80}(\.\d{1,40})?", value):
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if abs(value) < 1 << 256 else None
