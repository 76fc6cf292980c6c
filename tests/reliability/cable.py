"""Runs a test of a module in a network namespace with a cable, and takes what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from tests.bench.live import cable
from tests.reliability.result import Result

INSIDE = "inside"


def missing() -> str:
    """Why no cable can be made here, or nothing."""
    tools = [name for name in ("ip", "tcpreplay") if not shutil.which(name)]
    if os.geteuid() != 0:
        return "needs root"
    return f"needs {', '.join(tools)}" if tools else ""


def within(module: str, *words: str) -> Result:
    """What the module's `inside` says, called in the namespace with `words`."""
    why = missing()
    if why:
        return Result(why, None)
    with cable() as enter:
        done = subprocess.run(
            [*enter, sys.executable, "-m", module, INSIDE, *words], stdout=subprocess.PIPE, check=False
        )
    lines = done.stdout.decode().splitlines()
    return Result(**json.loads(lines[-1])) if lines else Result(f"exit code {done.returncode}", passed=False)
