"""The bulletins of the central ledger, made as the command makes them, against the truth: figures, names, what is said
where too little was listened to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.province_many.judged import LEAST_SECONDS
from tests.province_many.truth import ManyTruth, TrueAmount, TruePeriod

#: Of their hours sensors must have listened for anything to follow: the default of `bulletin.least_watched`.
LEAST_WATCHED = 0.8
FORMS = ("html", "xlsx", "csv", "json", "md")
#: Digits that a bulletin's JSON has: four.
ROUNDING = 1e-3


@dataclass
class MadeBulletin:
    """One bulletin."""

    period: TruePeriod
    seconds: float  # from the command's start to its end, in one language and all forms
    document: dict[str, Any]
    texts: dict[str, str]  # by form

    def facts(self, section: str) -> dict[str, Any]:
        """The facts of a section, by key."""
        blocks = (block for block in self._blocks(section) if block["type"] == "facts")
        return {fact["key"]: fact["value"] for block in blocks for fact in block["facts"]}

    def rows(self, section: str, key: str) -> list[dict[str, Any]]:
        """The rows of a table."""
        tables = (block for block in self._blocks(section) if block["type"] == "table" and block["key"] == key)
        return [row for block in tables for row in block["rows"]]

    def _blocks(self, section: str) -> list[dict[str, Any]]:
        return [block for one in self.document["sections"] if one["key"] == section for block in one["blocks"]]


def make_bulletin(url: str, period: TruePeriod, truth: ManyTruth, folder: Path) -> MadeBulletin:
    """By the command. Raises AssertionError where it fails."""
    name = ["--week", period.name]
    if period.name == "all":
        name = ["--from", "2026-03-02", "--to", f"2026-03-{1 + truth.roster.days:02d}"]
    command = [
        sys.executable,
        "-m",
        "sensor.cli",
        "bulletin",
        *name,
        "--ledger",
        url,
        "--lang",
        "en",
        "-o",
        str(folder),
    ]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took_s = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    newest = max(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    files = {form: newest.with_suffix(f".{form}") for form in FORMS if form != "xlsx"}
    texts = {form: path.read_text(encoding="utf-8") for form, path in files.items()}
    return MadeBulletin(period, took_s, json.loads(texts["json"]), texts)


def judge_bulletin(made: MadeBulletin, before: TruePeriod | None, truth: ManyTruth) -> Iterator[str]:
    """Everything that is not as it should be."""
    where = f"bulletin {made.period.name}"
    for miss in (*_figures(made), *_names(made, truth), *_premises(made), *_watched(made, truth)):
        yield f"{where}: {miss}"
    if before is not None:
        yield from (f"{where}: {miss}" for miss in _turnover(made, before, truth))


def _figures(made: MadeBulletin) -> Iterator[str]:
    facts, (least, most) = made.facts("headline"), _between(made.period)
    if not least <= facts["addresses"] <= most:
        yield f"{facts['addresses']} addresses, not {least} to {most}"
    energy, kwh = facts["energy_kwh"], sum(amount.kwh for amount in made.period.amounts.values())
    if not energy["low"] * (1 - ROUNDING) <= kwh:
        yield f"{energy} kWh, not {kwh:.4g}"
    if not energy.get("at_least") and not kwh <= energy["high"] * (1 + ROUNDING):
        yield f"{energy} kWh, not {kwh:.4g}"


def _between(period: TruePeriod) -> tuple[int, int]:
    """Addresses that must be seen, and those that may."""
    watched: dict[str, float] = {}
    for key, amount in period.amounts.items():
        watched[key.address] = watched.get(key.address, 0.0) + amount.seconds
    return sum(one >= LEAST_SECONDS for one in watched.values()), len(watched)


def _names(made: MadeBulletin, truth: ManyTruth) -> Iterator[str]:
    """All that mine are named, but persons; nobody else is, in any form."""
    named = {row["name"] for row in made.rows("enterprises", "holders")}
    watched: dict[str, float] = {}
    for key, amount in made.period.amounts.items():
        if key.holder:
            watched[key.holder] = watched.get(key.holder, 0.0) + amount.seconds
    enterprises = watched.keys() - truth.persons
    missing = {name for name in enterprises - named if watched[name] >= LEAST_SECONDS}
    if missing:
        yield f"not named: {sorted(missing)[:3]} ({len(missing)})"
    if wrongly := {name for name in named - enterprises if name.startswith(("示例", "无辜"))}:
        yield f"named, and do not mine: {sorted(wrongly)[:3]} ({len(wrongly)})"
    for form, text in made.texts.items():
        for name in truth.persons | truth.innocent:
            if name in text:
                yield f"{form}: names {name}"


def _premises(made: MadeBulletin) -> Iterator[str]:
    """Each address stands under its holder, with its city and its machines."""
    rows: dict[tuple[str, str], set[str]] = {}
    for row in made.rows("enterprises", "addresses"):
        rows.setdefault((row["address"], row["algorithm"]), set()).add(str(row["city"]))
    for key, amount in made.period.amounts.items():
        cities = rows.get((key.address, key.algorithm))
        if cities is None:
            if amount.seconds >= LEAST_SECONDS:
                yield f"{key.address} is not in the list"
        elif key.holder and not any(key.premises[:3] in city for city in cities):
            yield f"{key.address}: in {cities}, not in {key.premises}"


def _watched(made: MadeBulletin, truth: ManyTruth) -> Iterator[str]:
    """How much was listened to; with too little nothing follows, and that is said first."""
    true = truth.coverage(made.period.span)
    part = made.facts("coverage")["watched_part"]
    if abs(part - true) > 0.005:
        yield f"watched {part}, not {true:.4f}"
    warned = any(block["key"] == "warning" for block in made.document["opening"])
    changes = made.facts("changes")
    if true < LEAST_WATCHED:
        if not warned:
            yield "nothing warns that too little was watched"
        if changes["energy_growth"] != "not-observed" or changes["addresses_gone"] != "not-observed":
            yield f"compared, though too little was watched: {changes}"
        if any(row["projected_kwh"] not in ("not-projected", None) for row in made.rows("enterprises", "addresses")):
            yield "projected, though too little was watched"


def _turnover(made: MadeBulletin, before: TruePeriod, truth: ManyTruth) -> Iterator[str]:
    """Who is gone and who was not observed: by whether the sensors that saw them listened."""
    changes = made.facts("changes")
    if min(truth.coverage(span) for span in (before.span, made.period.span)) < LEAST_WATCHED:
        return  # what is said then is looked at above
    gone, unobserved, open_ = 0, 0, 0
    now = {key.address for key in made.period.amounts}
    by_address: dict[str, list[TrueAmount]] = {}
    for key, amount in before.amounts.items():
        by_address.setdefault(key.address, []).append(amount)
    for address, amounts in by_address.items():
        if address in now:
            continue
        if sum(amount.seconds for amount in amounts) < LEAST_SECONDS:
            open_ += 1
            continue
        parts = [truth.listened(address, amount.numbers, made.period.span) for amount in amounts]
        if min(parts) >= LEAST_WATCHED:
            gone += 1
        else:
            unobserved += 1
    brief = sum(
        amount.seconds < LEAST_SECONDS for key, amount in made.period.amounts.items() if key.address in by_address
    )
    for name, true in (("addresses_gone", gone), ("addresses_unobserved", unobserved)):
        if not true <= changes[name] <= true + open_ + brief:
            yield f"{name}: {changes[name]}, not {true} (to {true + open_ + brief})"
    if changes["addresses_before"] + changes["addresses_new"] + changes["addresses_back"] != (
        made.facts("headline")["addresses"] + changes["addresses_gone"] + changes["addresses_unobserved"]
    ):
        yield f"the counts do not add up: {changes}"
