"""Answers as JSON: one object on standard output, for programs.

Keys are stable and have their units in their names. Times are RFC 3339, in UTC. What is not known is null, never 0.
The shape of each answer is `answers.schema.json`, beside this file. Characters that could steer a terminal are escaped.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Protocol

from exporters.forms.amounts import significant
from sensor.model.text import printable
from sensor.model.time import rfc3339_text

#: Significant digits of estimates: they are never nearer. What was measured has those of events.
DIGITS = 4


class Bounds(Protocol):
    """An estimate with its bounds."""

    @property
    def low(self) -> float: ...
    @property
    def best(self) -> float: ...
    @property
    def high(self) -> float: ...


def print_json(answer: Mapping[str, object]) -> None:
    """Print an answer, as UTF-8 whatever the locale."""
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=1)
    sys.stdout.flush()
    sys.stdout.buffer.write((_escaped(text) + "\n").encode())
    sys.stdout.buffer.flush()


def instant(ns: int | None) -> str | None:
    """`2026-01-02T03:04:05Z`; None stays None."""
    return None if ns is None else rfc3339_text(ns)


def rounded(value: float | None) -> float | None:
    """A figure that was measured, to the digits that it has; None stays None."""
    return None if value is None else significant(value)


def bounds(value: Bounds | None) -> dict[str, float] | None:
    """An estimate's low, best and high; None where there is none, and where it is 0 for lack of anything known."""
    if value is None or value.high <= 0.0:
        return None
    ends = {"low": value.low, "best": value.best, "high": value.high}
    return {name: significant(end, DIGITS) for name, end in ends.items()}


def _escaped(text: str) -> str:
    """JSON with an escape for each character that does not print, lone surrogates among them; line feeds stay."""
    if printable(text) == text.replace("\n", ""):
        return text
    return re.sub(r"[^\n]", lambda found: found[0] if found[0].isprintable() else _escape(found[0]), text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
