"""`make province-many`: provinces with many sensors through one central ledger in PostgreSQL, against the truth; what
it takes and how long pages of it take, into docs/province-many.md.

    python -m tests.province_many [--sensors 200 --addresses 5000 --days 28 --seed 1] [--write]

The exit code is 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.ledger.servers import postgres_server
from tests.province_many.judged import lines_of_misses
from tests.province_many.page import as_rows, present_commit, write_page
from tests.province_many.province import find


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.province_many", description=__doc__)
    parser.add_argument("--sensors", type=int, default=200)
    parser.add_argument("--addresses", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/province-many.md")
    options = parser.parse_args()
    before, commit = os.getloadavg()[0], present_commit()
    begun = time.monotonic()
    with postgres_server() as server, tempfile.TemporaryDirectory(prefix="minewatch-province-") as scratch:
        size = (options.sensors, options.addresses, options.days)
        found = find(server.url, Path(scratch), size, options.seed, said=lambda text: print(text, flush=True))
    rows = as_rows(found, time.monotonic() - begun, (before, os.getloadavg()[0]))
    for what, figure in rows.items():
        print(f"{what}: {figure}")
    print("\n".join(lines_of_misses(found.judgement)))
    if options.write:
        write_page(f"{options.sensors}x{options.addresses}", rows, commit, options.seed)
    return int(bool(found.judgement.misses))


if __name__ == "__main__":
    sys.exit(main())
