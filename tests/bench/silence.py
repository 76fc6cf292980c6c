"""How often silence closes a miner that is still there, and how soon one that is gone. Simulated; see
`tests/ledger/silent.py`.

    python -m tests.bench.silence [--miners 500] [--days 90]

To pass: at most 1 % of the miners of each kind wrongly closed within the days; 95 % of the exits closed within the
stated time.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.ledger.silent import KINDS, STATED_DAYS, closed_after, mining_hours, wrongly_closed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--miners", type=int, default=500, help="of each kind")
    parser.add_argument("--days", type=int, default=90)
    arguments = parser.parse_args()
    passed = True
    all_exits: list[float] = []
    print(f"{'kind':<14} wrongly closed   days to close: half, 95 %")
    wrong_of_all = 0
    for kind in KINDS:
        wrong, exits = 0, []
        for number in range(arguments.miners):
            generator = random.Random(f"{kind} {number} long")
            wrong += wrongly_closed(mining_hours(generator, kind, arguments.days))
            exits.append(closed_after(mining_hours(generator, kind, 5 + generator.randrange(60))))
        exits.sort()
        wrong_of_all += wrong
        all_exits += exits
        share = wrong / arguments.miners
        print(
            f"{kind:<14} {wrong:>5} = {share:.2%}    {exits[len(exits) // 2]:6.1f} {exits[int(len(exits) * 0.95)]:6.1f}"
        )
    share = wrong_of_all / (arguments.miners * len(KINDS))
    within = sum(days <= STATED_DAYS for days in all_exits) / len(all_exits)
    passed = share <= 0.01 and within >= 0.95
    print(
        f"all: {share:.2%} wrongly closed in {arguments.days} days; "
        f"{within:.1%} of the exits closed within {STATED_DAYS:g} days"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
