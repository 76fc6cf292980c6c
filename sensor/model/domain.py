"""What stands for whom in a host name: the domain that somebody registered. Pure text; looks nothing up.

There is no list of public suffixes here: a domain is the last two labels, or three where a country has second levels of
the common kinds (`example.co.uk`). Where that is wrong two registrants count as one, or one counts as its own suffix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")
#: RFC 1035 section 2.3.4; a longer text is no host name.
MAX_NAME = 255
#: Second levels that registries of countries give domains under (RFC 1480 and the practice of .uk, .cn, .jp, .br ...).
SECOND_LEVELS = frozenset(
    ("co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go", "gob", "mil", "nom", "idv", "ltd", "plc", "in")
)
COUNTRY_LETTERS = 2
HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})+", re.ASCII)


def host_text(name: bytes) -> str:
    """A name as it was sent, in lower case and without a last dot; empty for what is no host name of two labels."""
    if len(name) > MAX_NAME:
        return ""
    text = name.decode("ascii", "replace").lower().rstrip(".")
    return text if HOST.fullmatch(text) and not text.rpartition(".")[2].isdigit() else ""


def longest_suffix(rows: Mapping[str, Row], host: str) -> Row | None:
    """The row of the longest suffix of whole labels, in whatever case the host is written; None where there is none."""
    name = host.lower().rstrip(".")
    while name:
        if name in rows:
            return rows[name]
        name = name.partition(".")[2]
    return None


def registrable(host: str) -> str:
    """The domain that a host belongs to; empty for a single label and for a suffix under which others register."""
    labels = host.lower().rstrip(".").split(".")
    deep = len(labels) > 1 and len(labels[-1]) == COUNTRY_LETTERS and labels[-2] in SECOND_LEVELS
    depth = 3 if deep else 2
    return ".".join(labels[-depth:]) if len(labels) >= depth and all(labels[-depth:]) else ""
