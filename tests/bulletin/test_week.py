"""A simulated week in a real ledger, by the command: the truth lies within the bounds, every mine is there, nobody
clean is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exporters.forms.documents.labels import NOTES
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.bulletin.simulation import WEEK, Truth, simulate, week

ADDRESSES = 150
Told = Callable[..., dict[str, object]]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Truth]:
    url = f"sqlite:///{tmp_path_factory.mktemp('week') / 'ledger.db'}"
    ledger = Ledger.open(url)
    truth = simulate(ledger, ADDRESSES)
    ledger.close()
    return url, truth


@pytest.fixture(scope="module")
def folder(simulated: tuple[str, Truth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bulletins of the week in every form and both languages."""
    made = tmp_path_factory.mktemp("bulletins")
    assert main(["bulletin", "--week", WEEK, "--ledger", simulated[0], "--lang", "both", "-o", str(made)]) == 0
    return made


def told(folder: Path) -> dict[str, dict[str, object]]:
    """The blocks of the JSON by their keys."""
    whole = json.loads((folder / f"bulletin-{WEEK}.en.json").read_text(encoding="utf-8"))
    return {block["key"]: block for section in whole["sections"] for block in section["blocks"]}


def facts(folder: Path) -> dict[str, object]:
    return {one["key"]: one["value"] for one in told(folder)["headline"]["facts"]}  # type: ignore[union-attr, index]


def rows(folder: Path, key: str) -> list[dict[str, object]]:
    return told(folder)[key]["rows"]  # type: ignore[return-value]


def test_true_energy_lies_within_the_bounds(folder: Path, simulated: tuple[str, Truth]) -> None:
    week_kwh = facts(folder)["week_kwh"]
    assert week_kwh["low"] <= simulated[1].kwh <= week_kwh["high"]  # type: ignore[index]
    for row in rows(folder, "algorithms"):
        assert row["energy_kwh"]["low"] <= simulated[1].kwh_by_algorithm[row["algorithm"]] <= row["energy_kwh"]["high"]  # type: ignore[index]


def test_true_hashrate_lies_within_the_bounds(folder: Path, simulated: tuple[str, Truth]) -> None:
    seconds = (week().to_ns - week().from_ns) / 1e9
    for row in rows(folder, "algorithms"):
        said = row.get("mean_hashrate_hps") or row["mean_solution_rate_sps"]
        assert said["low"] <= simulated[1].hashes_by_algorithm[row["algorithm"]] / seconds <= said["high"]  # type: ignore[index]


def test_every_mine_is_there_and_nobody_clean(folder: Path, simulated: tuple[str, Truth]) -> None:
    truth = simulated[1]
    assert {row["address"] for row in rows(folder, "addresses")} == truth.addresses
    named = {row["name"] for row in rows(folder, "holders")}
    assert set(truth.enterprises.values()) <= named
    for path in folder.iterdir():
        if path.suffix != ".xlsx":
            content = path.read_text(encoding="utf-8")
            assert not [name for name in truth.clean | truth.persons if name in content], path


def test_who_is_new_is_told(folder: Path, simulated: tuple[str, Truth]) -> None:
    assert {row["address"] for row in rows(folder, "addresses") if row["new"]} == simulated[1].new
    assert told(folder)["changes"]["facts"][1]["value"] == len(simulated[1].gone - simulated[1].addresses)  # type: ignore[index]


def test_totals_equal_sums_over_the_ledger_equal_sums_over_events(folder: Path, simulated: tuple[str, Truth]) -> None:
    url, truth = simulated
    ledger = Ledger.open(url)
    period = week()
    whole = ledger.reader.summary(period.from_ns, period.to_ns)
    days = [ledger.reader.summary(day.from_ns, day.to_ns) for day in period.days()]
    ledger.close()
    assert (
        sum(line.shares for line in whole.lines)
        == sum(row["shares"] for row in rows(folder, "algorithms"))
        == truth.shares
    )  # type: ignore[misc]
    assert sum(line.shares for day in days for line in day.lines) == truth.shares
    for total in whole.totals():
        assert total.work_hashes == pytest.approx(truth.work_hashes[total.algorithm or ""])
    assert sum(day.energy_kwh.best for day in days) == pytest.approx(whole.energy_kwh.best)
    shown = [row["energy_kwh"]["best"] for row in rows(folder, "days")]  # type: ignore[index]
    assert shown == [pytest.approx(day.energy_kwh.best, rel=1e-3) for day in days]


