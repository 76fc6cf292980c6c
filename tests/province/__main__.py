"""Simulates a province, has it read in every way, compares, and writes docs/province.md. See the Makefile's target
`province`.

The exit code is 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.province import table
from tests.province.build import Province, build
from tests.province.judged import Judged, Judgement
from tests.province.ways import HOURS_6, ONE_SITTING, begin, ways

ROOT = Path(__file__).parents[2]
#: Ways that are gone at once: a daemon mostly waits for its next look at the folder.
AT_ONCE = 3
PAGE = ROOT / "docs" / "province.md"
TEXT = """# A province in service

Miners and pools are simulated for {days} days as captures, by code that shares nothing with the estimator
(`tests/province`): {machines} machines in {algorithms} algorithms behind {addresses} addresses, {packets:,} packets.
Pools steer difficulties, connections break and begin anew, a translator shares an address, captures lose packets. What
the ledger then holds is compared with what was computed. `make province` makes this page.

Written {date}, commit {commit}, seed {seed}, {seconds:.0f} s on {cores}. Others used the machine at the same
time. The figures do not depend on that, except where the daemon was killed.

## Goals

{goals}

## Sums

Sums of the ledger over all days as parts of the truth. The truth of energy is the maker's power of each machine, times
1.10 for its site, times its time. The bounds are wide where the agent does not name the machine.

{sums}
"""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.province", description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--machines", type=int, default=20)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--pace", type=float, default=1.0, help="stretches the pools' share intervals")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "province")
    parser.add_argument("--only", action="append", help="one way of reading, by a part of its name; may be repeated")
    parser.add_argument("--page", type=Path, default=None, help="write the page there")
    options = parser.parse_args()
    began = time.monotonic()
    province = build(options.folder, days=options.days, count=options.machines, seed=options.seed, pace=options.pace)
    print(f"{province.packets:,} packets in {time.monotonic() - began:.0f} s: {province.folder}", flush=True)
    chosen = {
        name: way
        for name, way in ways(province).items()
        if not options.only or name in (ONE_SITTING, HOURS_6) or any(part in name for part in options.only)
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        judged = Judged(province, begin(chosen, pool))
    judgements = judged.all()
    print(table.plain(table.sums_table(judged)), table.plain(table.goals_table(judgements)), sep="\n\n")
    print("", table.missed(judgements), sep="\n")
    if options.page:
        options.page.write_text(_page(judged, judgements, options.seed, time.monotonic() - began), encoding="utf-8")
    return int(any(item.misses for item in judgements))


def _page(judged: Judged, judgements: list[Judgement], seed: str, seconds: float) -> str:
    province: Province = judged.province
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return TEXT.format(
        days=province.period.days,
        machines=len(province.machines),
        algorithms=len({machine.device.algorithm for machine in province.machines}),
        addresses=len({machine.address for machine in province.machines}),
        packets=province.packets,
        date=datetime.now(UTC).date().isoformat(),
        commit=commit.stdout.strip() or "unknown",
        seed=seed,
        seconds=seconds,
        cores=f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}",
        goals=table.markdown(table.goals_table(judgements)),
        sums=table.markdown(table.sums_table(judged)),
    )


if __name__ == "__main__":
    sys.exit(main())
