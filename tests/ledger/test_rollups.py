"""Roll-ups: whatever comes in whatever order, tried again or replayed, their sums are the findings' totals, hour by
hour never below 0."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from sensor.ledger import Ledger, LedgerBounds, LedgerError
from sensor.ledger.store.amounts import (
    MEASURES,
    NOTHING,
    WHOLE,
    Amounts,
    plus,
    shaped,
    spread,
    taken,
    totals,
)
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import COVERAGE, FINDINGS, MACHINES, ROLLUPS, SERIES
from sensor.ledger.write.holders import PresentTime, times_of, united
from sensor.ledger.write.holders import by_hour as hours_of
from sensor.model.time import HOUR_NS
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.mining import DAY, HOUR, MONDAY, SHARE, mined, owned, told

AMOUNTS = st.builds(Amounts, *([st.integers(0, 1_000)] * WHOLE), *([st.floats(0, 1e18)] * (len(MEASURES) - WHOLE)))
ROWS = st.dictionaries(st.integers(400_000, 400_050), AMOUNTS, min_size=1, max_size=6)


def opened(folder: Path, **bounds: int) -> Ledger:
    return Ledger.open(f"sqlite:///{folder}/ledger.db", bounds=LedgerBounds(**bounds))


def sums(ledger: Ledger, **where: object) -> dict[str, float]:
    """Every measure over all rows, or those of series with these columns."""
    columns = [func.coalesce(func.sum(ROLLUPS.c[name]), 0).label(name) for name in MEASURES]
    query = select(*columns).join(SERIES, SERIES.c.series_id == ROLLUPS.c.series_id)
    with reading(ledger.engine) as connection:
        return dict(
            connection.execute(query.where(*(SERIES.c[name] == value for name, value in where.items())))
            .mappings()
            .one()
        )


def by_hour(ledger: Ledger) -> dict[int, int]:
    with reading(ledger.engine) as connection:
        return {row.hour: row.shares for row in connection.execute(select(ROLLUPS.c.hour, ROLLUPS.c.shares))}


def agree(ledger: Ledger) -> None:
    """The sums over roll-ups are the sums over findings, and no row is below 0."""
    told = NOTHING
    for entry in ledger.reader.findings():
        told = plus(told, totals(entry.finding))
    rolled = sums(ledger)
    for at, name in enumerate(MEASURES):
        if name.startswith("hashes"):
            continue  # a finding has the present rate only; the roll-ups have every run's
        assert rolled[name] == (told[at] if at < WHOLE else pytest.approx(told[at], rel=1e-6, abs=1e-6)), name
    with reading(ledger.engine) as connection:
        for row in connection.execute(select(ROLLUPS)).mappings():
            assert min(row[name] for name in MEASURES) >= 0


@given(AMOUNTS, st.dictionaries(st.integers(400_000, 400_100), st.floats(0.001, 1e12), min_size=1, max_size=30))
def test_what_is_dealt_out_adds_up_to_the_whole(amounts: Amounts, weights: dict[int, float]) -> None:
    total = NOTHING
    for part in spread(amounts, weights).values():
        total = plus(total, part)
        assert min(part) >= 0
    assert total[:WHOLE] == amounts[:WHOLE]
    assert total[WHOLE:] == pytest.approx(amounts[WHOLE:], rel=1e-9)


@given(ROWS, st.floats(0, 1.2))
def test_never_more_is_taken_than_is_there(rows: dict[int, Amounts], part: float) -> None:
    whole = NOTHING
    for row in rows.values():
        whole = plus(whole, row)
    asked = Amounts(*(int(one * part) if at < WHOLE else one * part for at, one in enumerate(whole)))
    out = taken(asked, rows)
    total = NOTHING
    for hour, amounts in out.items():
        assert all(0 <= one <= there for one, there in zip(amounts, rows[hour], strict=True))
        total = plus(total, amounts)
    assert total == pytest.approx([min(one, there) for one, there in zip(asked, whole, strict=True)], rel=1e-6)


@given(ROWS, AMOUNTS)
def test_what_is_moved_keeps_its_sum(like: dict[int, Amounts], amounts: Amounts) -> None:
    total = NOTHING
    for part in shaped(amounts, like, dict.fromkeys(like, 1.0)).values():
        total = plus(total, part)
    assert total == pytest.approx(amounts, rel=1e-9)


def test_hours_are_those_of_the_connections() -> None:
    flows = (flow(1, 0, 1_000), flow(2, 500, 1_000), flow(3, 40_000, 100))
    hours = hours_of(times_of(finding(flows=flows)))
    assert sum(hours.values()) == 1_600 * SECOND
    later = hours_of(united([PresentTime(flows[2].first_ns, flows[2].last_ns)]))
    assert later == {flows[2].first_ns // HOUR_NS: 100 * SECOND}


def test_a_growing_finding_is_put_where_it_grew(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([mined(1, MONDAY, MONDAY + HOUR // 2, 30)], MONDAY)
    ledger.record([mined(1, MONDAY, MONDAY + 3 * HOUR // 2, 30)], MONDAY)
    ledger.record([mined(1, MONDAY, MONDAY + 5 * HOUR // 2, 90)], MONDAY)
    first = MONDAY // HOUR_NS
    assert by_hour(ledger) == {first: 30, first + 1: 30, first + 2: 30}
    agree(ledger)


def test_tried_again_in_one_run_or_replayed_in_another_nothing_changes(tmp_path: Path) -> None:
    records = list(told(1, MONDAY + 7 * SECOND, MONDAY + 9 * HOUR, HOUR // 3, 40)) + list(
        told(2, MONDAY, MONDAY + HOUR, HOUR, 10)
    )
    for _ in range(2):
        ledger = opened(tmp_path)
        for record in records:
            for _ in range(2):
                ledger.record([record], record.last_ns)
        agree(ledger)
        state = sums(ledger)
        ledger.close()
    assert state["shares"] == sum(one.shares.submitted for one in records if one.state == "closed")
    assert len(by_hour(opened(tmp_path))) == 9


def test_a_step_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 30)], MONDAY)
    before = sums(ledger)
    with reading(ledger.engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(LedgerError):
        ledger.record([mined(number, MONDAY, MONDAY + 48 * HOUR, 300) for number in range(60)], MONDAY)
    assert sums(ledger) == before
    agree(ledger)


@settings(max_examples=12)
@given(st.integers(0, 1 << 32))
def test_sums_over_roll_ups_are_sums_over_findings(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Runs that begin anew, connections that come and go, figures that grow, or prove to be others; retries, replays,
    all mixed."""
    generator = random.Random(seed)
    ledger = opened(tmp_path_factory.mktemp("rolled"))
    clocks = dict.fromkeys(range(4), MONDAY)
    number = 0
    for run in range(3):
        ledger.reporter = dataclasses.replace(ledger.reporter, run_id=f"run-{run}")
        for one in clocks:
            number += 1
            start = clocks[one] + generator.randrange(1, 5 * HOUR)
            shares, end, record = 0, start, None
            owner = generator.choice([None, owned(one)])
            for step in range(generator.randrange(1, 6)):
                shares += generator.randrange(40)
                end += generator.randrange(1, 4 * HOUR)
                joules = generator.choice([30e-12, 30e-12, 20e-12])
                coin = generator.choice(["BTC", None]) if step == 0 else "BTC"
                record = mined(number, start, end, shares, joules=joules, coin=coin, miner=f"10.9.0.{one // 2}")
                record = dataclasses.replace(record, finding_id=f"finding-{one}", attribution=owner)
                muted = {f"finding-{one}": "known"} if generator.random() < 0.1 else {}
                ledger.record([record] * generator.randrange(1, 3), end, muted)
            assert record is not None
            ledger.record([dataclasses.replace(record, state="closed")], end)
            clocks[one] = end
        agree(ledger)
    ledger.close()


