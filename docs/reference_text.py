"""How the generated parts of docs/ are written: entries of lists and sentences, in lines of at most 120 columns."""

from __future__ import annotations

import re
import textwrap

COLUMNS = 120


def item(text: str, indent: str = "") -> str:
    """One entry of a list, wrapped."""
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=f"{indent}- ",
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def sentence(text: str) -> str:
    """A phrase as a sentence: its first letter large, unless it begins with a value, and a full stop at its end."""
    text = " ".join(text.split())
    if re.match(r"[A-Za-z']+( [^(]|$)", text):
        text = text[0].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?", "`")) or not text else ".")
