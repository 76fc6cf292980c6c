"""Metered load: every bad row is told with its line, and the verdict is what the load says, whichever way its readings
are cut."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.bulletin.meters import check_meters
from sensor.meter.crosscheck import DAY_NS, ExpectedLoad, check
from sensor.meter.readings import MeterError, MeterReading, parse, read
from sensor.model.figures import MeterCheck
from sensor.model.summary import Range
from sensor.sheets.sheet import SheetRow
from tests.bulletin.made import frame, line, site, summary

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR_NS = 3_600_000_000_000
START = 1_772_380_800_000_000_000  # 2026-03-02 00:00 in Asia/Shanghai
WEEK_NS = 7 * DAY_NS


def load(
    days: range, office_kw: float, mining_kw: float, began: int = START, step_h: float = 1.0, seed: int = 1
) -> list[MeterReading]:
    """An office that works by day, with some chance in it, and machines that run from a moment on."""
    chance, found = random.Random(seed), []
    length = int(step_h * HOUR_NS)
    for at in range(START + days.start * DAY_NS, START + days.stop * DAY_NS, length):
        hour = (at - START) // HOUR_NS % 24
        kilowatts = office_kw * (1.0 if 8 <= hour < 18 else 0.2) * chance.uniform(0.9, 1.1) + (
            mining_kw if at >= began else 0.0
        )
        found.append(MeterReading(at, at + length, kilowatts * step_h))
    return found


def mining(kilowatts: float, began: int = START, low: float = 0.7, high: float = 1.4) -> ExpectedLoad:
    hours = WEEK_NS / HOUR_NS
    kwh, watts = kilowatts * hours, kilowatts * 1000
    return ExpectedLoad(
        START, START + WEEK_NS, Range(low * kwh, kwh, high * kwh), Range(low * watts, watts, high * watts), began
    )


def codes(one: MeterCheck) -> list[str]:
    return [reason.code for reason in one.reasons]


def test_mining_that_shows_as_a_step_is_consistent() -> None:
    one = check("m", load(range(-10, 7), 20, 50), mining(50))
    assert one.verdict == "consistent"
    assert codes(one)[:2] == ["within-load", "rose"]
    assert one.step_watts is not None
    assert one.step_watts.low < 50_000 < one.step_watts.high
    assert one.metered_share == pytest.approx(1.0)


def test_a_load_that_did_not_rise_is_inconsistent() -> None:
    one = check("m", load(range(-10, 7), 100, 0), mining(50))
    assert (one.verdict, codes(one)[0]) == ("inconsistent", "did-not-rise")


def test_more_mining_than_was_metered_is_inconsistent() -> None:
    one = check("m", load(range(7), 5, 0), mining(50))
    assert (one.verdict, codes(one)[0]) == ("inconsistent", "over-load")


def test_mining_lost_in_the_load_cannot_be_compared() -> None:
    one = check("m", load(range(7), 5_000, 0), mining(5))
    assert (one.verdict, codes(one)[0]) == ("not-comparable", "lost-in-load")


def test_too_few_readings_cannot_be_compared() -> None:
    one = check("m", load(range(2), 20, 50), mining(50))
    assert (one.verdict, codes(one)) == ("not-comparable", ["too-few-readings"])


def test_too_little_watching_cannot_be_compared() -> None:
    one = check("m", load(range(7), 20, 50), dataclasses.replace(mining(50), coverage=0.2))
    assert (one.verdict, codes(one)) == ("not-comparable", ["too-little-watched"])


def test_unknown_energy_and_unknown_owners_cannot_be_compared() -> None:
    assert codes(check("m", load(range(7), 20, 50), mining(0.0))) == ["no-energy"]
    assert codes(check("m", load(range(7), 20, 50), None)) == ["no-mining"]


def test_an_even_load_is_told_and_what_of_it_is_not_explained() -> None:
    one = check("m", load(range(7), 0, 500), mining(50))
    assert one.verdict == "consistent"
    assert one.evenness == pytest.approx(1.0)
    assert {"flat", "unexplained"} <= set(codes(one))
    assert "uneven" in codes(check("m", load(range(7), 100, 20), mining(20)))


def test_a_load_that_rose_by_far_more_says_so() -> None:
    assert "rose-more" in codes(check("m", load(range(-10, 7), 20, 500), mining(50)))


@settings(max_examples=25)
@given(st.floats(5, 500), st.floats(0, 100), st.sampled_from((0.25, 0.5, 1.0, 2.0, 4.0)), st.integers(0, 99))
def test_true_mining_is_never_called_inconsistent(kilowatts: float, office: float, step_h: float, seed: int) -> None:
    readings = load(range(-10, 7), office, kilowatts, step_h=step_h, seed=seed)
    assert check("m", readings, mining(kilowatts)).verdict != "inconsistent"


@settings(max_examples=25)
@given(st.floats(5, 500), st.sampled_from((0.25, 0.5, 2.0, 4.0)))
def test_energy_does_not_depend_on_how_readings_are_cut(kilowatts: float, step_h: float) -> None:
    one, other = (check("m", load(range(7), 0, kilowatts, step_h=step), mining(kilowatts)) for step in (1.0, step_h))
    assert one.measured_kwh == pytest.approx(other.measured_kwh)
    assert one.verdict == other.verdict


def test_no_readings_and_no_load_divide_nothing_by_zero() -> None:
    assert check("m", [], mining(50)).verdict == "not-comparable"
    assert check("m", load(range(-10, 7), 0, 0), mining(50)).verdict == "inconsistent"


def parsed(*rows: Sequence[str]) -> tuple[dict[str, tuple[MeterReading, ...]], tuple[str, ...]]:
    made = parse("meter.csv", [SheetRow(number, list(cells)) for number, cells in enumerate(rows, 1)], SHANGHAI)
    return made.readings, made.problems


def test_rows_become_readings_in_the_time_zone_of_the_ledger() -> None:
    readings, problems = parsed(
        ("企业名称", "时间", "用电量(kWh)"),
        ("甲", "2026-03-02 00:00", "10"),
        ("甲", "2026-03-02 01:00", "1,200.5"),
        ("甲", "2026-03-01T18:00:00Z", "30"),
    )
    assert not problems
    assert readings["甲"] == tuple(
        MeterReading(START + n * HOUR_NS, START + (n + 1) * HOUR_NS, kwh) for n, kwh in enumerate((10.0, 1200.5, 30.0))
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("甲", "2026-03-02 02:00", "many"), "the energy many is no number"),
        (("甲", "2026-03-02 02:00", "-1"), "must be 0 or more"),
        (("甲", "2026-03-02 02:00", "nan"), "must be 0 or more"),
        (("甲", "2026-13-02 02:00", "1"), "the time 2026-13-02 02:00 is no date"),
        (("甲", "02/03/2026", "1"), "the year must come first"),
        (("", "2026-03-02 02:00", "1"), "names no enterprise or site"),
        (("甲", "2026-03-02 02:00"), "has 2 cells"),
        (("甲", "2026-03-02 01:00", "1"), "a second reading of 甲 at this time"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_rest_is_read(row: tuple[str, ...], said: str) -> None:
    readings, problems = parsed(
        ("enterprise", "time", "kwh"), ("甲", "2026-03-02 00:00", "1"), ("甲", "2026-03-02 01:00", "1"), row
    )
    assert len(readings["甲"]) == 2
    assert len(problems) == 1
    assert problems[0].startswith("meter.csv:4: ")
    assert said in problems[0]


def test_a_heading_without_its_columns_is_one_sentence() -> None:
    with pytest.raises(MeterError, match=r"meter.csv:1: the heading names no column for time and kwh"):
        parsed(("enterprise", "x", "y"))
    with pytest.raises(MeterError, match="has no rows"):
        parsed()


def test_one_reading_alone_says_nothing() -> None:
    readings, problems = parsed(("site", "time", "kwh"), ("甲", "2026-03-02 00:00", "1"))
    assert not readings
    assert "one reading only" in problems[0]


def test_a_gap_is_no_interval() -> None:
    rows = [("甲", f"2026-03-02 {hour:02d}:00", "1") for hour in (0, 1, 2, 3, 20, 21)]
    readings, _ = parsed(("site", "time", "kwh"), *rows)
    assert all(one.to_ns - one.from_ns == HOUR_NS for one in readings["甲"])


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=8))
def test_any_table_is_read_without_an_error_of_ours(rows: list[list[str]]) -> None:
    parsed(("site", "time", "kwh"), *rows)


def test_files_of_power_companies_are_read_in_their_encoding(tmp_path: Path) -> None:
    path = tmp_path / "meter.csv"
    path.write_bytes("户名,时间,电量\r\n某单位1,2026-03-02 00:00,5\r\n某单位1,2026-03-02 01:00,6\r\n".encode("gb18030"))
    assert [one.kwh for one in read(path, SHANGHAI).readings["某单位1"]] == [5.0, 6.0]


def test_meters_find_their_sites_and_persons_lose_their_names() -> None:
    sites = [site(1), site(2), site(3, "individual", name="张三")]
    now = summary([line(1, 8_400.0), line(3, 100.0)], sites)
    meters = {
        "某单位1": tuple(load(range(7), 20, 50)),
        "某路2号": tuple(load(range(7), 20, 0)),
        "张三": tuple(load(range(7), 1, 1)),
    }
    found = {one.meter: one for one in check_meters(now, {**meters, "谁": tuple(load(range(7), 1, 1))}, frame().owners)}
    assert found["某单位1"].verdict == "consistent"
    assert found["某单位1"].owner is not None
    assert codes(found["某路2号"]) == codes(found["谁"]) == ["no-mining"]
    assert "张三" not in found
    assert found[""].owner is not None
    assert found[""].owner.name is None
