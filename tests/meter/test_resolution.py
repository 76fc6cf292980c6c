"""A reading says nothing of what is within it: changes come from days, evenness from hours, and a reading that is
longer than the mining was seen refutes nothing."""

from __future__ import annotations

import dataclasses
import random
from zoneinfo import ZoneInfo

import pytest

from sensor.meter.crosscheck import DAY_NS, ExpectedLoad, check
from sensor.meter.expected import Listened, SeenEnergy
from sensor.meter.registers import MeterReading
from sensor.model.figures import MeterCheck
from sensor.model.summary import Range

HOUR_NS = 3_600_000_000_000
START = 1_772_380_800_000_000_000  # 2026-03-02 00:00 in Asia/Shanghai, a Monday
WEEK_NS = 7 * DAY_NS
SHANGHAI = ZoneInfo("Asia/Shanghai")


def readings(
    first_day: int,
    days: int,
    length_h: float,
    mining_kw: float,
    office_kw: float = 20.0,
    span: tuple[int, int] | None = None,
) -> list[MeterReading]:
    """An office with working days and weekends, and machines that run within `span`, added up to readings."""
    began, ended = span or (-(1 << 62), 1 << 62)
    chance = random.Random(7)
    hourly = []
    for at in range(START + first_day * DAY_NS, START + (first_day + days) * DAY_NS, HOUR_NS):
        hour, weekday = (at - START) // HOUR_NS % 24, (at - START) // DAY_NS % 7
        office = office_kw * (1.0 if 8 <= hour < 18 and weekday < 5 else 0.2) * chance.uniform(0.9, 1.1)
        hourly.append((at, office + (mining_kw if began <= at < ended else 0.0)))
    step = int(length_h)
    return [
        MeterReading(hourly[at][0], hourly[at][0] + step * HOUR_NS, sum(kwh for _, kwh in hourly[at : at + step]))
        for at in range(0, len(hourly) - step + 1, step)
    ]


def mining(kilowatts: float, began: int = START, ended: int | None = None, watched: int | None = None) -> ExpectedLoad:
    """Mining that was seen by the hour, with a wide estimate; sensors listened since `watched`."""
    end = START + WEEK_NS if ended is None else ended
    seen = tuple(
        SeenEnergy(at, at + HOUR_NS, Range(0.7 * kilowatts, kilowatts, 1.6 * kilowatts))
        for at in range(began, end, HOUR_NS)
    )
    inside = sum((one.kwh for one in seen if START <= one.from_ns < START + WEEK_NS), Range())
    listened = None if watched is None else (Listened(watched, START + 10 * WEEK_NS),)
    return ExpectedLoad(START, START + WEEK_NS, inside, Range(), began, ended_ns=ended, seen=seen, listened=listened)


def codes(one: MeterCheck) -> list[str]:
    return [reason.code for reason in one.reasons]


@pytest.mark.parametrize("first_day", [-30, -45, -60])
def test_a_month_s_bills_refute_no_mine_that_runs(first_day: int) -> None:
    """A bill has the days before mining began in it, too."""
    bills = readings(first_day, 90, 30 * 24, 50, span=(START, 1 << 62))
    one = check("m", bills, mining(50))
    assert one.verdict != "inconsistent"
    assert one.step_watts is None
    assert one.evenness is None


def test_a_bill_that_has_less_than_was_seen_in_all_of_it_refutes() -> None:
    bills = readings(-30, 60, 30 * 24, 0, office_kw=2)
    assert (check("m", bills, mining(50)).verdict, codes(check("m", bills, mining(50)))[0]) == (
        "inconsistent",
        "over-load",
    )


def test_a_bill_of_a_mine_that_ran_through_it_is_consistent() -> None:
    bills = readings(-60, 120, 30 * 24, 50)
    assert check("m", bills, mining(50, began=START - 60 * DAY_NS)).verdict == "consistent"


def test_days_tell_a_step_and_no_evenness() -> None:
    one = check("m", readings(-14, 28, 24, 50, span=(START, 1 << 62)), mining(50))
    assert one.verdict == "consistent"
    assert "rose" in codes(one)
    assert one.step_watts is not None
    assert one.step_watts.low < 50_000 < one.step_watts.high
    assert one.evenness is None


def test_hours_tell_both() -> None:
    one = check("m", readings(-14, 28, 1, 500, span=(START, 1 << 62)), mining(500))
    assert {"rose", "flat"} <= set(codes(one))


def test_days_that_did_not_rise_refute() -> None:
    one = check("m", readings(-14, 28, 24, 0, office_kw=500), mining(50))
    assert (one.verdict, codes(one)[0]) == ("inconsistent", "did-not-rise")


def test_a_mining_that_was_seen_when_the_sensor_began_to_listen_need_not_have_risen() -> None:
    always = readings(-14, 28, 24, 50, office_kw=100)
    assert check("m", always, mining(50, watched=START)).verdict == "consistent"
    assert check("m", always, mining(50, watched=START - WEEK_NS * 2)).verdict == "inconsistent"


