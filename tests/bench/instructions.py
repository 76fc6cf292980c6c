"""`python -m tests.bench.instructions [CAPTURE ...]` (`make instructions`): what a packet costs the compiled core, in
instructions.

valgrind's callgrind counts what the core's threads execute, from reading the file to queueing the events; Python, which
polls, is not among it. Nothing else on the machine changes the figure. It is no time: memory that is waited for costs
nothing here. Without captures the first packets of the bench's own are taken (`tests/bench/captures.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from sensor import signatures
from tests.bench.captures import MIXED, SMALL, Shape, make

FOLDER = Path(os.environ.get("BENCH_DIR", "build/bench"))
#: Packets of a cut: enough that what begins and ends a run is under one part in a hundred of it.
CUT_PACKETS = 200_000
#: Reads a capture as a replay does, and does nothing with what comes; tables on standard input.
CHILD = """
import ast, json, sys
from sensor import _core
core = _core.Core(_core.Tables(*ast.literal_eval(sys.stdin.read())), _core.Limits())
core.attach(sys.argv[1])
core.finish()
while not core.finished:
    core.poll(1024, 100)
print(json.dumps(core.stats()))
"""


class Counted(NamedTuple):
    """Instructions of the core's threads over a capture, and its packets."""

    instructions: int
    packets: int

    @property
    def a_packet(self) -> float:
        """Instructions for one packet."""
        return self.instructions / self.packets


def why_not() -> str | None:
    """Why nothing can be counted here, or None."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed"
    try:
        from sensor import _core  # noqa: F401
    except ImportError:
        return "the compiled core (sensor._core) is not built"
    return None


def cut(shape: Shape, packets: int = CUT_PACKETS) -> Path:
    """The first packets of a capture of the bench."""
    return make(shape, FOLDER / f"first-{packets}", packets)


def count(capture: Path) -> Counted:
    """Count over a capture."""
    loaded = signatures.load()
    rows = ([tuple(row) for row in some] for some in (loaded.openings, loaded.flights))
    tables = repr((list(loaded.literals), *rows, list(loaded.names)))
    with tempfile.TemporaryDirectory() as folder:
        valgrind = ("valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={folder}/out")
        done = subprocess.run(
            [*valgrind, sys.executable, "-c", CHILD, str(capture)],
            input=tables,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        if done.returncode:
            raise SystemExit(f"instructions: valgrind failed ({done.returncode}):\n{done.stderr[-2000:]}")
        # the first thread is Python's, which polls
        threads = [path for path in Path(folder).glob("out-*") if path.name != "out-01"]
        instructions = sum(_total(path.read_text()) for path in threads)
    return Counted(instructions, json.loads(done.stdout)["packets"])


def _total(profile: str) -> int:
    """The sum that a profile of one thread ends with."""
    found = re.search(r"^(?:totals|summary): (\d+)", profile, re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> None:
    """Print a row for each capture that is named, or for the cuts."""
    why = why_not()
    if why:
        print(f"SKIPPED: instructions a packet: {why}", file=sys.stderr)
        return
    for capture in [Path(name) for name in sys.argv[1:]] or [cut(MIXED), cut(SMALL)]:
        counted = count(capture)
        print(f"{capture}: {counted.packets:,} packets, {counted.a_packet:,.0f} instructions a packet", flush=True)


if __name__ == "__main__":
    main()
