"""Bytes of a conversation without anything that could be a secret, at the same length. Pure; knows JSON and what
signatures call secret.

The rule is to write what is understood, not to hunt for what is not: whole JSON objects are kept, and in them the
places that any signature calls secret, the members that are secrets by name, whatever follows the login's name in a
call that logs in, and texts that hold a secret are blanked. Every other byte is blanked: other text, headers, binary
frames, the rest of an object that was cut, an object with a name twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from sensor.dialects.excerpt import SECRET_KEYS
from sensor.signatures import SignatureSet
from sensor.signatures.paths import MISSING, Parts, look
from sensor.signatures.secret_text import BLANK as BLANKED
from sensor.signatures.secret_text import is_spoken, shown, without_password

BLANK = ord("*")
#: Parts of the name of a call that logs in; its first argument is the login's name.
LOGS_IN = ("auth", "login")
#: No message of any dialect is nested deeper.
MAX_DEPTH = 16


class Placed(str):
    """A string of a JSON text that knows where it stood, quotes included."""

    __slots__ = ("end", "start")
    start: int
    end: int


class PlacingDecoder(json.JSONDecoder):
    """Gives every string value its place. The text has one character for each byte."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once)
        self.parse_string = _placed
        self.scan_once = py_make_scanner(self)


def blanked(data: bytes, signatures: SignatureSet, *, from_start: bool) -> bytes:
    """The same number of bytes; `from_start` says that the first byte begins a message, and is not the rest of one."""
    text = data.decode("latin-1")
    output = bytearray(BLANK if byte not in b"\r\n" else byte for byte in data)
    at = 0 if from_start else text.find("\n") + 1 or len(text)
    decoder = PlacingDecoder()
    while at < len(text):
        if text[at] == "{":
            end = _object(decoder, text, at, data, output, signatures)
            if end:
                at = end
                continue
        line = text.find("\n", at)
        at = len(text) if line < 0 else line + 1
    return bytes(output)


def _object(
    decoder: PlacingDecoder, text: str, at: int, data: bytes, output: bytearray, signatures: SignatureSet
) -> int:
    """Keep the object that begins here, without its secrets; where it ends, or 0 if there is no whole object."""
    try:
        value, end = decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        return 0
    hidden = list(_secrets(value, signatures))
    if all(
        isinstance(secret, Placed) for secret in hidden
    ):  # a number has no place: then nothing of this object is kept
        output[at:end] = data[at:end]
        for secret in hidden:
            output[secret.start + 1 : secret.end - 1] = bytes([BLANK]) * (secret.end - secret.start - 2)
    return int(end)


def _secrets(value: dict[str, Any], signatures: SignatureSet) -> Iterator[Any]:
    """Every value of an object that may be a secret, strings inside of lists and objects too."""
    framings = {framing for dialect in signatures.dialects for framing in dialect.framings}
    places: set[Parts] = {
        place for framing in framings for _, rule in signatures.match(value, framing) for place in rule.secrets
    }
    method = value.get("method")
    params = value.get("params")
    if isinstance(method, str) and any(verb in method.lower() for verb in LOGS_IN) and isinstance(params, list):
        places |= {("params", index) for index in range(1, len(params))}
    for place in places:
        yield from _leaves(look(value, place), 0)
    yield from _named(value, 0)


def _named(value: object, depth: int, *, spoken: bool = False) -> Iterator[Any]:
    """What is a secret by its name or holds one, at any depth; what is nested too deeply is secret as a whole."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.lower() in SECRET_KEYS:
                yield from _leaves(inner, depth)
            else:
                yield from _named(inner, depth + 1, spoken=spoken or is_spoken(key, inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, depth + 1, spoken=spoken)
    elif depth > MAX_DEPTH and value is not None:
        yield value
    elif isinstance(value, str) and shown(value, spoken=spoken) != value:
        yield _behind_login(value, spoken=spoken)


def _behind_login(value: str, *, spoken: bool) -> str:
    """The part of a text that holds a secret: what follows the login, else all of it. The place of a text with escapes
    is not known by its characters."""
    login = without_password(value)
    if spoken or not isinstance(value, Placed) or value.end - value.start != len(value) + 2:
        return value
    if shown(value) != f"{login}:{BLANKED}":
        return value
    part = Placed(value[len(login) + 1 :])
    part.start, part.end = value.start + len(login) + 1, value.end
    return part


def _leaves(value: object, depth: int) -> Iterator[Any]:
    if isinstance(value, dict | list):
        inner: Iterable[object] = value.values() if isinstance(value, dict) else value
        for item in inner:
            yield from _leaves(item, depth + 1)
    elif value is not None and value is not MISSING and not isinstance(value, bool):
        yield value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one with a name twice is not understood, since only one of the values would be looked at."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands here twice")
    return value


def _placed(text: str, start: int, strict: bool = True) -> tuple[str, int]:
    value, end = scanstring(text, start, strict)
    placed = Placed(value)
    placed.start, placed.end = start - 1, end
    return placed, end
