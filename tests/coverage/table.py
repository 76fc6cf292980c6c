"""The coverage table: in how many of many simulated sessions the true hashrate lies in the interval, by dialect and
loss.

python -m tests.coverage.table [--sessions N] [--write]      prints the table; --write puts it into docs/coverage.md
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.coverage.simulation import LOSSES, simulate
from tests.coverage.speech import SPEECHES
from tests.docs.markdown import filled

LOW, HIGH, CONFIDENCE = 0.93, 0.98, 0.999
ENOUGH_SHARES = 20
PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
MARKS = ("<!-- measured: coverage -->", "<!-- end -->")


class Cell(NamedTuple):
    """Sessions of one dialect and one kind of loss."""

    dialect: str
    loss: str
    inside: int
    sessions: int  # with an interval
    without: int  # without one
    shares: float  # mean that the intervals rest on
    ratio: float  # mean of the best estimate over the truth

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's exact interval of the coverage."""
        return clopper_pearson(self.inside, self.sessions)

    @property
    def holds(self) -> bool:
        """Whether the exact interval meets the promised range; with few shares only from below."""
        low, high = self.interval
        return high >= LOW and (low <= HIGH or self.shares < ENOUGH_SHARES)


def clopper_pearson(inside: int, sessions: int) -> tuple[float, float]:
    """The exact binomial interval of a probability (Biometrika 26, 1934), by bisection."""
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if not inside else _bisect(lambda p: 1 - _cdf(inside - 1, sessions, p) < tail)
    high = 1.0 if inside == sessions else _bisect(lambda p: _cdf(inside, sessions, p) > tail)
    return low, high


def _bisect(below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low


def _cdf(count: int, sessions: int, p: float) -> float:
    if p <= 0.0 or p >= 1.0:
        return float(p <= 0.0)
    whole = math.lgamma(sessions + 1)
    terms = (
        whole - math.lgamma(k + 1) - math.lgamma(sessions - k + 1) + k * math.log(p) + (sessions - k) * math.log1p(-p)
        for k in range(count + 1)
    )
    return min(1.0, sum(math.exp(term) for term in terms))


def cell(task: tuple[int, str, int, int]) -> Cell:
    """Simulate and count."""
    at, loss, first, sessions = task
    speech, inside, counted, without, shares, ratio = SPEECHES[at], 0, 0, 0, 0, 0.0
    for seed in range(first, first + sessions):
        truth, found = simulate(speech, loss, seed)
        if found is None or found.hashrate_hps is None:
            without += 1
            continue
        counted += 1
        rate = found.hashrate_hps
        inside += rate.low <= truth <= rate.high
        shares += found.shares.submitted - found.unknown_shares
        ratio += rate.best / truth
    return Cell(speech.name, loss, inside, counted, without, shares / max(1, counted), ratio / max(1, counted))


def rows(cells: list[Cell]) -> list[str]:
    """The table in Markdown."""
    lines = ["| dialect | loss | coverage | 99.9 % interval | sessions | no figure | shares | best / truth |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for found in cells:
        low, high = found.interval
        mark = "" if found.holds else " **fails**"
        covered = found.inside / max(1, found.sessions)
        lines.append(
            f"| {found.dialect} | {found.loss} | {covered:.1%}{mark} | {low:.1%} to {high:.1%}"
            f" | {found.sessions:,} | {found.without:,} | {found.shares:.0f} | {found.ratio:.3f} |"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the table into docs/coverage.md")
    parser.add_argument("--dialect", type=int, action="append")
    given = parser.parse_args()
    tasks = [(at, loss, given.seed, given.sessions) for at in given.dialect or range(len(SPEECHES)) for loss in LOSSES]
    with multiprocessing.Pool() as pool:
        cells = list(pool.imap(cell, tasks))
    lines = rows(cells)
    print("\n".join(lines))
    if given.write:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        head = f"{time.strftime('%Y-%m-%d')}, commit {commit.stdout.strip()}, seed {given.seed}."
        PAGE.write_text(filled(PAGE.read_text(), MARKS, "\n".join([head, "", *lines])))
    return 0 if all(found.holds for found in cells) else 1


if __name__ == "__main__":
    raise SystemExit(main())
