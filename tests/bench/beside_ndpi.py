"""minewatch beside Debian's ndpiReader: who calls a capture mining, and who is right; the table of it in
`docs/beside-ndpi.md`.

python -m tests.bench.beside_ndpi [--write] [FOLDER ...]      without a folder, those beside this repository

What is right comes from the captures' own words: the folder of a capture (`mining`, or any other: nobody mines there),
`ground_truth.json` where a folder has one (nodes of currencies), and `case.yaml` of the project's own cases. The exit
code is 1 if minewatch misses what ndpiReader finds, or calls mining what is none.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from sensor import signatures
from sensor.intake import engine
from sensor.line.replay import replay
from sensor.model.finding import Finding
from sensor.model.record import Record
from tests.bench.peers import install
from tests.docs.markdown import filled
from tests.dump.dump import CASES, LIMITS, captures_below, own_captures

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "beside-ndpi.md"
MARKS = ("<!-- table: make beside-ndpi -->", "<!-- end of the table -->")
SHARED = ROOT.parent / "shared"
FOLDERS = [SHARED / "cases", SHARED / "captures"]
#: More captures than this without mining are one row of the table.
SHOWN_SILENT = 20
COLUMNS = 120  # of a line of the page: a table's row would be far longer

Truth = Literal["mining", "node", "nothing"]


@dataclass(frozen=True)
class Compared:
    """One capture: what it is, and what both programs say of it."""

    name: str
    right: Truth
    ndpi: tuple[str, ...]  # the protocols it names, each once
    minewatch: tuple[str, ...]  # a few words for each finding
    found: bool  # minewatch has a finding of any activity
    called: bool  # minewatch calls a finding mining

    @property
    def ndpi_calls(self) -> bool:
        """Whether nDPI says Mining, alone or inside of another protocol ("TLS.Mining")."""
        return any("Mining" in protocol.split(".") for protocol in self.ndpi)

    @property
    def missed(self) -> bool:
        """Somebody mines, and minewatch has nothing."""
        return self.right == "mining" and not self.found

    @property
    def false(self) -> bool:
        """Nobody mines, and minewatch says so."""
        return self.right != "mining" and self.called


def protocols(text: str) -> tuple[str, ...]:
    """What the flow table that `ndpiReader -C` writes names, sorted, each once. A flow it cannot name has no row."""
    rows = csv.reader(text.splitlines())
    column = next(rows, []).index("ndpi_proto")
    return tuple(sorted({row[column] for row in rows if len(row) > column}))


def ask_ndpi(capture: Path, table: Path) -> tuple[str, ...]:
    """The protocols that ndpiReader names in a capture; none where it cannot read it."""
    table.unlink(missing_ok=True)
    subprocess.run(["ndpiReader", "-q", "-i", capture, "-C", table], check=False, capture_output=True)
    text = table.read_text(errors="replace") if table.exists() else ""
    return protocols(text) if text else ()


def in_words(record: Record) -> str:
    """A finding in a few words; another record by its protocol."""
    if not isinstance(record, Finding):
        return str(getattr(record, "protocol", "something else"))
    named = [record.dialect or record.pool.host, record.coin or "coin not known", record.grade.label]
    if record.shares.submitted:
        named.append(f"{record.shares.accepted:,} of {record.shares.submitted:,} shares")
    if record.activity not in (None, "mining"):
        named.append(str(record.activity))
    return ", ".join(str(word) for word in named if word)


def truths(folders: Iterable[Path]) -> dict[str, Truth]:
    """Node traffic by name of capture, from the files of ground truth."""
    found: dict[str, Truth] = {}
    for folder in folders:
        path = folder / "ground_truth.json"
        for entry in json.loads(path.read_text()) if path.exists() else []:
            found[entry["file"]] = "mining" if "mining" in entry["class"] else "node"
    return found


def right_of(name: str, stated: dict[str, Truth]) -> Truth:
    """What a capture is: as stated; else by its folder; an own case by what its `case.yaml` finds."""
    if name in stated:
        return stated[name]
    case = CASES / name.removeprefix("cases/") / "case.yaml"
    if case.is_file():
        return "mining" if yaml.safe_load(case.read_text())["find"] else "nothing"
    return "mining" if name == "demo" or name.startswith("mining/") else "nothing"


def compared(folders: list[Path]) -> Iterator[Compared]:
    """Every capture of the project and of the folders, compared."""
    loaded, shipped, stated = engine.load("auto"), signatures.load(), truths(folders)
    with tempfile.TemporaryDirectory() as made:
        captures = {**own_captures(Path(made)), **dict(captures_below(folders))}
        for name, path in captures.items():
            records = replay([str(path)], shipped, loaded, LIMITS).records
            findings = [record for record in records if isinstance(record, Finding)]
            yield Compared(
                name,
                right_of(name, stated),
                ask_ndpi(path, Path(made) / "flows.csv"),
                tuple(in_words(record) for record in records),
                bool(findings),
                any(finding.mines for finding in findings),
            )


def sums(rows: list[Compared]) -> str:
    """Who finds how many, and who calls mining what is none."""
    mining = [row for row in rows if row.right == "mining"]
    nodes = [row for row in rows if row.right == "node"]
    others = [row for row in rows if row.right == "nothing"]
    return "\n".join(
        [
            "| | captures | nDPI says mining | minewatch says mining, or an attempt at it |",
            "|---|--:|--:|--:|",
            f"| somebody mines | {len(mining):,} | {sum(row.ndpi_calls for row in mining):,} "
            f"| {sum(row.found for row in mining):,} |",
            f"| a node of a currency, nobody mines | {len(nodes):,} | {sum(row.ndpi_calls for row in nodes):,} "
            f"| {sum(row.called for row in nodes):,} |",
            f"| nobody mines | {len(others):,} | {sum(row.ndpi_calls for row in others):,} "
            f"| {sum(row.called for row in others):,} |",
        ]
    )


def table(rows: list[Compared]) -> str:
    """The page's tables in Markdown."""
    lines = [sums(rows), ""]
    quiet = [row for row in rows if row.right == "nothing" and not (row.ndpi_calls or row.minewatch)]
    shown = [row for row in rows if row not in quiet] if len(quiet) > SHOWN_SILENT else rows
    for row in shown:
        findings = "; ".join(_counted(row.minewatch)) or "nothing"
        wrong = " **(wrong)**" if row.missed or row.false else ""
        ndpi = _shortened(row.ndpi) or "not known"
        ndpi += " **(wrong)**" if row.right != "node" and row.ndpi_calls != (row.right == "mining") else ""
        entry = f"- `{row.name}`: {row.right}. nDPI: {ndpi}. minewatch: {findings}{wrong}."
        lines += textwrap.wrap(entry, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if len(shown) < len(rows):
        lines.append(f"- {len(rows) - len(shown):,} others: nothing. nDPI: no mining. minewatch: nothing.")
    return "\n".join(lines) + "\n"


def _shortened(names: tuple[str, ...]) -> str:
    """The protocols, those of mining first, at most three by name."""
    ordered = sorted(names, key=lambda protocol: ("Mining" not in protocol.split("."), protocol))
    rest = len(ordered) - 3
    return ", ".join(ordered[:3]) + (f" and {rest} more" if rest > 0 else "")


def _counted(words: tuple[str, ...]) -> list[str]:
    return [f"{words.count(word)} × {word}" if words.count(word) > 1 else word for word in dict.fromkeys(words)]


def written(page: str, rows: list[Compared]) -> str:
    """The page with the tables in their place."""
    return filled(page, MARKS, table(rows))


def main() -> int:
    """Compare, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.beside_ndpi")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    if not shutil.which("ndpiReader"):
        install("libndpi-bin")
    if not shutil.which("ndpiReader"):
        print("beside-ndpi: there is no ndpiReader; on Debian: apt-get install libndpi-bin", file=sys.stderr)
        return 2
    absent = [folder for folder in chosen.folders if not folder.is_dir()]
    if absent:
        print(f"beside-ndpi: {absent[0]}: is no folder", file=sys.stderr)
        return 2
    rows = list(compared(chosen.folders or [folder for folder in FOLDERS if folder.is_dir()]))
    if chosen.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    print(table(rows))
    wrong = [row for row in rows if row.false or (row.missed and row.ndpi_calls)]
    for row in wrong:
        print(f"beside-ndpi: {row.name}: {'called mining' if row.false else 'nDPI finds it'}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
