"""How long pages take on a large ledger while it is written: `make desk-load`.

    python -m tests.console.load [--addresses 5000] [--weeks 52] [--visitors 50] [--seconds 180] [--keep FOLDER]
                                 [--database sqlite|postgresql|both] [--curve 500x52,50000x13] [--write]

To pass, of all pages the median is at most 0.3 s and the 99th percentile at most 1 s, and none failed; on the ledgers
of the curve, addresses by weeks on SQLite, nothing is asked for. With `--write` the figures go into
docs/console-load.md. It asks this host alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.console.load.figures import as_curve, as_text, write_page
from tests.console.load.large_ledger import make_large_ledger
from tests.console.load.rounds import RoundFigures, run_round
from tests.ledger.servers import postgresql

MEDIAN_S, P99_S = 0.3, 1.0
DATABASES = ("sqlite", "postgresql")


def main() -> int:
    """All rounds; 1 if a goal was missed."""
    options = _options()
    passed, texts = True, defaultdict[str, list[str]](list)
    for database in DATABASES if options.database == "both" else (options.database,):
        for addresses in options.addresses:
            with _ledger(database, options.keep, addresses, options.weeks) as (url, folder, made_s):
                rounds = [run_round(url, folder, visitors, options.seconds) for visitors in options.visitors]
            texts[database].append(as_text(database, addresses, options.weeks, made_s, rounds))
            print(texts[database][-1], flush=True)
            passed &= passes(rounds[0])
        if options.write:
            write_page("\n\n".join(texts[database]), database)
    if options.curve:
        _measure_curve(options)
    return 0 if passed else 1


def _measure_curve(options: argparse.Namespace) -> None:
    """The same visitors on smaller and larger ledgers."""
    found: dict[tuple[int, int], RoundFigures] = {}
    for addresses, weeks in options.curve:
        with _ledger("sqlite", options.keep, addresses, weeks) as (url, folder, _):
            found[addresses, weeks] = run_round(url, folder, options.visitors[0], options.seconds)
    text = as_curve(found)
    print(text, flush=True)
    if options.write:
        write_page(text, "curve")


def passes(its: RoundFigures) -> bool:
    """Whether a round kept the goals."""
    return its.failed == 0 and its.at(0.5) <= MEDIAN_S and its.at(0.99) <= P99_S


@contextmanager
def _ledger(database: str, keep: Path | None, addresses: int, weeks: int) -> Iterator[tuple[str, Path, float]]:
    """A large ledger, made or kept: its URL, a folder beside it, and how long making took."""
    with tempfile.TemporaryDirectory(prefix="minewatch-load-") as temporary:
        folder = (keep or Path(temporary)) / f"{database}-{addresses}-{weeks}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "ledger.db"
        server = postgresql() if database == "postgresql" else nullcontext(f"sqlite:///{file}")
        with server as url:
            began_s = time.monotonic()
            if database == "postgresql" or not file.exists():
                make_large_ledger(url, addresses, weeks)
            yield url, folder, time.monotonic() - began_s


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addresses", type=_numbers, default=[5_000], help="how many, or several: 500,5000")
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--visitors", type=_numbers, default=[50], help="how many, or several: 50,100,500")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    parser.add_argument("--keep", type=Path, help="a folder in which SQLite's ledgers stay")
    parser.add_argument("--curve", type=_sizes, default=[], help="addresses by weeks: 500x52,50000x13")
    parser.add_argument("--write", action="store_true", help="write docs/console-load.md")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _sizes(text: str) -> list[tuple[int, int]]:
    pairs = [each.split("x") for each in text.split(",")]
    return [(int(addresses), int(weeks)) for addresses, weeks in pairs]


if __name__ == "__main__":
    sys.exit(main())
