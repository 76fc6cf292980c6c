"""Puts figures between the marks of docs/speed.md, with date, commit, machine and load.

A figure of speed says nothing without the machine it was taken on and what else ran there.
"""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
import time
from pathlib import Path

from tests.docs.markdown import filled

PAGE = Path(__file__).parents[2] / "docs" / "speed.md"
COLUMNS = 118
STARTED_S, STARTED_LOAD = time.time(), os.getloadavg()[0]


def write(name: str, text: str, programs: str = "") -> None:
    """Fill the place of the page that has this name."""
    marks = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    PAGE.write_text(filled(PAGE.read_text(), marks, f"{text.strip()}\n\n{circumstances(programs)}"))


def circumstances(programs: str) -> str:
    """When, of which commit, on which machine, and how busy that was."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    memory = re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    text = (
        f"Measured on {time.strftime('%Y-%m-%d')} at {commit.stdout.strip() or 'no commit'}, on {os.cpu_count()} "
        f"processors ({model[1].strip() if model else 'unknown'}) with {int(memory[1]) / 1e6 if memory else 0:.0f} GB; "
        f"load {STARTED_LOAD:.1f} before it and {load:.1f} after {(time.time() - STARTED_S) / 60:.0f} minutes, one of "
        "which was its own."
    )
    if programs:
        text += f" Beside it: {programs}."
    return textwrap.fill(text, COLUMNS, break_long_words=False)
