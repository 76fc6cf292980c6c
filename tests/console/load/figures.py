"""Rounds as text, and into docs/console-load.md with date, commit, machine and load."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.bench_page import COLUMNS, circumstances
from tests.console.load.rounds import RoundFigures
from tests.docs.markdown import filled

PAGE = Path(__file__).parents[3] / "docs" / "console-load.md"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HEADS = ("visitors", "pages", "a second", "median ms", "p90 ms", "p99 ms", "most ms", "failed", "CPU ms")
MORE_HEADS = ("others", "MB", "writer s")
#: What a curve has of them: where pages were asked by the same visitors, their number says as much as their rate.
CURVE = (1, 3, 4, 5, 6, 7, 8)


def as_text(database: str, addresses: int, weeks: int, made_s: float, rounds: Sequence[RoundFigures]) -> str:
    """The rounds on one ledger."""
    heads = (*HEADS, *MORE_HEADS)
    first = sorted(rounds[0].first_s)
    head = (
        f"{NAMES[database]}, {addresses:,} addresses, {weeks} weeks (made in {made_s:.0f} s). First overview of each "
        f"of {len(first)} scopes: {first[len(first) // 2]:.2f} s at the median, {first[-1]:.2f} s at most."
    )
    lines = [
        textwrap.fill(head, COLUMNS, break_long_words=False),
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---:|' * len(heads)}",
        *(_row(its) for its in rounds),
        "",
        f"By page, of {rounds[0].visitors} visitors:",
        "",
        "| page | opened | median ms | p99 ms | most ms |",
        "|---|---:|---:|---:|---:|",
    ]
    its = rounds[0]
    for page in (page for each in rounds for page in each.pages if page.status != 200):
        print(f"failed: {page.status} {page.path}", file=sys.stderr)
    for route, count in its.routes.items():
        lines.append(f"| {route} | {count} | {' | '.join(f'{1e3 * its.at(part, route):.0f}' for part in PARTS)} |")
    return "\n".join(lines)


def as_curve(found: Mapping[tuple[int, int], RoundFigures]) -> str:
    """One round on each of several ledgers: addresses and weeks."""
    heads = ("addresses", "weeks", "first s", *(HEADS[at] for at in CURVE), "MB")
    lines = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}"]
    for (addresses, weeks), its in found.items():
        cells = _cells(its)
        figures = (f"{addresses:,}", weeks, f"{max(its.first_s):.1f}", *(cells[at] for at in CURVE), cells[10])
        lines.append(f"| {' | '.join(map(str, figures))} |")
    return "\n".join(lines)


PARTS = (0.5, 0.99, 1.0)


def _row(its: RoundFigures) -> str:
    return f"| {' | '.join(map(str, _cells(its)))} |"


def _cells(its: RoundFigures) -> tuple[object, ...]:
    return (
        its.visitors,
        len(its.pages),
        f"{len(its.pages) / its.seconds:.1f}",
        *(f"{1e3 * its.at(part):.0f}" for part in (0.5, 0.9, 0.99, 1.0)),
        its.failed,
        f"{1e3 * its.console_s / max(1, len(its.pages)):.0f}",
        f"{its.others:.2f}",
        f"{its.resident_bytes / 1e6:.0f}",
        its.writer.partition(" ")[2],
    )


def write_page(text: str, database: str) -> None:
    """Fill the page's place of a database."""
    marks = f"<!-- measured: {database} -->", f"<!-- end of {database} -->"
    PAGE.write_text(filled(PAGE.read_text(), marks, f"{text}\n\n{circumstances('')}"))