def test_a_step_is_that_of_the_machines_that_began_then() -> None:
    """One machine at first, fifty later: the step when mining began is the first one's."""
    first, rest = mining(1, began=START - 20 * DAY_NS), mining(50)
    both = (*first.seen, *rest.seen)
    energy = first.energy_kwh + rest.energy_kwh
    load = [
        MeterReading(one.from_ns, one.to_ns, one.kwh + other.kwh)
        for one, other in zip(
            readings(-40, 47, 1, 1, span=(first.began_ns, 1 << 62)),
            readings(-40, 47, 1, 50, office_kw=0, span=(START, 1 << 62)),
            strict=True,
        )
    ]
    one = check("m", load, dataclasses.replace(first, seen=both, energy_kwh=energy))
    assert one.verdict == "consistent"


def test_nothing_metered_is_no_number_of_times() -> None:
    idle = [MeterReading(START + n * HOUR_NS, START + (n + 1) * HOUR_NS, 0.0) for n in range(7 * 24)]
    one = check("m", idle, mining(50))
    assert (one.verdict, codes(one)[0]) == ("inconsistent", "over-zero")
    assert "times" not in one.reasons[0].figures
    unknown_low = dataclasses.replace(
        mining(50), seen=(SeenEnergy(START, START + WEEK_NS, Range(0.0, 9.0, 99.0)),), energy_kwh=Range(0.0, 9.0, 99.0)
    )
    assert codes(check("m", idle, unknown_low))[0] == "nothing-metered"


def test_the_best_estimate_decides_what_is_lost_in_a_load() -> None:
    """A high bound of a third of the load does not make one per cent of it visible."""
    wide = Range(1.0, 100.0, 4_000.0)
    small = dataclasses.replace(mining(1), energy_kwh=wide, seen=(SeenEnergy(START, START + WEEK_NS, wide),))
    one = check("m", readings(0, 7, 1, 0, office_kw=150), small)
    assert (one.verdict, codes(one)[0]) == ("not-comparable", "lost-in-load")


@pytest.mark.parametrize(("length_h", "kilowatts", "code"), [(1, 50, "even-unseen"), (24, 50, None), (1, 0.2, None)])
def test_an_even_load_without_mining_is_reported_from_hours(length_h: int, kilowatts: float, code: str | None) -> None:
    load = readings(0, 7, length_h, kilowatts, office_kw=0)
    one = check("m", load, None, period=(START, START + WEEK_NS))
    assert one.verdict == "not-comparable"
    assert codes(one) == ["no-mining", *([code] if code else [])]


@pytest.mark.parametrize("length_h", [1, 6, 24])
def test_an_exit_is_confirmed_by_a_load_that_fell(length_h: int) -> None:
    ended = START - 7 * DAY_NS
    load = readings(-28, 35, length_h, 50, span=(-(1 << 62), ended))
    one = check("m", load, mining(50, began=START - 28 * DAY_NS, ended=ended))
    assert (one.verdict, codes(one)[0]) == ("consistent", "fell")
    assert one.fall_watts is not None
    assert one.fall_watts.low < 50_000 < one.fall_watts.high


@pytest.mark.parametrize("length_h", [1, 24])
def test_an_exit_is_refuted_by_a_load_that_did_not_fall(length_h: int) -> None:
    ended = START - 7 * DAY_NS
    one = check("m", readings(-28, 35, length_h, 50), mining(50, began=START - 28 * DAY_NS, ended=ended))
    assert (one.verdict, codes(one)[0]) == ("inconsistent", "did-not-fall")


def test_an_exit_within_the_period_is_told_beside_the_mining_before_it() -> None:
    ended = START + 3 * DAY_NS
    load = readings(-14, 21, 1, 50, span=(-(1 << 62), ended))
    one = check("m", load, mining(50, began=START - 14 * DAY_NS, ended=ended))
    assert one.verdict == "consistent"
    assert "fell" in codes(one)


def test_bills_cannot_tell_an_exit() -> None:
    ended = START - 7 * DAY_NS
    one = check("m", readings(-60, 90, 30 * 24, 50), mining(50, began=START - 28 * DAY_NS, ended=ended))
    assert (one.verdict, codes(one)[0]) == ("not-comparable", "exit-open")


def test_mining_that_fell_into_a_gap_of_the_meter_is_not_refuted() -> None:
    """Seen on one day of the week, of which the meter has no readings."""
    day = (START + 2 * DAY_NS, START + 3 * DAY_NS)
    kwh = Range(800.0, 1_200.0, 1_900.0)
    one_day = dataclasses.replace(mining(50), began_ns=day[0], seen=(SeenEnergy(*day, kwh),), energy_kwh=kwh)
    load = [one for one in readings(0, 7, 1, 0, office_kw=5) if not day[0] <= one.from_ns < day[1]]
    assert check("m", load, one_day).verdict != "inconsistent"


def test_no_more_than_all_of_a_load_is_mining() -> None:
    wide = Range(2_000.0, 9_000.0, 90_000.0)
    seen = dataclasses.replace(mining(50), energy_kwh=wide, seen=(SeenEnergy(START, START + WEEK_NS, wide),))
    one = check("m", readings(0, 7, 1, 20, office_kw=5), seen)
    assert (one.verdict, codes(one)[0]) == ("consistent", "within-load")
    assert one.reasons[0].figures["high"] == 100.0
