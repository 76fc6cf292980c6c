"""Writes figures into a page (docs/collect.md if none is named), between marks of their own, with the date, the commit
and the machine."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "collect.md"


def write_figures(figures: Mapping[str, Mapping[str, str]], page: Path = PAGE) -> None:
    """Put the figures of scenarios into the page."""
    text = page.read_text(encoding="utf-8")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    for name, its in figures.items():
        lines = [f"{day}, commit {commit}, {os.cpu_count()} processors.", "", "| what | figure |", "|---|---|"]
        lines += [f"| {what} | {figure} |" for what, figure in its.items()]
        made = f"<!-- figures: {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
        text, count = re.subn(
            rf"<!-- figures: {name} -->\n.*?<!-- end -->", lambda _, made=made: made, text, flags=re.S
        )
        assert count == 1, f"{page.name} has no place for {name}"
    page.write_text(text, encoding="utf-8")
