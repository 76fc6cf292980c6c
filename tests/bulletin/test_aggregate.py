"""Figures of a bulletin are sums over the summary: never across algorithms, every address once, persons without a
name."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.forms.documents import data, page, sheets, text, workbook
from exporters.forms.documents.bulletin import document as bulletin
from sensor.bulletin.aggregate import figures
from sensor.bulletin.regions import inside
from sensor.estimate.costs import estimate, growth
from sensor.model.chance import chance_factors
from sensor.model.coverage import Grounds
from sensor.model.figures import Figures, Rates
from sensor.model.range import Range
from sensor.model.rates import MiningTimes
from sensor.model.summary import Summary, energy, totals
from tests.bulletin.made import RATES, document, everything, frame, line, site, summaries, summary


def made(now: Summary, before: Summary, region: str | None = None, name_persons: bool = False) -> Figures:
    return figures(now, before, (), frame(region, name_persons))


@given(summaries(), summaries(before=True))
def test_totals_are_sums_over_lines(now: Summary, before: Summary) -> None:
    given = made(now, before)
    assert given.addresses == now.addresses == len({one.address for one in given.mines})
    assert given.estimate.energy_kwh == energy(now.lines)
    assert given.before_kwh == energy(before.lines)
    for groups in (given.by_city, given.by_owner, given.by_coin, given.by_class, given.by_grade):
        assert math.isclose(sum(one.energy_kwh.best for one in groups), energy(now.lines).best, abs_tol=1e-6)
    for group in (given.by_grade,):
        assert sum(one.addresses for one in group) == given.addresses
    assert given.enterprises + given.persons == now.enterprises


@given(summaries(), summaries(before=True))
def test_hashrates_are_never_added_over_algorithms(now: Summary, before: Summary) -> None:
    given = made(now, before)
    assert [one.algorithm for one in given.by_algorithm] == [one.algorithm for one in totals(now.lines)]
    for one in given.by_algorithm:
        parts = [each.rates for each in now.lines if each.algorithm == one.algorithm]
        for name in ("hashrate_hps", "mean_hashrate_hps"):
            added = sum(getattr(each, name).best for each in parts)
            assert math.isclose(getattr(one, name).best, added, rel_tol=1e-9)
        assert one.shares == sum(each.shares for each in now.lines if each.algorithm == one.algorithm)


@given(summaries(), summaries(before=True))
def test_every_figure_has_its_bounds_in_order(now: Summary, before: Summary) -> None:
    given = made(now, before)
    for one in (given, *given.holders, *given.mines, *given.by_algorithm):
        for field in dataclasses.fields(one.estimate):
            value = getattr(one.estimate, field.name)
            assert not isinstance(value, Range) or value.low <= value.best <= value.high


@given(summaries(), summaries(before=True))
def test_holders_and_those_of_nobody_make_up_the_whole(now: Summary, before: Summary) -> None:
    given = made(now, before)
    held = sum(one.estimate.energy_kwh.best for one in given.holders)
    nobodys = sum(one.estimate.energy_kwh.best for one in given.mines if one.owner is None)
    assert math.isclose(held + nobodys, energy(now.lines).best, abs_tol=1e-6)
    assert given.addresses_unowned == len({one.address for one in given.mines if one.owner is None})
    assert [one.estimate.energy_kwh.best for one in given.holders] == sorted(
        (one.estimate.energy_kwh.best for one in given.holders), reverse=True
    )


@given(summaries(), summaries(before=True))
def test_regions_make_up_the_whole(now: Summary, before: Summary) -> None:
    whole = made(now, before)
    parts = [made(now, before, region) for region in ("320000", "11")]
    nowhere = energy([one for one in now.lines if one.site_id is None]).best
    assert math.isclose(
        sum(part.estimate.energy_kwh.best for part in parts) + nowhere, whole.estimate.energy_kwh.best, abs_tol=1e-6
    )
    assert all(part.addresses + part.elsewhere == whole.addresses for part in parts)


def test_a_hashrate_without_an_efficiency_is_whole_and_its_energy_is_not_known() -> None:
    given = made(summary([line(1, 0.0, energy_kwh=Range())], [site(1)]), summary([], [], before=True))
    document = json.loads(data.write(bulletin(given, "en", "0")))
    blocks = {block["key"]: block for section in document["sections"] for block in section["blocks"]}
    (row,) = blocks["addresses"]["rows"]
    assert "at_least" not in row["hashrate_hps"]
    assert (row["energy_kwh"], row["unknown_hours"], row["unknown_energy_hours"]) == ("unknown", None, 1.0)
    assert document["opening"][0]["sentences"] == [
        "Energy is a lower bound: of 1 h of mining it is not known what a hash takes."
    ]


@pytest.mark.parametrize(
    ("code", "region", "within"),
    [
        *(("320505", region, True) for region in ("320000", "32", "320500", "3205", "320505")),
        *(("320505", region, False) for region in ("320300", "330000", "320506")),
        (None, "320000", False),
        (None, None, True),
    ],
)
def test_a_division_lies_in_the_regions_above_it(code: str | None, region: str | None, within: bool) -> None:
    assert inside(code, region) == within


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=5), st.floats(1, 2), st.floats(0, 10), st.floats(0, 10))
def test_costs_follow_the_energy(kwh: list[float], factor: float, co2: float, yuan: float) -> None:
    lines = [line(number, one, times=MiningTimes(3_600.0, 7_200.0, factor)) for number, one in enumerate(kwh)]
    given = estimate(lines, 604_800.0, Rates(co2, yuan), Grounds())
    assert given.projected_kwh is not None
    assert given.day_kwh is not None
    assert math.isclose(given.projected_kwh.best, factor * sum(kwh), rel_tol=1e-9)
    assert given.week_kwh == given.projected_kwh
    assert math.isclose(given.day_kwh.best, given.projected_kwh.best / 7, rel_tol=1e-9)
    assert given.power_watts is not None
    assert given.mean_power_watts is not None
    assert math.isclose(given.power_watts.best, sum(kwh) * 1_000, rel_tol=1e-9)
    assert math.isclose(given.mean_power_watts.best, sum(kwh) * 500, rel_tol=1e-9)
    assert (given.co2_kg, given.surcharge_yuan) == (given.energy_kwh.scaled(co2), given.energy_kwh.scaled(yuan))


def test_no_day_and_no_week_is_projected_from_much_less_than_one() -> None:
    one_day, hours = (estimate([line(1)], seconds, RATES, Grounds()) for seconds in (86_400.0, 7_200.0))
    assert one_day.day_kwh is not None
    assert one_day.week_kwh is None
    assert hours.day_kwh is None


@given(st.integers(1, 400), st.floats(10.0, 1e5))
def test_chance_cancels_out_in_sums_and_efficiency_does_not(miners: int, shares: float) -> None:
    whole = energy([line(number, energy_kwh=Range(80.0, 100.0, 135.0, 1e4 / shares)) for number in range(miners)])
    assert whole.chance is not None
    assert whole.rest is not None
    down, up = chance_factors(miners * shares)
    assert max(whole.chance) == pytest.approx(max(up - 1, 1 - down), rel=1e-6)


def test_growth_is_against_the_period_before() -> None:
    assert growth(150.0, 100.0) == pytest.approx(0.5)
    assert growth(150.0, 0.0) is None
    assert growth(150.0, None) is None


def changed(now: Summary, **changes: object) -> Summary:
    return dataclasses.replace(now, **changes)


@pytest.mark.parametrize("part", [0.0, 0.0007, 0.5, 0.79])
def test_nothing_is_projected_compared_or_gone_in_a_period_that_was_watched_too_little(part: float) -> None:
    times = MiningTimes(3_600.0, 7_200.0, None)
    lines = [] if part == 0.0 else [line(1, 10.0, times=times)]
    now = summary(lines, [site(1), site(2)], part=part, unobserved=(line(2),))
    given = made(now, summary([line(1), line(2)], [site(1), site(2)], before=True))
    assert not given.watched
    assert given.growth is None
    assert given.estimate.projected_kwh is given.estimate.day_kwh is given.estimate.week_kwh is None
    assert (given.addresses_gone, given.gone) == (0, ())
    assert {one.owner.name for one in given.unobserved} == {"某单位2"} | ({"某单位1"} if not lines else set())
    assert all(one.growth is None for one in given.holders)
    assert (given.egress_mbit_s is None) == (part == 0.0)


def test_mining_without_any_record_of_listening_is_a_lower_bound_and_no_unwatched_period() -> None:
    now = summary([line(1, 10.0, times=MiningTimes(3_600.0, 3_600.0))], [site(1)], part=0.0)
    document = json.loads(data.write(bulletin(made(now, summary([], [], before=True)), "en", "0")))
    assert document["opening"][0]["sentences"][0].startswith("When sensors listened in this period is not recorded.")
    (fact,) = (one for one in document["sections"][0]["blocks"][0]["facts"] if one["key"] == "addresses")
    assert (fact["value"], fact["at_least"]) == (1, True)


def test_periods_are_compared_where_both_were_watched() -> None:
    before = summary([line(1, 10.0)], [site(1)], before=True)
    assert made(summary([line(1, 15.0)], [site(1)]), before).growth == pytest.approx(0.5)
    assert made(summary([line(1, 15.0)], [site(1)]), before).holders[0].growth == pytest.approx(0.5)
    assert made(summary([], [site(1)], gone=(line(1),)), before).growth == pytest.approx(-1.0)
    unwatched = summary([line(1, 10.0, times=MiningTimes(60.0, 60.0))], [site(1)], before=True, part=0.1)
    assert made(summary([line(1, 15.0)], [site(1)]), unwatched).growth is None


@given(summaries(), summaries(before=True), st.randoms())
def test_last_and_new_and_back_less_gone_and_not_observed_is_now(now: Summary, before: Summary, chance: Random) -> None:
    present = {one.place for one in now.lines}
    absent = [one for one in before.lines if one.place not in present]
    chance.shuffle(absent)
    cut = chance.randint(0, len(absent))
    given = made(changed(now, gone=tuple(absent[:cut]), unobserved=tuple(absent[cut:])), before)
    for counts in (given.address_turnover, given.enterprise_turnover):
        assert counts.before + counts.new + counts.back - counts.gone - counts.unobserved == counts.now
    assert given.address_turnover.before == before.addresses
    assert given.address_turnover.now == now.addresses


def test_a_line_of_unknown_work_makes_its_sums_lower_bounds() -> None:
    whole, part = line(1, 10.0), line(2, 0.0, hashes=Range(), energy_kwh=Range(), unknown_seconds=3_600.0)
    given = made(summary([whole, part], [site(1), site(2)]), summary([], [], before=True))
    assert [one.estimate.missing_seconds for one in given.holders] == [0.0, 3_600.0]
    assert given.estimate.missing_seconds == given.by_algorithm[0].estimate.missing_seconds == 3_600.0
    document = json.loads(data.write(bulletin(given, "en", "0")))
    blocks = {block["key"]: block for section in document["sections"] for block in section["blocks"]}
    assert [row["energy_kwh"] for row in blocks["holders"]["rows"]][1] == "unknown"
    assert blocks["algorithms"]["rows"][0]["energy_kwh"]["at_least"] is True
    assert [row["unknown_hours"] for row in blocks["addresses"]["rows"]] == [None, 1.0]
    assert "lower bounds: of 1 h of mining the work is not known" in document["opening"][0]["sentences"][0]
    for language, words in (("en", ("unknown", "≥")), ("zh", ("未知", "≥"))):
        for form in (page, text, sheets):
            content = form.write(bulletin(given, language, "0")).decode("utf-8-sig")
            assert words[0] in content
            assert words[1] in content or "at least" in content


def test_what_is_new_and_what_is_gone() -> None:
    given = everything()
    assert given.addresses_new == 1
    assert given.addresses_gone == 1
    assert [one.owner.name for one in given.gone] == ["机关 某单位"]
    assert [one.new for one in given.holders if one.owner.person] == [True]


def test_cases_are_told_overdue_ones_first() -> None:
    given = everything()
    assert [(one.case_id, one.overdue) for one in given.cases] == [(1, True), (2, False)]


@pytest.mark.parametrize("form", [page, workbook, sheets, data, text], ids=lambda form: form.SUFFIX)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_form_names_a_person(form, language: str) -> None:  # type: ignore[no-untyped-def]
    content = form.write(document(language, "没有名字"))
    if form is workbook:
        import io
        import zipfile

        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = b"".join(map(archive.read, archive.namelist()))
    assert "张三".encode() not in content
    assert "某路2号".encode() not in content
    assert "某路1号".encode() in content or form in (page, text)


def test_a_person_is_named_only_where_that_was_asked_for() -> None:
    now = summary([line(1)], [site(1, "individual", name="张三")])
    hidden, named = (made(now, summary([], [], before=True), name_persons=wanted) for wanted in (False, True))
    assert hidden.holders[0].owner.name is None
    assert hidden.holders[0].owner.division == "320500"
    assert named.holders[0].owner.name == "张三"


def test_both_languages_have_the_same_figures() -> None:
    given = everything()
    found = defaultdict(list)
    for language in ("zh", "en"):
        for block in bulletin(given, language, "0").blocks():
            for row in getattr(block, "rows", ()):
                found[language] += [cell for cell in row if not isinstance(cell, str)]
    assert found["zh"] == found["en"]
