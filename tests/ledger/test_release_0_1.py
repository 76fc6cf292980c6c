"""A ledger that release 0.1 made opens, after a copy of it was made, and its bulletin says the same.

`release_0_1` holds that release's ledger of the demo as SQL, and the ten files of the bulletin it made of it. Every
cell is compared by the JSON; what differs on purpose is listed here with the reason. The other files are to say what
theirs said.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from sensor.ledger import Ledger

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "release_0_1"
CONFIG = ROOT / "tests" / "demo" / "minewatch.yaml"
#: Cells that differ, by key, and whether the present one is what it is meant to be. The demo is 7 minutes of a week.
INTENDED: dict[str, Callable[[Any, Any], bool]] = {
    # Nothing is projected where less than 80 % of the period was watched.
    "day_kwh": lambda _, now: now == "not-projected",
    "week_kwh": lambda _, now: now == "not-projected",
    # Hashrate and power are those of the time in which it was watched mining, no longer spread over all time watched.
    "hashrate_hps": lambda before, now: now["best"] > before["best"],
    "power_watts": lambda before, now: now["best"] > before["best"],
    # What nobody watched is not observed: neither nothing nor gone.
    "energy_kwh": lambda before, now: before is None and now == "not-observed",
    "addresses_gone": lambda _, now: now == "not-observed",
    "energy_growth": lambda before, now: before is None and now == "not-observed",
    # ASICs of one account at a firm, and one at a public body, are small mines; being a public body speaks no more for
    # intruders.
    "site_class": lambda before, now: (before, now) in (("unclear", "mine"), ("不明", "矿场")),
}
#: The sums by kind of site, of which two changed.
RECLASSIFIED = ("headline", "classes")
#: Sentences of the method that say how the above is reckoned by now, or stand at another place.
METHOD = "method"


def is_class(place: tuple[object, ...]) -> bool:
    """Whether a cell says what kind of place a site is, or counts those: that rests on other facts by now."""
    return place[:2] == ("headline", "classes") or place[-1] == "site_class"


def is_intended(key: str, before: Any, now: Any) -> bool:
    name = "hashrate_hps" if key.startswith("hashrate_") else key
    return name in INTENDED and INTENDED[name](before, now)


def cells(bulletin: dict[str, Any]) -> dict[tuple[object, ...], Any]:
    """Every cell of a bulletin in JSON by its place: facts, rows of tables, sentences."""
    found: dict[tuple[object, ...], Any] = {}
    for section in bulletin["sections"]:
        for block in section["blocks"]:
            place = (section["key"], block["key"])
            found.update({(*place, fact["key"]): fact["value"] for fact in block.get("facts", ())})
            names = [column["key"] for column in block.get("columns", ())]
            for number, row in enumerate(block.get("rows", ())):
                values = row if isinstance(row, list) else [row.get(name) for name in names]
                found.update({(*place, number, name): value for name, value in zip(names, values, strict=True)})
    return found


def kept(name: str) -> str:
    return gzip.decompress((KEPT / name).read_bytes()).decode()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the migrated ledger and its bulletins."""
    folder = tmp_path_factory.mktemp("release")
    with sqlite3.connect(folder / "ledger.db") as connection:
        connection.executescript(kept("ledger.sql.gz"))
    connection.close()
    words = [sys.executable, "-m", "sensor.cli", "bulletin", "-w", "2026-W10", "--lang", "both", "-c", str(CONFIG)]
    words += ["--ledger", f"sqlite:///{folder}/ledger.db", "-o", str(folder / "out")]
    subprocess.run(words, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    return folder


def test_a_copy_of_the_former_schema_is_made_first(opened: Path) -> None:
    copy = sqlite3.connect(opened / "ledger.db.before-0002")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [("0002",)]
    before = "\n".join(copy.iterdump())
    copy.close()
    assert sorted(before.splitlines()) == sorted(kept("ledger.sql.gz").splitlines())


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_cell_is_the_same_or_differs_on_purpose(opened: Path, language: str) -> None:
    before = cells(json.loads(kept(f"bulletin.{language}.json.gz")))
    now = cells(json.loads((opened / "out" / f"bulletin-2026-W10.{language}.json").read_text()))
    assert len(before) > 350
    gone = [place for place in before if place not in now]
    other = [
        (place, value, now[place])
        for place, value in before.items()
        if place[:2] != RECLASSIFIED
        and place in now
        and now[place] != value
        and not is_intended(str(place[-1]), value, now[place])
    ]
    assert (gone, other) == ([], [])


def text_of(form: str, data: bytes) -> str:
    """What a form says, without its marks."""
    if form == "xlsx":
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            return unescape("\n".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml")))
    text = data.decode("utf-8-sig")
    if form == "html":
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
    return text.replace("\\", "")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["html", "xlsx", "csv", "json", "md"])
def test_every_file_names_whom_it_named(opened: Path, language: str, form: str) -> None:
    """Enterprises, places, addresses, pools, algorithms, coins, cases: every text of a cell."""
    before = cells(json.loads(kept(f"bulletin.{language}.json.gz")))
    named = {place: value for place, value in before.items() if place[0] != METHOD and not is_class(place)}
    texts = {value for value in named.values() if isinstance(value, str)}
    former = text_of(form, gzip.decompress((KEPT / f"bulletin.{language}.{form}.gz").read_bytes()))
    shown = {text for text in texts if text in former}
    assert len(shown) > 20
    now = text_of(form, (opened / "out" / f"bulletin-2026-W10.{language}.{form}").read_bytes())
    assert {text for text in shown if text not in now} == set()


def test_the_ledger_goes_on(opened: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{opened}/ledger.db")
    assert len(ledger.reader.findings()) == 8
    assert {case.state for case in ledger.reader.cases()} == {"new"}
    ledger.close()
