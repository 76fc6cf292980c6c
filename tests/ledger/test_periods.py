"""Periods: they add up, borders are right, nothing is summed across algorithms; new, gone, muted and false alarms are
told apart."""

from __future__ import annotations

import dataclasses
import random
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from sensor.ledger import Ledger
from sensor.ledger.store.schema import ROLLUPS, SERIES
from sensor.model.coverage import Grounds
from sensor.model.finding import Finding
from sensor.model.summary import Range, Summary, totals
from tests.ledger.made import SECOND
from tests.ledger.mining import DAY, HOUR, MONDAY, SHARE, mined, owned, told

WEEK = 7 * DAY


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def put(ledger: Ledger, number: int, from_ns: int, to_ns: int, **changes: object) -> None:
    ledger.record(list(told(number, from_ns, to_ns, 5 * HOUR // 3, 20, **changes)), from_ns)


def test_the_week_begins_where_asia_shanghai_says() -> None:
    assert datetime.fromtimestamp(MONDAY // SECOND, ZoneInfo("Asia/Shanghai")).strftime("%A %H:%M") == "Monday 00:00"


def test_weeks_add_up_to_months_to_the_findings_and_to_the_events(ledger: Ledger) -> None:
    generator = random.Random(5)
    ledger.outbox.subscribe(["eve"])
    for number in range(12):
        start = MONDAY + generator.randrange(20 * DAY)
        put(
            ledger,
            number,
            start,
            start + generator.randrange(HOUR, 9 * DAY),
            attribution=owned(number // 3),
            algorithm=("sha256d", "scrypt")[number % 2],
        )
    whole = ledger.reader.summary(MONDAY, MONDAY + 5 * WEEK)
    parts = [ledger.reader.summary(MONDAY + week * WEEK, MONDAY + (week + 1) * WEEK) for week in range(5)]
    findings = [entry.finding for entry in ledger.reader.findings()]
    recorded = [event.record for event in ledger.outbox.read(0, 10_000)]
    events = {one.finding_id: one for one in recorded if isinstance(one, Finding)}  # the last of each
    assert sum(line.shares for line in whole.lines) == sum(one.shares.submitted for one in findings)
    assert sum(line.shares for line in whole.lines) == sum(one.shares.submitted for one in events.values())
    assert sum(line.sessions for line in whole.lines) == sum(one.flow_count for one in events.values())
    assert sum(line.shares for part in parts for line in part.lines) == sum(line.shares for line in whole.lines)
    assert whole.energy_kwh.best == pytest.approx(sum(one.energy_kwh.best for one in findings if one.energy_kwh))
    for name in ("low", "best", "high"):
        assert sum(getattr(part.energy_kwh, name) for part in parts) == pytest.approx(getattr(whole.energy_kwh, name))
    for algorithm in ("sha256d", "scrypt"):
        of_it = [one for one in findings if one.algorithm == algorithm]
        (total,) = [one for one in whole.totals() if one.algorithm == algorithm]
        assert total.work_hashes == pytest.approx(sum(one.work_hashes or 0 for one in of_it))
        assert total.hashrate_hps is not None
        assert total.hashrate_hps.best == pytest.approx(sum(one.hashrate_hps.best for one in of_it if one.hashrate_hps))
        assert total.addresses == len({one.miner_ip for one in of_it})
    assert len(whole.totals()) == 2


def test_an_hour_belongs_to_the_period_in_which_it_begins(ledger: Ledger) -> None:
    ledger.record([mined(1, MONDAY + HOUR, MONDAY + 2 * HOUR, 60)], MONDAY)
    counts = [sum(line.shares for line in ledger.reader.summary(from_ns, to_ns).lines) for from_ns, to_ns in (
        (MONDAY, MONDAY + HOUR),
        (MONDAY + HOUR, MONDAY + 2 * HOUR),
        (MONDAY + 2 * HOUR, MONDAY + 3 * HOUR),
        (MONDAY, MONDAY + HOUR + 1),
        (MONDAY + HOUR + 1, MONDAY + 2 * HOUR),
    )]  # fmt: skip
    assert counts == [0, 60, 0, 60, 0]
    assert not ledger.reader.summary(MONDAY, MONDAY + HOUR).notes
    assert ledger.reader.summary(MONDAY, MONDAY + HOUR + 1).notes
    with pytest.raises(ValueError, match="must end after it begins"):
        ledger.reader.summary(MONDAY, MONDAY)


def test_new_and_gone_are_against_the_period_before(ledger: Ledger) -> None:
    ledger.add_coverage(MONDAY - WEEK, MONDAY + 4 * WEEK)
    put(ledger, 1, MONDAY, MONDAY + DAY)
    put(ledger, 2, MONDAY, MONDAY + 10 * DAY)
    put(ledger, 3, MONDAY + 8 * DAY, MONDAY + 9 * DAY)
    first, second, third, fourth = (
        ledger.reader.summary(MONDAY + week * WEEK, MONDAY + (week + 1) * WEEK) for week in range(4)
    )

    def names(told: Summary, of: str) -> list[str]:
        lines = told.gone if of == "gone" else [line for line in told.lines if of == "all" or line.new]
        return [line.address for line in lines]

    assert (names(first, "all"), names(first, "new"), names(first, "gone")) == (
        ["10.0.1.1", "10.0.2.1"],
        ["10.0.1.1", "10.0.2.1"],
        [],
    )
    assert (names(second, "all"), names(second, "new"), names(second, "gone")) == (
        ["10.0.2.1", "10.0.3.1"],
        ["10.0.3.1"],
        ["10.0.1.1"],
    )
    assert (names(third, "all"), names(third, "gone")) == ([], ["10.0.2.1", "10.0.3.1"])
    assert (fourth.lines, fourth.gone) == ((), ())
    assert first.lines[0].first_ns == MONDAY
    assert first.lines[0].last_ns == MONDAY + DAY


def test_nobody_is_gone_of_whom_too_little_was_watched(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, MONDAY + DAY)
    ledger.add_coverage(MONDAY, MONDAY + WEEK)
    second = (MONDAY + WEEK, MONDAY + 2 * WEEK)
    unwatched = ledger.reader.summary(*second)
    assert ([line.address for line in unwatched.unobserved], unwatched.gone) == (["10.0.1.1"], ())
    assert (unwatched.coverage_seconds, unwatched.watched) == (0.0, False)
    ledger.add_coverage(MONDAY + WEEK, MONDAY + WEEK + 4 * DAY)
    assert [line.address for line in ledger.reader.summary(*second).unobserved] == ["10.0.1.1"]
    assert ledger.reader.summary(*second, Grounds(least_watched=0.5)).unobserved == ()
    ledger.add_coverage(MONDAY + WEEK, MONDAY + 2 * WEEK)
    watched = ledger.reader.summary(*second)
    assert ([line.address for line in watched.gone], watched.unobserved) == (["10.0.1.1"], ())


def test_the_silence_of_a_sensor_that_never_saw_a_miner_says_nothing_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    here, elsewhere = (Ledger.open(url, sensor_id=name) for name in ("here", "elsewhere"))
    put(here, 1, MONDAY, MONDAY + DAY)
    here.add_coverage(MONDAY, MONDAY + WEEK)
    elsewhere.add_coverage(MONDAY, MONDAY + 2 * WEEK)
    second = elsewhere.reader.summary(MONDAY + WEEK, MONDAY + 2 * WEEK)
    assert ([line.address for line in second.unobserved], second.gone) == (["10.0.1.1"], ())
    assert second.coverage_seconds == second.seconds
    assert second.coverage.part == 0.5
    assert not second.watched
    here.add_coverage(MONDAY + WEEK, MONDAY + 2 * WEEK)
    assert [line.address for line in here.reader.summary(MONDAY + WEEK, MONDAY + 2 * WEEK).gone] == ["10.0.1.1"]


def test_nobody_is_gone_where_too_little_of_all_was_watched_as_the_bulletin_says_of_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    here, elsewhere = (Ledger.open(url, sensor_id=name) for name in ("here", "elsewhere"))
    put(here, 1, MONDAY, MONDAY + DAY)
    put(elsewhere, 2, MONDAY, MONDAY + DAY)
    here.add_coverage(MONDAY, MONDAY + 2 * WEEK)
    elsewhere.add_coverage(MONDAY, MONDAY + WEEK)
    second = (MONDAY + WEEK, MONDAY + 2 * WEEK)
    half = here.reader.summary(*second)
    assert (half.coverage.part, half.watched) == (0.5, False)
    assert ([line.address for line in half.unobserved], half.gone) == (["10.0.1.1", "10.0.2.1"], ())
    elsewhere.add_coverage(MONDAY + WEEK, MONDAY + 2 * WEEK)
    assert [line.address for line in here.reader.summary(*second).gone] == ["10.0.1.1", "10.0.2.1"]


def test_the_same_sensor_is_asked_for_a_live_miner_and_replays_only_where_nobody_is_live(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    live = Ledger.open(url, sensor_id="live")
    replay = Ledger.open(url, sensor_id="replay", kind="replay")
    put(replay, 1, MONDAY, MONDAY + HOUR)
    replay.add_coverage(MONDAY, MONDAY + HOUR)
    assert replay.reader.summary(MONDAY, MONDAY + WEEK).coverage.part == pytest.approx(1 / 168)
    live.add_coverage(MONDAY, MONDAY + WEEK)
    assert live.reader.summary(MONDAY, MONDAY + WEEK).coverage.part == 1.0


def test_machines_at_one_pool_are_added_and_those_at_two_pools_may_be_the_same(ledger: Ledger) -> None:
    for number, pool in ((1, "198.51.100.9"), (2, "198.51.100.9"), (3, "203.0.113.3")):
        one = mined(number, MONDAY, MONDAY + HOUR, 9, miner="10.0.0.9", machines_seen=4, pool_ip=pool)
        ledger.record(
            [one, dataclasses.replace(one, finding_id=f"fee-{number}", donation=True, machines_seen=9)], MONDAY
        )
    (line,) = ledger.reader.summary(MONDAY, MONDAY + DAY).lines
    assert line.machines == 8
    assert line.pools == ("198.51.100.9:3333", "203.0.113.3:3333")


def test_what_is_muted_or_a_false_alarm_is_in_no_period(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        ledger.record(
            [mined(number, MONDAY, MONDAY + HOUR, 9, attribution=owned(number))],
            MONDAY,
            {"finding-1": "research"} if number == 1 else {},
        )
    assert [line.address for line in ledger.reader.summary(MONDAY, MONDAY + DAY).lines] == ["10.0.2.1", "10.0.3.1"]
    (second, _) = ledger.reader.summary(MONDAY, MONDAY + DAY).cases
    ledger.set_case(second.case_id, "false-alarm", MONDAY + WEEK, who="Li", why="a museum")
    told = ledger.reader.summary(MONDAY, MONDAY + DAY)
    assert [line.address for line in told.lines] == ["10.0.3.1"]
    assert set(told.sites) == {line.site_id for line in told.lines}


def test_a_case_stands_in_a_period_as_it_stood_at_its_end(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, MONDAY + DAY)
    ledger.set_case(1, "notified", MONDAY + 8 * DAY, who="Li", why="letter 12")
    first, second = (
        ledger.reader.summary(MONDAY + week * WEEK, MONDAY + (week + 1) * WEEK).cases[0] for week in range(2)
    )
    assert (first.state, len(first.changes)) == ("new", 1)
    assert (second.state, second.changes[-1].who, second.changes[-1].why) == ("notified", "Li", "letter 12")


def test_sites_and_enterprises_come_with_what_the_books_said(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, MONDAY + DAY, attribution=owned(1))
    put(ledger, 2, MONDAY, MONDAY + DAY, attribution=owned(1))
    put(ledger, 3, MONDAY, MONDAY + DAY, attribution=owned(1, address="elsewhere"))
    put(ledger, 4, MONDAY, MONDAY + DAY)
    told = ledger.reader.summary(MONDAY, MONDAY + WEEK)
    assert [line.site_id for line in told.lines] == [1, 1, 2, None]
    assert (told.enterprises, told.addresses, len(told.sites)) == (1, 4, 2)
    site = told.sites[1]
    assert site.enterprise is not None
    assert site.site is not None
    assert (site.enterprise.name, site.site.division) == ("企业1", "320500")
    assert {case.case_id for case in told.cases} == {line.case_id for line in told.lines}
    assert told.lines[3].case_id is not None


def test_a_hashrate_is_of_the_time_mining_a_mean_of_the_time_observed_and_energy_is_seen_or_projected(
    ledger: Ledger,
) -> None:
    ledger.record([mined(1, MONDAY, MONDAY + 12 * HOUR, 1_000, capture_loss=0.25)], MONDAY)
    ledger.add_coverage(MONDAY, MONDAY + 20 * HOUR)
    told = ledger.reader.summary(MONDAY, MONDAY + DAY)
    (line,) = told.lines
    rates = line.rates
    assert rates.hashrate_hps is not None
    assert rates.mean_hashrate_hps is not None
    assert rates.projected_kwh is not None
    assert rates.hashrate_hps.best == pytest.approx(1_000 * SHARE / (12 * 3_600))
    assert rates.mean_hashrate_hps.best == pytest.approx(1_000 * SHARE / (20 * 3_600))
    assert line.seconds == line.times.mining_seconds == 12 * 3_600
    assert line.times.observed_seconds == 20 * 3_600
    assert line.capture_loss == told.capture_loss == 0.25
    watts = 1_000 * SHARE / (12 * 3_600) * 30e-12
    energy = line.energy_kwh
    assert (energy.low, energy.best, energy.high) == pytest.approx(
        [part * watts * 12 / 1e3 for part in (0.8, 1.0, 1.3)]
    )
    assert rates.projected_kwh.best == pytest.approx(energy.best * 24 / 20)


@pytest.mark.parametrize(("hours", "least", "factor"), [(24, 0.8, 1.0), (19, 0.8, None), (2, 0.0, 2.0), (0, 0.0, None)])
def test_a_projection_is_bounded_and_made_only_where_enough_was_watched(
    ledger: Ledger, hours: int, least: float, factor: float | None
) -> None:
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 1_000)], MONDAY)
    if hours:
        ledger.add_coverage(MONDAY, MONDAY + hours * HOUR)
    (line,) = ledger.reader.summary(MONDAY, MONDAY + DAY, Grounds(least_watched=least)).lines
    projected = line.rates.projected_kwh
    assert (projected and projected.best) == (None if factor is None else pytest.approx(factor * line.energy_kwh.best))


def test_a_miner_that_goes_from_pool_to_pool_has_one_rate_and_two_at_once_have_both(ledger: Ledger) -> None:
    first, second = (
        mined(number, MONDAY + part * 6 * HOUR, MONDAY + (part + 1) * 6 * HOUR, 1_000, miner="10.0.0.9", pool_ip=pool)
        for number, part, pool in ((1, 0, "198.51.100.9"), (2, 1, "203.0.113.3"))
    )
    beside = mined(3, MONDAY, MONDAY + 12 * HOUR, 1_000, miner="10.0.0.9", pool_ip="203.0.113.4")
    ledger.record([first, second], MONDAY)
    (alone,) = ledger.reader.summary(MONDAY, MONDAY + DAY).lines
    ledger.record([beside], MONDAY)
    (both,) = ledger.reader.summary(MONDAY, MONDAY + DAY).lines
    assert alone.rates.hashrate_hps is not None
    assert both.rates.hashrate_hps is not None
    assert alone.rates.hashrate_hps.best == pytest.approx(1_000 * SHARE / (6 * 3_600))
    assert both.rates.hashrate_hps.best == pytest.approx(1.5 * 1_000 * SHARE / (6 * 3_600))


def test_time_at_unknown_work_does_not_lower_the_rate_of_the_rest(ledger: Ledger) -> None:
    rated = mined(1, MONDAY, MONDAY + 6 * HOUR, 1_000, miner="10.0.0.9")
    unrated = mined(2, MONDAY + 6 * HOUR, MONDAY + 12 * HOUR, 1_000, miner="10.0.0.9", pool_ip="203.0.113.3")
    nothing = dict.fromkeys(("hashrate_hps", "spent_hashrate_hps", "power_watts", "energy_kwh"))
    ledger.record([rated, dataclasses.replace(unrated, **nothing)], MONDAY)
    (line,) = ledger.reader.summary(MONDAY, MONDAY + DAY).lines
    assert line.rates.hashrate_hps is not None
    assert line.rates.hashrate_hps.best == pytest.approx(1_000 * SHARE / (6 * 3_600))


def test_mining_of_unknown_work_makes_lower_bounds_and_is_never_a_zero(ledger: Ledger) -> None:
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 60), mined(2, MONDAY, MONDAY + HOUR, 60, algorithm="x")], MONDAY)
    with ledger.engine.begin() as connection:
        connection.execute(update(ROLLUPS).values(unknown_shares=6, unknown_seconds=360.0, assumed_seconds=30.0))
        wholly = select(SERIES.c.series_id).where(SERIES.c.algorithm == "x")
        nothing = dict.fromkeys(
            (f"{what}_{end}" for what in ("energy", "hashes") for end in ("low", "best", "high")), 0.0
        )
        connection.execute(
            update(ROLLUPS).where(ROLLUPS.c.series_id.in_(wholly)).values(assumed_seconds=0.0, **nothing)
        )
    known, unknown = ledger.reader.summary(MONDAY, MONDAY + DAY).lines
    assert (known.unknown_shares, known.missing_seconds, known.assumed_seconds) == (6, 360.0, 30.0)
    assert known.rates.energy_kwh is not None
    assert unknown.rates.energy_kwh is unknown.rates.hashrate_hps is unknown.rates.power_watts is None
    assert unknown.missing_seconds == 3_600.0


def test_minutes_say_nothing_of_day_and_night_and_of_power(ledger: Ledger) -> None:
    put(ledger, 1, MONDAY, MONDAY + HOUR // 5, attribution=owned(1))
    put(ledger, 2, MONDAY, MONDAY + 3 * DAY, attribution=owned(2))
    short, long = (ledger.reader.summary(MONDAY, MONDAY + WEEK).sites[site].site_class.reasons for site in (1, 2))
    assert not [reason for reason in short if "kW" in reason or "day and night" in reason]
    assert "it runs day and night" in " ".join(long)


def test_an_empty_ledger_has_empty_periods(ledger: Ledger) -> None:
    told = ledger.reader.summary(MONDAY, MONDAY + WEEK)
    assert (told.lines, told.gone, told.cases, told.totals(), told.energy_kwh) == ((), (), (), (), Range())
    assert totals([]) == ()
