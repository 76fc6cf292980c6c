"""Text of books as it is compared: full-width digits, foreign punctuation, spaces.

Knows nothing of what a cell means.
"""

from __future__ import annotations

import re
import unicodedata

from sensor.model.text import printable

#: What a keyboard of Chinese or a word processor puts for dots, dashes, colons and commas.
_DASHES = "~\u2010\u2011\u2012–—―−∼～〜－﹣﹘─━\uff5e"
#: Signs that nobody sees: joiners, marks of direction, a byte order mark within the text.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_SIGNS = str.maketrans(
    {
        "。": ".",
        "．": ".",
        "｡": ".",
        "、": ",",
        "\u3000": " ",
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_UNSEEN, ""),
    }
)
_SPACES = re.compile(r"\s+")
#: A remark at the end, in brackets of any kind, or after 备注, 注 or #.
_NOTE = re.compile(r"\s*(?:[(\[【「<《{].*|备注.*|注[:：].*|#.*)$")
_BRACKETS = str.maketrans("[]【】〔〕", "()()()")
_LOOSE = re.compile(r"[\s\[\]【】〔〕]")


def plain(text: str) -> str:
    """The text with ASCII digits and signs, without spaces around it."""
    if text.isascii():
        return text.strip().replace("~", "-")
    return unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS).strip()


def without_note(text: str) -> tuple[str, str]:
    """A plain text without the remark at its end, and the remark."""
    found = _NOTE.search(text)
    return (text[: found.start()].strip(), found[0].strip()) if found and found.start() else (text, "")


def comparable(name: str) -> str:
    """A name as it is matched: width, case, spaces and kinds of brackets do not count; every other sign does."""
    text = unicodedata.normalize("NFKC", name)
    if _LOOSE.search(text):
        text = _SPACES.sub("", text.translate(_BRACKETS))
    return text.casefold()


def short(text: str, most: int = 40) -> str:
    """Text fit for a sentence: one line, printable, not long."""
    clean = printable(text, "·")
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


#: No heading is longer: of what is, the beginning is compared.
LONGEST_HEADING = 256
_HEADING_NOISE = re.compile(r"[*:_.#\u200b\ufeff]|\(.*?\)")


def heading_of(text: str) -> str:
    """A column's heading as it is compared: stars, dots, underscores and remarks in brackets do not count either."""
    return _HEADING_NOISE.sub("", comparable(text[:LONGEST_HEADING]))
