"""Figures of a bulletin are sums over the summary: never across algorithms, every address once, persons without a
name."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.forms.documents import data, page, sheets, text, workbook
from exporters.forms.documents.bulletin import document as bulletin
from sensor.bulletin.aggregate import figures
from sensor.bulletin.regions import inside
from sensor.estimate.costs import estimate, growth
from sensor.model.figures import Figures, Rates
from sensor.model.summary import Range, Summary, energy, totals
from tests.bulletin.made import RATES, document, everything, frame, line, site, summaries, summary

bounds = st.tuples(*[st.just(0.0) | st.floats(1e-9, 1e9)] * 3).map(lambda three: Range(*sorted(three)))


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
        parts = [each.hashrate_hps for each in now.lines if each.algorithm == one.algorithm]
        assert math.isclose(one.hashrate_hps.best, sum(each.best for each in parts), rel_tol=1e-9)
        assert one.shares == sum(each.shares for each in now.lines if each.algorithm == one.algorithm)


@given(summaries(), summaries(before=True))
def test_every_figure_has_its_bounds_in_order(now: Summary, before: Summary) -> None:
    given = made(now, before)
    for one in (given, *given.holders, *given.mines, *given.by_algorithm):
        for field in dataclasses.fields(one.estimate):
            value = getattr(one.estimate, field.name)
            assert value.low <= value.best <= value.high


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


@given(bounds, st.floats(1, 1e7), st.floats(0, 10), st.floats(0, 10))
def test_costs_follow_the_energy(kwh: Range, watched_s: float, co2: float, yuan: float) -> None:
    given = estimate(kwh, watched_s, Rates(co2, yuan))
    assert math.isclose(given.day_kwh.best, kwh.best / watched_s * 86_400, rel_tol=1e-9)
    assert math.isclose(given.week_kwh.best, 7 * given.day_kwh.best, rel_tol=1e-9)
    assert math.isclose(given.power_watts.best, kwh.best * 3.6e6 / watched_s, rel_tol=1e-9)
    assert (given.co2_kg, given.surcharge_yuan) == (kwh.scaled(co2), kwh.scaled(yuan))


def test_without_time_watched_there_is_no_rate() -> None:
    given = estimate(Range(1, 2, 3), 0.0, RATES)
    assert given.day_kwh == given.power_watts == Range()
    assert given.surcharge_yuan.best == pytest.approx(0.6)


def test_growth_is_against_the_period_before() -> None:
    assert growth(150.0, 100.0) == pytest.approx(0.5)
    assert growth(150.0, 0.0) is None
    assert growth(150.0, None) is None


def test_rates_are_of_the_time_watched_and_energy_of_what_was_seen() -> None:
    now = summary([line(1, 10.0)], [site(1)])
    half = dataclasses.replace(now, coverage_seconds=now.seconds / 2)
    whole, part = (made(one, summary([], [], before=True)) for one in (now, half))
    assert part.estimate.energy_kwh == whole.estimate.energy_kwh
    assert part.estimate.day_kwh.best == pytest.approx(2 * whole.estimate.day_kwh.best)
    assert part.by_algorithm[0].hashrate_hps.best == pytest.approx(2 * whole.by_algorithm[0].hashrate_hps.best)
    assert part.egress_mbit_s == pytest.approx(2 * whole.egress_mbit_s)


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
