"""A register is not a load: totals are differenced where they are totals beyond doubt or somebody says so, and asked
about elsewhere; several meters of one enterprise are one load."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sensor.meter.readings import Meters, parse
from sensor.meter.registers import MeterReading, MeterValues
from sensor.sheets.sheet import SheetRow

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOUR_NS = 3_600_000_000_000
MONDAY = datetime(2026, 3, 2)
HEAD = ("enterprise", "time", "kwh")


def parsed(rows: Sequence[Sequence[str]], values: MeterValues = "auto", zone: ZoneInfo = SHANGHAI) -> Meters:
    return parse("m.csv", [SheetRow(number, list(cells)) for number, cells in enumerate(rows, 1)], zone, values)


def loads(count: int, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [round(chance.uniform(5, 60), 2) for _ in range(count)]


def totals(used: Sequence[float], start: float = 15_320.0) -> list[float]:
    found = [start]
    for kwh in used:
        found.append(round(found[-1] + kwh, 2))
    return found


def rows(values: Sequence[float], step_h: int = 1, name: str = "甲") -> list[tuple[str, str, str]]:
    return [
        (
            name,
            f"{MONDAY + timedelta(hours=step_h * at):%Y-%m-%d %H:%M}",
            f"{value:g}" if value < 1e4 else f"{value:.2f}",
        )
        for at, value in enumerate(values)
    ]


def kwh(meters: Meters, name: str = "甲") -> list[float]:
    return [pytest.approx(one.kwh, abs=0.02) for one in meters.readings[name]]


def test_hourly_totals_are_differenced_and_it_is_said() -> None:
    used = loads(7 * 24)
    found = parsed([HEAD, *rows(totals(used))])
    assert used == kwh(found)
    assert not found.problems
    assert len(found.notes) == 1
    assert "totals of a register" in found.notes[0]


@pytest.mark.parametrize("count", [3, 7, 14])
def test_few_rising_values_are_asked_about(count: int) -> None:
    found = parsed([HEAD, *rows(totals(loads(count)), 24)])
    assert not found.readings
    assert found.unclear == {"甲": "register-or-energy"}
    assert "--meter-values register" in found.problems[0]


@pytest.mark.parametrize(
    "heading",
    [
        "register",
        "Meter Reading",
        "正向有功总示数(kWh)",
        "Cumulative energy [kWh]",
        "meter_reading",
        "示数",
        "正向有功总(kWh)",
        "累计电量",
        "表码",
    ],
)
def test_a_heading_that_says_register_needs_no_question(heading: str) -> None:
    used = loads(6)
    found = parsed([("户名", "抄表时间", heading), *rows(totals(used), 24)])
    assert used == kwh(found)
    assert not found.problems
    assert not found.notes


def test_what_the_option_says_is_so() -> None:
    used = loads(5)
    assert used == kwh(parsed([HEAD, *rows(totals(used), 24)], "register"))
    rising = [10.0, 20.0, 30.0, 40.0]
    found = parsed([HEAD, *rows(rising, 24)], "energy")
    assert rising == kwh(found)
    assert not found.problems


def test_the_other_meters_of_a_column_say_what_it_is() -> None:
    rising = rows([10.0, 20.0, 30.0, 40.0], 24, "乙")
    found = parsed([HEAD, *rows(loads(30), 24), *rising])
    assert kwh(found, "乙") == [10.0, 20.0, 30.0, 40.0]
    assert "taken as energy used" in found.notes[0]
    found = parsed([HEAD, *rows(totals(loads(30)), 24), *rising])
    assert kwh(found, "乙") == [10.0, 10.0, 10.0]


@pytest.mark.parametrize("values", [[50.0] * 48, [50.0] * 20 + [100.0] * 28, [0.0] * 10 + [600.0] + [1200.0] * 20])
def test_an_even_load_and_one_that_stepped_up_are_loads(values: list[float]) -> None:
    found = parsed([HEAD, *rows(values)])
    assert values == kwh(found)
    assert not found.problems


def test_a_reset_loses_its_interval_and_nothing_else() -> None:
    used = loads(60)
    before, after = totals(used[:30], 99_000.0), totals(used[31:], 12.0)
    found = parsed([HEAD, *rows([*before, *after])])
    assert [*used[:30], *used[31:]] == kwh(found)
    assert "reset or replaced" in found.notes[0]
    assert "m.csv:33" in found.notes[0]


@pytest.mark.parametrize("wrong", [0.0, 999_999.0])
def test_one_wrong_total_is_left_out_with_its_line(wrong: float) -> None:
    used = loads(60)
    values = totals(used)
    values[30] = wrong
    found = parsed([("enterprise", "time", "register"), *rows(values)])
    assert sum(one.kwh for one in found.readings["甲"]) == pytest.approx(sum(used), abs=0.02)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("m.csv:32: ")
    assert "left out" in found.problems[0]


def test_a_counter_of_the_day_is_a_register_with_a_reset_each_night() -> None:
    used = loads(7 * 24)
    values = [round(sum(used[at // 24 * 24 : at]), 2) for at in range(7 * 24)]
    found = parsed([HEAD, *rows(values)])
    assert [one for at, one in enumerate(used) if at % 24 != 23] == kwh(found)


def test_a_gap_of_a_register_is_one_long_reading() -> None:
    used = loads(40)
    cut = [row for at, row in enumerate(rows(totals(used))) if not 10 <= at < 20]
    found = parsed([HEAD, *cut])
    assert sum(one.kwh for one in found.readings["甲"]) == pytest.approx(sum(used), abs=0.02)
    assert max(one.to_ns - one.from_ns for one in found.readings["甲"]) == 11 * HOUR_NS


def test_a_multiplier_is_of_the_register_alone() -> None:
    head = ("户名", "时间", "示数", "倍率")
    found = parsed([head, *((*row, "40") for row in rows([100, 101, 103], 24))])
    assert kwh(found) == [40.0, 80.0]
    head = ("户名", "时间", "电量", "倍率")
    assert kwh(parsed([head, *((*row, "40") for row in rows([5, 4, 6], 24))])) == [5.0, 4.0, 6.0]


def test_energy_beside_a_register_is_what_counts() -> None:
    found = parsed([("户名", "时间", "示数", "电量(千瓦时)"), *((*row, "7") for row in rows([100, 101, 103], 24))])
    assert kwh(found) == [7.0, 7.0, 7.0]


def test_one_missing_hour_is_a_gap() -> None:
    found = parsed([HEAD, *(row for at, row in enumerate(rows(loads(24))) if at != 5)])
    assert all(one.to_ns - one.from_ns == HOUR_NS for one in found.readings["甲"])
    assert len(found.readings["甲"]) == 23


def test_months_end_with_the_month() -> None:
    bills = [("甲", f"2026-{month:02d}-01", kwh) for month, kwh in ((1, "900"), (2, "800"), (4, "850"), (5, "700"))]
    found = parsed([HEAD, *bills]).readings["甲"]
    assert [(one.to_ns - one.from_ns) / (24 * HOUR_NS) for one in found] == [31, 31, 30, 31]
    assert parsed([HEAD, ("甲", "2026-01-01", "3"), ("甲", "2026-04-01", "2"), ("甲", "2026-07-01", "5")]).unclear == {
        "甲": "too-far-apart"
    }


def test_the_hour_that_a_clock_shows_twice_is_read_twice() -> None:
    """2026-10-25 in Berlin has 25 hours, 2026-03-29 has 23."""
    hours = [0, 1, 2, 2, *range(3, 24)]
    found = parsed(
        [HEAD, *(("甲", f"2026-10-25 {hour:02d}:00", f"{at % 3}") for at, hour in enumerate(hours))], zone=BERLIN
    )
    assert not found.problems
    assert [one.to_ns - one.from_ns for one in found.readings["甲"]] == [HOUR_NS] * 25
    spring = [*range(2), *range(3, 24)]
    found = parsed(
        [HEAD, *(("甲", f"2026-03-29 {hour:02d}:00", f"{at % 3}") for at, hour in enumerate(spring))], zone=BERLIN
    )
    assert [one.to_ns - one.from_ns for one in found.readings["甲"]] == [HOUR_NS] * 23
    days = [("甲", f"2026-10-{day}", f"{day % 3}") for day in range(20, 30)]
    lengths = {(one.to_ns - one.from_ns) // HOUR_NS for one in parsed([HEAD, *days], zone=BERLIN).readings["甲"]}
    assert lengths == {24, 25}


@pytest.mark.parametrize("column", ["meter", "表号", "户号"])
def test_meters_of_one_enterprise_are_one_load(column: str) -> None:
    one, other = loads(48, 1), loads(48, 2)
    table = [(name, column, when, kwh) for column, its in (("1", one), ("2", other)) for name, when, kwh in rows(its)]
    found = parsed([("enterprise", column, "time", "kwh"), *table])
    assert not found.problems
    assert kwh(found) == [pytest.approx(a + b, abs=0.02) for a, b in zip(one, other, strict=True)]


def test_meters_read_by_the_hour_and_by_the_day_are_added_by_the_day() -> None:
    table = [("甲", "1", when, kwh) for _, when, kwh in rows([2.0] * 72)]
    table += [("甲", "2", when, kwh) for _, when, kwh in rows([10.0, 30.0, 20.0], 24)]
    found = parsed([("enterprise", "meter", "time", "kwh"), *table])
    assert kwh(found) == [58.0, 78.0, 68.0]


def test_meters_that_nothing_tells_apart_are_not_half_of_a_load() -> None:
    found = parsed([HEAD, *rows(loads(48, 1)), *rows(loads(48, 2))])
    assert not found.readings
    assert found.unclear == {"甲": "several-meters"}
    assert len(found.problems) == 1


def test_the_same_table_twice_is_the_table() -> None:
    table = rows(loads(24))
    found = parsed([HEAD, *table, *table])
    assert len(found.readings["甲"]) == 24
    assert len(found.problems) == 24


def test_readings_of_a_register_follow_each_other() -> None:
    for one, other in zip(a := parsed([HEAD, *rows(totals(loads(50)))]).readings["甲"], a[1:], strict=False):
        assert isinstance(one, MeterReading)
        assert one.to_ns == other.from_ns


def test_the_same_of_many_meters_is_one_sentence() -> None:
    table = [row for number in range(30) for row in rows(totals(loads(7, number)), 24, f"户{number}")]
    found = parsed([HEAD, *table])
    assert len(found.unclear) == 30
    assert len(found.problems) == 1
    assert found.problems[0].startswith("m.csv: 户0, 户1, 户2, 户3, 户4 and 25 more: the values never fall; say ")
