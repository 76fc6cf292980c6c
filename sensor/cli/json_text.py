"""Answers as JSON: one object on standard output, for programs.

Keys are stable and have their units in their names. Times are RFC 3339, in UTC. What is not known is null, never 0.
The shape of each answer is `sensor/answers/answers.schema.json`. Characters that could steer a terminal are escaped.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping

from sensor.model.text import printable


def print_json(answer: Mapping[str, object]) -> None:
    """Print an answer, as UTF-8 whatever the locale."""
    text = json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=1)
    sys.stdout.flush()
    sys.stdout.buffer.write((_escaped(text) + "\n").encode())
    sys.stdout.buffer.flush()


def _escaped(text: str) -> str:
    """JSON with an escape for each character that does not print, lone surrogates among them; line feeds stay."""
    if printable(text) == text.replace("\n", ""):
        return text
    return re.sub(r"[^\n]", lambda found: found[0] if found[0].isprintable() else _escape(found[0]), text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
