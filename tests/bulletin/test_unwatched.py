"""Bulletins of a full week, of one watched 0.07 %, and of one that nobody watched: what was not observed is called so,
in every form and language, and nothing follows from it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sensor.bulletin.period import Period, week_of
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.bulletin.simulation import simulate
from tests.ledger.made import SECOND
from tests.ledger.mining import mined

FULL, HARDLY, NEVER = "2026-W10", "2026-W11", "2026-W12"
MINUTES = 7  # of the second week: 0.07 % of it
NOT_OBSERVED = {"en": "not observed", "zh": "未监测"}


def week(name: str) -> Period:
    return week_of(name, ZoneInfo("Asia/Shanghai"), date(2026, 4, 1))


def fill(url: str, addresses: int = 40) -> None:
    """A ledger of the three weeks."""
    ledger = Ledger.open(url)
    simulate(ledger, addresses)
    start = week(HARDLY).from_ns + 30 * 3_600 * SECOND
    ledger.record([mined(90_001, start, start + MINUTES * 60 * SECOND, 12, miner="10.0.0.41")], start)
    ledger.add_coverage(start, start + MINUTES * 60 * SECOND)
    ledger.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bulletins of all three, in every form and both languages."""
    made = tmp_path_factory.mktemp("weeks")
    url = f"sqlite:///{made / 'ledger.db'}"
    fill(url)
    for name in (FULL, HARDLY, NEVER):
        assert main(["bulletin", "--week", name, "--ledger", url, "--lang", "both", "-o", str(made)]) == 0
    return made


def blocks(folder: Path, name: str) -> dict[str, dict[str, object]]:
    whole = json.loads((folder / f"bulletin-{name}.en.json").read_text(encoding="utf-8"))
    found = [*whole["opening"], *(block for section in whole["sections"] for block in section["blocks"])]
    return {block["key"]: block for block in found}


def facts(folder: Path, name: str, key: str = "headline") -> dict[str, object]:
    return {one["key"]: one["value"] for one in blocks(folder, name)[key]["facts"]}  # type: ignore[attr-defined]


def test_of_an_unwatched_week_nothing_is_zero_gone_or_less(folder: Path) -> None:
    told = facts(folder, NEVER)
    assert {told[key] for key in ("addresses", "enterprises", "egress_mbit_s", "energy_kwh")} == {"not-observed"}
    assert {told[key] for key in ("day_kwh", "week_kwh")} == {"not-projected"}
    assert not {key for key, value in told.items() if value == 0}
    changes = facts(folder, NEVER, "changes")
    assert changes["addresses_gone"] == changes["energy_growth"] == "not-observed"
    assert changes["addresses_unobserved"] == 1
    assert blocks(folder, NEVER)["gone"]["rows"] == []
    assert [row["now"] for row in blocks(folder, NEVER)["turnover"]["rows"]] == ["not-observed"] * 2  # type: ignore[attr-defined]
    assert {row["energy_kwh"] for row in blocks(folder, NEVER)["days"]["rows"]} == {"not-observed"}  # type: ignore[attr-defined]


def test_of_a_week_that_was_hardly_watched_counts_are_lower_bounds_and_nothing_is_projected(folder: Path) -> None:
    (addresses,) = (
        one
        for one in blocks(folder, HARDLY)["headline"]["facts"]
        if one["key"] == "addresses"  # type: ignore[attr-defined]
    )
    assert (addresses["value"], addresses["at_least"]) == (1, True)
    told = facts(folder, HARDLY)
    assert {told[key] for key in ("day_kwh", "week_kwh")} == {"not-projected"}
    seen = told["energy_kwh"]
    assert seen["low"] < seen["best"] < seen["high"] < 1  # type: ignore[index]
    changes = facts(folder, HARDLY, "changes")
    assert changes["addresses_gone"] == changes["energy_growth"] == "not-observed"
    (row,) = (one for one in blocks(folder, HARDLY)["turnover"]["rows"] if one["what"] == "Addresses")  # type: ignore[attr-defined]
    assert row["before"] - row["gone"] - row["unobserved"] + row["new"] + row["back"] == row["now"] == 1
    assert row["unobserved"] > 30


@pytest.mark.parametrize("name", [HARDLY, NEVER])
def test_no_empty_list_says_none_where_nobody_knows(folder: Path, name: str) -> None:
    text = (folder / f"bulletin-{name}.en.md").read_text(encoding="utf-8")
    lists = {part.partition("\n")[0].partition(";")[0]: part for part in text.split("\n### ")[1:]}
    assert "Too little was watched to call anybody gone." in lists["Gone"]
    if name == NEVER:
        assert "Not observed" in lists["Enterprises and persons by electricity"]
        assert "Not observed" in lists["New"]


def test_a_full_week_has_everything(folder: Path) -> None:
    told = facts(folder, FULL)
    assert "warning" not in blocks(folder, FULL)
    assert told["week_kwh"] == told["energy_kwh"]
    assert isinstance(facts(folder, FULL, "changes")["energy_growth"], float)
    assert facts(folder, FULL, "changes")["addresses_unobserved"] == 0


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["html", "md", "csv"])
@pytest.mark.parametrize("name", [HARDLY, NEVER])
def test_the_banner_comes_first_and_no_form_says_gone_or_a_fall(
    folder: Path, name: str, form: str, language: str
) -> None:
    content = (folder / f"bulletin-{name}.{language}.{form}").read_text(encoding="utf-8-sig")
    shown = re.sub(r"<style>.*?</style>", "", content, flags=re.DOTALL).replace("\\", "")
    warning = {
        (NEVER, "en"): "This period was not observed",
        (NEVER, "zh"): "本期未监测",
        (HARDLY, "en"): "Only 0.0694 % of the hours of this period were watched",
        (HARDLY, "zh"): "本期仅有0.0694%的时段受到监测",
    }[name, language]
    assert warning in shown
    first = {"en": "The period in figures", "zh": "本期主要指标"}[language] if form != "csv" else "headline"
    assert first in shown
    assert shown.index(warning) < shown.index(first)
    assert NOT_OBSERVED[language] in shown
    assert "−100 %" not in shown
    assert "-1.0" not in shown


def test_unseen_days_are_hatched_on_the_page(folder: Path) -> None:
    hatched = {
        name: (folder / f"bulletin-{name}.en.html").read_text().count('class="unseen"')
        for name in (FULL, HARDLY, NEVER)
    }
    # Every step of the strip has its place for it; the chart of days only where something was not watched.
    assert hatched[FULL] == 7
    assert hatched[HARDLY] == hatched[NEVER] == 14
