"""Why changes survive: what of a module a change touches, and the reasons that are written down for it.

`survivors/PART.toml` has a table for each reason, `why` and `changes`. A change is written as its module and the text
that is changed with what stands around it, so that other lines may move.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

FOLDER = Path(__file__).with_name("survivors")
#: Characters of its line that are shown before and behind what is changed.
AROUND = 28


def excerpt(original: str, changed: str) -> str:
    """The changed text of a module with what stands around it in its lines."""
    least = min(len(original), len(changed))
    first = next((i for i in range(least) if original[i] != changed[i]), least)
    last = next((i for i in range(least - first) if original[-1 - i] != changed[-1 - i]), least - first)
    end = len(changed) - last
    begin = max(first - AROUND, changed.rfind("\n", 0, first) + 1)
    line_end = changed.find("\n", end)
    return " ".join(changed[begin : min(end + AROUND, line_end if line_end >= 0 else len(changed))].split())


def reasons(part: str) -> dict[str, str]:
    """By change why it survives; empty where nothing is written down."""
    path = FOLDER / f"{part}.toml"
    if not path.is_file():
        return {}
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("reason", [])
    return {change: entry["why"] for entry in entries for change in entry["changes"]}
