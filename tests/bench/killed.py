"""Kills a writer fifty times in the middle of writing, then proves that nothing is lost and nothing doubled; how long a
start takes.

    python -m tests.bench.killed [--kills 50] [--url URL]

Without a URL a fresh SQLite file, then a fresh PostgreSQL. To pass: the check holds, and every start takes 3 seconds
at most.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.ledger.servers import postgresql
from tests.ledger.writer import check, killed

LIMIT_S = 3.0


def kills(url: str, count: int, name: str) -> bool:
    """Kill so many times; whether a start was always quick enough."""
    generator = random.Random(count)
    said, opened = zip(*(killed(url, run, generator) for run in range(count)), strict=True)
    check(url, list(said))
    print(
        f"{name}: {count} kills, {sum(said)} steps said; nothing lost, nothing doubled; "
        f"slowest start {max(opened):.2f} s"
    )
    return max(opened) <= LIMIT_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--url", help="a database that may be written to")
    arguments = parser.parse_args()
    if arguments.url:
        return 0 if kills(arguments.url, arguments.kills, arguments.url) else 1
    with tempfile.TemporaryDirectory() as folder:
        passed = kills(f"sqlite:///{Path(folder)}/ledger.db", arguments.kills, "SQLite")
    with postgresql() as url:
        passed &= kills(url, arguments.kills, "PostgreSQL")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
