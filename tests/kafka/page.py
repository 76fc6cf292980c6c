"""Writes figures into pages of docs, between marks of their own, with the date, the commit and the machine."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(ROOT / "docs" / name for name in ("collect.md", "ledger.md", "policy.md"))


def write_figures(figures: Mapping[str, Mapping[str, str]]) -> None:
    """Put the figures of scenarios into the pages that have a place for them."""
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    for name, its in figures.items():
        lines = [f"{day}, commit {commit}, {os.cpu_count()} processors.", "", "| what | figure |", "|---|---|"]
        lines += [f"| {what} | {figure} |" for what, figure in its.items()]
        made = f"<!-- figures: {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
        place = re.compile(rf"<!-- figures: {name} -->\n.*?<!-- end -->", re.S)
        (page,) = [page for page, text in texts.items() if place.search(text)]
        texts[page] = place.sub(lambda _, made=made: made, texts[page])
    for page, text in texts.items():
        page.write_text(text, encoding="utf-8")


def show_figures(name: str, figures: Mapping[str, str], *, write: bool) -> None:
    """Print the figures of a scenario with the load of the machine, and write them into their page."""
    whole = {**figures, "load of the machine": f"{os.getloadavg()[0]:.2f}"}
    for what, figure in whole.items():
        print(f"{what}: {figure}")
    if write:
        write_figures({name: whole})
