"""`bulletin --meter` against tables made from the truth: whatever the readings' length, a mine that runs is never
refuted, one that does not is, and what stopped, or was never seen, is reported."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.model.attribution import Attribution
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = "2023-W48"  # the second of the ledger's two weeks; the first begins on MONDAY
NEXT = MONDAY + 7 * DAY
JOULES = 30e-12
#: Kilowatts of office and of machines, when the machines run, and when the sensor saw them.
Truth = tuple[float, float, tuple[int, int], tuple[int, int] | None]
ALWAYS, FOREVER = 0, 1 << 62
TRUE: dict[str, Truth] = {
    "企业1": (20, 50, (MONDAY, FOREVER), (MONDAY, NEXT + 7 * DAY)),  # began when the sensor did
    "企业2": (20, 50, (NEXT, FOREVER), (NEXT, NEXT + 7 * DAY)),  # began in the week
    "企业3": (10, 0, (ALWAYS, ALWAYS), (NEXT, NEXT + 7 * DAY)),  # too low: its machines hang on another meter
    "企业4": (0, 300, (ALWAYS, FOREVER), None),  # even, and no mining was seen
    "企业5": (20, 50, (MONDAY, NEXT), (MONDAY, NEXT)),  # stopped
    "企业6": (20, 50, (MONDAY, FOREVER), (MONDAY, NEXT)),  # said to have stopped, and did not
    "企业7": (40, 0, (ALWAYS, ALWAYS), None),  # an office
}  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger of two weeks, in which the sensor heard these enterprises mine by the hour."""
    url = f"sqlite:///{tmp_path_factory.mktemp('meters') / 'ledger.db'}"
    ledger = Ledger.open(url)
    ledger.add_coverage(MONDAY, NEXT + 7 * DAY)
    for number, (_, kilowatts, _, seen) in enumerate(TRUE.values(), 1):
        if seen is None:
            continue
        shares = round((kilowatts or 60) * 1000 * 24 * 3600 / JOULES / 2.0**40)
        for at in range(*seen, DAY):
            day = mined(number, at, at + DAY - 1, shares, attribution=_owner(number), joules=JOULES)
            ledger.record([dataclasses.replace(day, finding_id=f"{number}-{at}", state="closed")], at + DAY)
    ledger.close()
    return url


def _owner(number: int) -> Attribution:
    return dataclasses.replace(owned(number), address=f"10.0.0.{number}")


def hourly(name: str, first: int, last: int) -> Iterator[tuple[int, float]]:
    """The true load, by the hour."""
    office, kilowatts, (began, ended), _ = TRUE[name]
    chance = random.Random(name)
    for at in range(first, last, HOUR):
        clock = datetime.fromtimestamp(at // 1_000_000_000, UTC).astimezone(ZONE)
        open_ = 8 <= clock.hour < 18 and clock.weekday() < 5
        yield (
            at,
            office * (1.0 if open_ else 0.2) * chance.uniform(0.9, 1.1) + (kilowatts if began <= at < ended else 0),
        )


def _months(first: int, last: int) -> list[int]:
    clock = datetime.fromtimestamp(first // 1_000_000_000, ZONE).replace(day=1, hour=0)
    found = []
    while clock.timestamp() * 1e9 < last:
        found.append(int(clock.timestamp()) * 1_000_000_000)
        clock = clock.replace(year=clock.year + clock.month // 12, month=clock.month % 12 + 1)
    return found


def write(path: Path, borders: Callable[[int, int], list[int]], register: bool, heading: str = "kwh") -> Path:
    """A table of all meters from a month before the two weeks to a month after."""
    edges = borders(MONDAY - 40 * DAY, NEXT + 40 * DAY)
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("enterprise", "time", heading))
        for name in TRUE:
            total, load = 15_000.0, dict(hourly(name, edges[0], edges[-1]))
            for sooner, later in itertools.pairwise([*edges, edges[-1]] if register else edges):
                used = sum(load[at] for at in range(sooner, later, HOUR))
                when = datetime.fromtimestamp(sooner // 1_000_000_000, ZONE).strftime("%Y-%m-%d %H:%M")
                writer.writerow((name, when, f"{total if register else used:.2f}"))
                total += used
    return path


def every(length: int) -> Callable[[int, int], list[int]]:
    return lambda first, last: list(range(first, last, length))


def checks(url: str, table: Path, out: Path, *options: str) -> dict[str, dict[str, str]]:
    words = ["bulletin", "--week", WEEK, "--ledger", url, "--set", "ledger.timezone=Asia/Shanghai"]
    assert main([*words, "--lang", "en", "--format", "json", "-o", str(out), "--meter", str(table), *options]) == 0
    whole = json.loads(next(out.glob("*.json")).read_text(encoding="utf-8"))
    section = next(one for one in whole["sections"] if one["key"] == "electricity")
    return {row["meter"]: row for row in section["blocks"][-1]["rows"]}


@pytest.mark.parametrize("register", [False, True])
@pytest.mark.parametrize("length", [HOUR, 6 * HOUR, DAY])
def test_verdicts_are_right_by_hours_and_days(url: str, tmp_path: Path, length: int, register: bool) -> None:
    found = checks(url, write(tmp_path / "m.csv", every(length), register), tmp_path)
    assert {name: row["verdict"] for name, row in found.items()} == {
        "企业1": "consistent",
        "企业2": "consistent",
        "企业3": "inconsistent",
        "企业4": "not comparable",
        "企业5": "consistent",
        "企业6": "inconsistent",
        "企业7": "not comparable",
    }
    assert "rose" in found["企业2"]["why"]
    assert "confirms that it stopped" in found["企业5"]["why"]
    assert "did not fall" in found["企业6"]["why"]
    assert ("even load of 300 kW" in found["企业4"]["why"]) == (length == HOUR)
    assert "even load" not in found["企业7"]["why"]


@pytest.mark.parametrize("register", [False, True])
def test_bills_of_months_refute_no_mine(url: str, tmp_path: Path, register: bool) -> None:
    table = write(tmp_path / "m.csv", _months, register, "register" if register else "kwh")
    found = checks(url, table, tmp_path)
    verdicts = {name: row["verdict"] for name, row in found.items()}
    assert verdicts["企业3"] == "inconsistent"  # more was seen in a week than was metered in the month
    assert "inconsistent" not in {verdict for name, verdict in verdicts.items() if name != "企业3"}
    assert "even" not in found["企业4"]["why"]


def test_a_register_of_few_readings_is_asked_about_and_the_option_answers(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "m.csv", lambda first, last: list(range(first, last, 10 * DAY)), True)
    words = ["bulletin", "--week", WEEK, "--ledger", url, "--meter", str(table), "--lang"]
    assert main([*words, "en"]) == 1
    printed = capsys.readouterr()
    assert "--meter-values register" in printed.err
    assert "totals of a register or energy used is not known" in printed.out
    assert main([*words, "zh"]) == 1
    assert "电表示数还是用电量" in capsys.readouterr().out
    assert main([*words, "en", "--meter-values", "register"]) == 0