def test_what_it_rests_on_is_said_first_and_on_standard_error(
    folder: Path, simulated: tuple[str, Truth], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = json.loads((folder / f"bulletin-{WEEK}.en.json").read_text(encoding="utf-8"))
    basis, strip, table = whole["opening"]
    assert basis["sentences"][0].startswith("Watched: 168 of 168 hours")
    assert [row["part"] for row in strip["rows"]] == [1.0]
    assert [row["part"] for row in table["rows"]] == [1.0] * 7
    assert main(["bulletin", "--week", WEEK, "--ledger", simulated[0], "--lang", "en"]) == 0
    assert "Watched: 168 of 168 hours" in capsys.readouterr().err


def test_chance_alone_is_a_small_part_of_what_leaves_a_province_open(folder: Path) -> None:
    row = rows(folder, "openness")[0]
    assert 0 < row["chance_up"] < 0.02 < row["rest_up"]  # type: ignore[operator]


def test_one_form_goes_to_standard_output(simulated: tuple[str, Truth]) -> None:
    words = [sys.executable, "-m", "sensor.cli", "bulletin", "--week", WEEK, "--ledger", simulated[0]]
    done = subprocess.run(
        [*words, "--lang", "en", "--region", "3205", "--format", "json"], capture_output=True, check=True
    )
    whole = json.loads(done.stdout)
    assert whole["region"] == "3205"
    cities = next(block for block in whole["sections"][0]["blocks"] if block["key"] == "cities")
    assert [row["cities"] for row in cities["rows"]] == ["江苏省苏州市"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--week", "2026-W99"], 2, "there is no week 2026-W99"),
        (["--to", "2026-03-02"], 2, "--to needs --from"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], 2, "is before the first"),
        (["--format", "html", "--format", "csv"], 2, "several documents need a folder: -o DIR"),
        (["--lang", "both"], 2, "several documents need a folder: -o DIR"),
        (["--region", "32O"], 78, "bulletin.region"),
        (["--region", "329900"], 2, "there is no division 329900 (GB/T 2260); 320000 is 江苏省"),
        (["--region", "苏洲市"], 2, "there is no division '苏洲市'"),
        (["--ledger", "sqlite:////nowhere/at/all.db"], 1, "there is none"),
        (["--meter", "/nowhere/meter.csv"], 1, "/nowhere/meter.csv: no such file"),
        (["--set", "bulletin.co2_kg_per_kwh=-1"], 78, "bulletin.co2_kg_per_kwh"),
        (["-o", "/proc/nowhere", "--format", "md"], 1, "cannot be written"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], code: int, said: str, simulated: tuple[str, Truth], capsys: pytest.CaptureFixture[str]
) -> None:
    given = words if "--ledger" in words else [*words, "--ledger", simulated[0]]
    assert main(["bulletin", *given]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_an_empty_period_is_a_bulletin_too(simulated: tuple[str, Truth], tmp_path: Path) -> None:
    assert (
        main(["bulletin", "--from", "2020-01-01", "--ledger", simulated[0], "-o", str(tmp_path), "--lang", "both"]) == 0
    )
    assert len(list(tmp_path.iterdir())) == 10
    told = (tmp_path / "bulletin-2020-01-01.en.md").read_text()
    assert "No mining was seen" not in told
    assert "This period was not observed: no sensor listened." in told


def test_what_a_ledger_notes_has_words_in_every_language(simulated: tuple[str, Truth]) -> None:
    ledger = Ledger.open(simulated[0])
    noted = ledger.reader.summary(week().from_ns + 60_000_000_000, week().to_ns).notes
    ledger.close()
    assert noted
    assert set(noted) <= set(NOTES)
