"""The project's Markdown documents, as the tests read them: their prose, their links, the anchors of their headings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Folders that hold no document of ours: what was built or installed.
NOT_OURS = {"build", "dist", "target", "node_modules", "__pycache__"}
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", re.DOTALL)
FENCE = re.compile(r"^( *)```.*?^\1```[ \t]*$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


def documents() -> list[Path]:
    """Every Markdown file of the tree."""
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(name for name in names if name not in NOT_OURS and not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".md")]
    return found


def name_of(path: Path) -> str:
    """A document's path from the root of the tree, for names of tests and messages."""
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    """A document's text without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def filled(page: str, marks: tuple[str, str], text: str) -> str:
    """The page with this text, and nothing else, between its two marks: lines of their own, each there once.

    Raises ValueError where they are not: a page without them would lose its end.
    """
    begin, end = marks
    before, found, rest = page.partition(begin)
    _, found_too, after = rest.partition(end)
    if not (found and found_too):
        raise ValueError(f"the page has no lines {begin!r} and {end!r}")
    return f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}"


def links(path: Path) -> Iterator[str]:
    """Where a document's links and pictures lead to; links in code are none."""
    return (match[1] for match in LINK.finditer(CODE.sub("", prose(path))))


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as repositories' viewers make them: lower case, hyphens, no punctuation."""
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), re.MULTILINE):
        text = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        repeated = found.get(anchor, 0)
        found[anchor] = repeated + 1
        names.add(f"{anchor}-{repeated}" if repeated else anchor)
    return names