def test_what_becomes_known_moves_what_was_put_under_not_known(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([mined(1, MONDAY, MONDAY + 2 * HOUR, 30, algorithm=None, coin=None)], MONDAY)
    ledger.record([mined(1, MONDAY, MONDAY + 3 * HOUR, 45, attribution=owned(7))], MONDAY)
    assert sums(ledger, algorithm="")["shares"] == 0
    assert sums(ledger, algorithm="sha256d", coin="BTC", site_id=1)["shares"] == 45
    agree(ledger)


def test_a_new_owner_gets_what_comes_from_then_on(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([mined(1, MONDAY, MONDAY + 2 * HOUR, 30, attribution=owned(1))], MONDAY)
    ledger.record([mined(1, MONDAY, MONDAY + 3 * HOUR, 50, attribution=owned(2))], MONDAY)
    assert (sums(ledger, site_id=1)["shares"], sums(ledger, site_id=2)["shares"]) == (30, 20)
    agree(ledger)


def test_work_that_proves_to_be_of_another_algorithm_is_of_no_two(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([mined(1, MONDAY, MONDAY + 4 * HOUR, 40)], MONDAY)
    proven = dataclasses.replace(
        mined(1, MONDAY, MONDAY + 4 * HOUR, 40, joules=1e-6), algorithm="scrypt", work_hashes=40 * SHARE / 65_536
    )
    ledger.record([dataclasses.replace(proven, coin="LTC")], MONDAY)
    assert sums(ledger, algorithm="sha256d")["work_hashes"] == 0
    assert sums(ledger, algorithm="scrypt")["work_hashes"] == pytest.approx(40 * SHARE / 65_536)
    assert len(by_hour(ledger)) == 4
    agree(ledger)


def test_an_estimate_there_was_none_of_before_is_of_all_the_time(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    whole = mined(1, MONDAY, MONDAY + 4 * HOUR, 40)
    early = dataclasses.replace(mined(1, MONDAY, MONDAY + 3 * HOUR, 30), energy_kwh=None, power_watts=None)
    ledger.record([early], MONDAY)
    ledger.record([whole], MONDAY)
    with reading(ledger.engine) as connection:
        energies = list(connection.scalars(select(ROLLUPS.c.energy_best).order_by(ROLLUPS.c.hour)))
    assert energies == pytest.approx([whole.energy_kwh.best / 4] * 4)


def test_old_hours_become_days_and_sums_stay(tmp_path: Path) -> None:
    ledger = opened(tmp_path, hours_ns=3 * DAY, closed_ns=1_000 * DAY, rollups_ns=30 * DAY)
    for number in range(3):
        for record in told(number, MONDAY, MONDAY + 10 * DAY, 5 * HOUR, 12):
            ledger.record([record], record.last_ns)
    before = sums(ledger)
    ledger.prune(MONDAY + 10 * DAY)
    after = sums(ledger)
    assert after == pytest.approx(before)
    with reading(ledger.engine) as connection:
        lengths = dict(connection.execute(select(ROLLUPS.c.hours, func.count()).group_by(ROLLUPS.c.hours)).all())
        starts = set(connection.scalars(select(ROLLUPS.c.hour).where(ROLLUPS.c.hours == 24)))
    assert lengths == {24: 3 * 7, 1: 3 * 72}
    assert {(hour + 8) % 24 for hour in starts} == {0}
    ledger.prune(MONDAY + 10 * DAY)
    assert sums(ledger) == after
    # What still comes for an old day joins it.
    ledger.record([mined(9, MONDAY + HOUR, MONDAY + 2 * HOUR, 7)], MONDAY)
    ledger.record([mined(9, MONDAY + HOUR, MONDAY + 3 * HOUR, 9)], MONDAY)
    ledger.prune(MONDAY + 10 * DAY)
    assert sums(ledger)["shares"] == before["shares"] + 9
    agree(ledger)
    ledger.prune(MONDAY + 35 * DAY)
    assert 0 < sums(ledger)["shares"] < before["shares"]
    ledger.prune(MONDAY + 50 * DAY)
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(SERIES)) == 0


def test_machines_are_listed_once_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.ledger.write.machines.MAX_MACHINES", 5)
    ledger = opened(tmp_path)
    for step in range(4):
        workers = tuple(f"rig{number}" for number in range(2 * step, 2 * step + 2))
        ledger.record([mined(1, MONDAY, MONDAY + (step + 1) * HOUR, 3, workers=workers, device="Antminer S21")], MONDAY)
    with reading(ledger.engine) as connection:
        assert set(connection.scalars(select(MACHINES.c.name))) == {f"rig{number}" for number in range(5)}


def test_an_hour_is_never_listened_to_for_more_than_an_hour(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.add_coverage(MONDAY + HOUR // 2, MONDAY + 5 * HOUR // 2)
    ledger.add_coverage(MONDAY, MONDAY + HOUR)
    ledger.add_coverage(MONDAY + 2 * HOUR, MONDAY + 2 * HOUR + HOUR // 2)
    ledger.add_coverage(MONDAY, MONDAY)
    with reading(ledger.engine) as connection:
        stretches = connection.execute(select(COVERAGE.c.from_ns, COVERAGE.c.to_ns)).all()
    assert stretches == [(MONDAY, MONDAY + 5 * HOUR // 2)]


def test_hostile_names_are_kept_out_of_the_columns(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    strange = "\ud800\x00'; DROP TABLE rollups; --" + "x" * 500
    one = mined(
        1,
        MONDAY,
        MONDAY + HOUR,
        3,
        workers=(strange,),
        login=strange,
        agent=strange,
        pool_host=strange,
        aggregator=strange,
    )
    ledger.record([one], MONDAY)
    ledger.record([one], MONDAY)
    agree(ledger)
    with reading(ledger.engine) as connection:
        row = connection.execute(select(FINDINGS.c.wallet, FINDINGS.c.aggregator)).one()
    assert "\0" not in row.wallet
    assert max(map(len, row)) <= 240
