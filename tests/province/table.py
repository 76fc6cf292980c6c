"""The comparison as a table: for the terminal, and as a page of docs/."""

from __future__ import annotations

from collections.abc import Sequence

from tests.province.judged import Judged, Judgement
from tests.province.measured import Cell, Sum
from tests.province.simulate import REFUSED

HEADS = ("run", "algorithm", "machines", "shares", "hashes", "kWh", "kWh bounds", "truth inside")
#: Misses of one goal that are listed.
MOST = 4


def sums_table(judged: Judged) -> list[tuple[str, ...]]:
    """A row for each run and algorithm: the ledger's sums as parts of the truth."""
    truth, names = judged.province.truth.sums(), judged.province.truth.machine_names()
    rows: list[tuple[str, ...]] = [HEADS]
    for name in judged.done():
        cells = judged.cells(name)
        for (algorithm, day), true in sorted(truth.items()):
            if day != "total":
                continue
            own, hashes = cells.get(Cell(algorithm, day), Sum()), true.hashes * (1 - REFUSED)
            inside = own.hashes.low <= hashes <= own.hashes.high and own.kwh.low <= true.kwh <= own.kwh.high
            bounds = f"{own.kwh.low / true.kwh:.2f} to {own.kwh.high / true.kwh:.2f}"
            parts = (own.shares / true.shares, own.hashes.best / hashes, own.kwh.best / true.kwh)
            machines = f"{judged.measured(name).machines.get(Cell(algorithm, day), 0)} of {len(names[algorithm, day])}"
            rows.append(
                (name, algorithm, machines, *(f"{part:.3f}" for part in parts), bounds, "yes" if inside else "NO")
            )
    return rows


def goals_table(judgements: Sequence[Judgement]) -> list[tuple[str, ...]]:
    """A row for each goal and run."""
    rows: list[tuple[str, ...]] = [("run", "goal", "met", "misses")]
    return rows + [
        (item.run, item.goal, "NO" if item.misses else "yes", str(len(item.misses) or "")) for item in judgements
    ]


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def missed(judgements: Sequence[Judgement]) -> str:
    """What was missed, some sentences of each goal."""
    blocks = []
    for item in judgements:
        if item.misses:
            more = [f"  ... and {len(item.misses) - MOST} more"] if len(item.misses) > MOST else []
            blocks.append("\n".join([f"{item.run}: {item.goal}", *(f"  {miss}" for miss in item.misses[:MOST]), *more]))
    return "\n".join(blocks)
