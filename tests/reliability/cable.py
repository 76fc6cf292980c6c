"""A cable between two ends in a network namespace of its own: a test runs inside it, and it is gone afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from tests.bench.live import MIRROR, SENDER, run
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
    name = f"minewatch-{os.getpid()}"
    run("ip", "netns", "add", name)
    enter = ["ip", "netns", "exec", name]
    try:
        run(*enter, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        run(*enter, "ip", "link", "add", SENDER, "type", "veth", "peer", "name", MIRROR)
        for end in ("lo", SENDER, MIRROR):
            run(*enter, "ip", "link", "set", end, "up")
        done = subprocess.run(
            [*enter, sys.executable, "-m", module, INSIDE, *words], stdout=subprocess.PIPE, check=False
        )
        lines = done.stdout.decode().splitlines()
        return Result(**json.loads(lines[-1])) if lines else Result(f"exit code {done.returncode}", passed=False)
    finally:
        run("ip", "netns", "del", name)
