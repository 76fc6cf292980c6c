"""What a message gives: named values taken from paths, turned into plain text or numbers, bounded and never raising.

Knows paths and the few conversions; the names (login, job, target, ...) and their types are those of `MessageValues`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from sensor.model.text import printable
from sensor.signatures.language import MAX_MATCHED_TEXT, compile_pattern
from sensor.signatures.located import YamlEntry
from sensor.signatures.message_values import (
    CONVERSIONS,
    DEFAULT_CONVERSIONS,
    MessageValues,
    Taken,
    conversions_of,
)
from sensor.signatures.paths import Parts, lookup, parse_path
from sensor.signatures.secret_text import without_password, without_secrets

#: Longest text kept of any text from the network; wallets with mail address and options stay well below.
MAX_TEXT = 256
#: Values that are logins.
LOGINS = ("login", "account")
#: What JSON gives that can be taken, by its very type: a CutText is none.
_TAKEN = frozenset({str, int, float})

Converter = Callable[[object], Taken | None]


#: What gives a value of a message and of the element of `each`; None if it is absent or not of the right kind.
Reads = Callable[[object, object], Taken | None]


@dataclass(frozen=True, slots=True)
class ValueSource:
    """One place a value may stand, and how it is read."""

    parts: Parts
    read: Reads


def _plain(parts: Parts, convert: Converter) -> Reads:
    """What stands at a place of the message, as most values are taken."""
    find = lookup(parts)

    def read(message: object, _element: object) -> Taken | None:
        value = find(message)
        return convert(value) if type(value) in _TAKEN else None

    return read


def _chosen(
    parts: Parts,
    convert: Converter,
    pattern: re.Pattern[str] | None,
    names: Mapping[str, str] | None,
    *,
    relative: bool,
) -> Reads:
    """The part of it that a pattern finds; what is called so in the message is called as `names` says here, and nothing
    else counts. `relative`: from the element of `each`, not from the message."""
    find = lookup(parts)

    def read(message: object, element: object) -> Taken | None:
        value = find(element if relative else message)
        if type(value) not in _TAKEN:
            return None
        if pattern is not None:
            found = pattern.search(str(value)[:MAX_MATCHED_TEXT]) if isinstance(value, str) else None
            if found is None:
                return None
            value = found[1] if pattern.groups else found[0]
        return convert(value if names is None else names.get(str(value)))

    return read


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
                if value is not None and value != "":
                    found[name] = value
                    break
        return cast(MessageValues, found)

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
    converter = _login(_CONVERTERS[conversion]) if name in LOGINS else _CONVERTERS[conversion]
    parts, relative = parse_path(path), path.startswith(".")
    if pattern is None and names is None and not relative:
        return ValueSource(parts, _plain(parts, converter))
    return ValueSource(parts, _chosen(parts, converter, pattern, names, relative=relative))


def clean(text: str) -> str:
    """Text fit to keep: bounded, without control characters, lone surrogates and passwords."""
    if text.isalnum() and len(text) <= MAX_TEXT:  # as most names and numbers are
        return text
    return without_secrets(printable(text[:MAX_TEXT], "�").strip())


def convert(value: object, conversion: str) -> Taken | None:
    """One JSON scalar read as `conversion` says; None where it cannot be."""
    return _CONVERTERS[conversion](value)


def _text(value: object) -> str | None:
    return clean(value) if isinstance(value, str) else None


def _key(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value)
    return clean(str(value)) if isinstance(value, int | float) and -(1 << 128) < value < 1 << 128 else None


def _hex_key(value: object) -> str | None:
    return clean(value).lower().removeprefix("0x") if isinstance(value, str) else None


def _target(value: object) -> Taken | None:
    return clean(value) if isinstance(value, str) else _number(value)


def _hex(value: object) -> Taken | None:
    return hex_number(value) if isinstance(value, str) else _number(value)


def _login(converter: Converter) -> Converter:
    """The same without the password behind it."""

    def convert_login(value: object) -> Taken | None:
        login = converter(value)
        return without_password(login) if isinstance(login, str) else login

    return convert_login


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
    return value if -(1 << 256) < value < 1 << 256 else None


_CONVERTERS: dict[str, Converter] = {
    "text": _text,
    "key": _key,
    "hex-key": _hex_key,
    "number": _number,
    "hex": _hex,
    "target": _target,
}
