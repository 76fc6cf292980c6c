"""Figures of a province as rows, and into docs/province-many.md between marks of their own, with date, commit, machine
and seed."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.province_many.centre import EVERY_HOURS
from tests.province_many.province import ProvinceFound

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "province-many.md"
#: Tables that are listed by themselves.
TABLES = 8


def as_rows(found: ProvinceFound, seconds: float, load: tuple[float, float]) -> dict[str, str]:
    """What is found, as rows of a table."""
    roster, run, judged = found.roster, found.run, found.judgement
    weeks = [name for name in judged.kwh if name != "all"]
    totals = judged.right
    rows = {
        "sensors, mining addresses, machines, days": f"{len(roster.sensors)}, {len(roster.addresses):,}, "
        f"{len(roster.of_kind('mining')):,}, {roster.days}",
        "not mining, and reported": f"{len(roster.machines) - len(roster.of_kind('mining')):,} enterprises",
        "wrong or missing: lines, holders, premises, cases, bulletins": f"{len(judged.misses)}",
        "lines of an address, holder and algorithm, compared": f"{totals['lines']:,}",
        "hashrate of a finding within its interval of 95 %": str(judged.rates),
        "hashes of a line and week within its bounds": str(judged.lines),
        "energy of a line and week within its bounds": str(judged.energies),
        "sums of an algorithm and period within their bounds": str(judged.totals),
        "mean width of the bounds of hashes": f"{sum(judged.width) / max(1, len(judged.width)):.1%}",
    }
    for name in (*weeks, "all"):
        ledger, true = judged.kwh[name]
        rows[f"energy seen, {name}"] = f"{ledger:,.0f} kWh, truly {true:,.0f} ({ledger / true - 1:+.2%})"
    rows["cases; closed while their machines were off; closed while one mined"] = (
        f"{totals['cases']:,}; {totals['cases closed while their machines were off']:,}; "
        f"{totals['cases closed while machines mined, unseen for all sensors listened to']:,}"
    )
    rows["reports, each finding's every so many hours"] = f"{run.reports:,}, {EVERY_HOURS}"
    rows["mean length of a report"] = f"{run.bytes_ / max(1, run.reports):,.0f} bytes"
    rows["written into the ledger"] = (
        f"{run.records:,} records in {run.seconds:,.0f} s: {run.records / max(run.seconds, 1e-9):,.0f} a second"
    )
    rows["attributed by the centre's books in"] = f"{run.attribution_s:,.0f} s"
    if found.bytes_:
        rows["ledger in PostgreSQL"] = f"{found.bytes_ / 1e6:,.0f} MB"
        for table, size in list(found.sizes.items())[:TABLES]:
            rows[f"of it `{table}`"] = f"{size / 1e6:,.0f} MB"
    rows["a week's bulletin, one language, all forms"] = _times(found.bulletin_s[name] for name in weeks)
    rows["the bulletin of all days"] = f"{found.bulletin_s['all']:.1f} s"
    for page in found.pages:
        rows[f"console, {page.path}: first, again"] = f"{page.first_s:.2f} s, {page.again_s:.2f} s"
    rows["all of it, and the load of the machine before and after"] = f"{seconds:,.0f} s, {load[0]:.1f}, {load[1]:.1f}"
    return rows


def present_commit() -> str:
    """What is tried: to be asked before it begins."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def write_page(name: str, rows: Mapping[str, str], commit: str, seed: str) -> None:
    """Put the figures of a size into the page."""
    text = PAGE.read_text(encoding="utf-8")
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = [f"{day}, commit {commit}, seed {seed}, {os.cpu_count()} processors.", "", "| what | figure |", "|---|---|"]
    lines += [f"| {what} | {figure} |" for what, figure in rows.items()]
    made = f"<!-- figures: {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
    text, count = re.subn(rf"<!-- figures: {name} -->\n.*?<!-- end -->", lambda _: made, text, flags=re.S)
    assert count == 1, f"{PAGE.name} has no place for {name}"
    PAGE.write_text(text, encoding="utf-8")


def _times(seconds: object) -> str:
    values = sorted(seconds)  # type: ignore[call-overload]
    return f"{values[0]:.1f} to {values[-1]:.1f} s" if values else "none"
