"""The comparison sees what it is there to see, also where errors cancel out."""

from __future__ import annotations

from dataclasses import replace

from sensor.model.summary import Range
from tests.province import goals
from tests.province.measured import CaseDates, Cell, Sum
from tests.province.truth import Amount, TrueCase

FIRST, SECOND, TOTAL = (Cell("sha256d", day) for day in ("2026-03-02", "2026-03-03", "total"))


def amount(share: float, spread: float = 0.1) -> Sum:
    bounds = Range(share * (1 - spread), share, share * (1 + spread))
    return Sum(round(1_000 * share), share, share, bounds, bounds)


WHOLE = {FIRST: amount(1.0), SECOND: amount(1.0), TOTAL: amount(2.0)}


def test_equal_sums_miss_nothing() -> None:
    assert not goals.same_sums(WHOLE, WHOLE)
    assert not goals.bounds_as_narrow(WHOLE, WHOLE)
    assert not goals.bounds_in_order(WHOLE)


def test_days_that_are_wrong_are_seen_where_their_total_is_right() -> None:
    shifted = {FIRST: amount(0.9), SECOND: amount(1.1), TOTAL: amount(2.0)}
    assert len(goals.same_sums(shifted, WHOLE)) == 6


def test_an_algorithm_that_is_missing_or_too_much_is_seen() -> None:
    more = {**WHOLE, Cell("scrypt", FIRST.day): amount(0.5)}
    assert goals.same_sums(more, WHOLE)
    assert goals.same_sums(WHOLE, more)


def test_wide_and_disordered_bounds_are_seen() -> None:
    wide = {**WHOLE, FIRST: amount(1.0, 0.25)}
    assert len(goals.bounds_as_narrow(wide, WHOLE)) == 2
    crossed = {FIRST: replace(amount(1.0), kwh=Range(1.2, 1.0, 0.8))}
    assert len(goals.bounds_in_order(crossed)) == 1


def test_a_truth_outside_the_bounds_is_seen() -> None:
    truth = {("sha256d", "total"): Amount(hashes=2.0, kwh=2.0)}
    assert not goals.truth_within(WHOLE, truth)
    assert len(goals.truth_within(WHOLE, {("sha256d", "total"): Amount(hashes=3.0, kwh=1.0)})) == 2
    assert goals.truth_within({}, truth)


def test_cases_are_held_against_the_truth() -> None:
    true = TrueCase("plant", "2026-03-02", "2026-03-20", [("2026-03-05", "2026-03-18")])
    good = CaseDates(
        "plant",
        "2026-03-02",
        (("new", "2026-03-02"), ("closed", "2026-03-15"), ("relapsed", "2026-03-19")),
        "2026-03-20",
    )
    assert not goals.true_cases({"plant": good}, {"plant": true})
    for wrong in (
        good._replace(opened="2026-03-03"),
        good._replace(steps=(("new", "2026-03-04"),)),
        good._replace(steps=(("new", "2026-03-02"), ("closed", "2026-03-19"))),
        good._replace(steps=(("new", "2026-03-02"), ("relapsed", "2026-03-04"))),
        good._replace(last="2026-03-19"),
    ):
        assert len(goals.true_cases({"plant": wrong}, {"plant": true})) == 1
    assert goals.true_cases({}, {"plant": true})
    assert goals.true_cases({"plant": good, "nobody": good}, {"plant": true})


def test_bulletins_are_compared_number_by_number() -> None:
    whole = {"rows": [{"kwh": 100.0, "name": "a"}], "title": "t"}
    assert not goals.same_document({"rows": [{"kwh": 100.9, "name": "a"}], "title": "t"}, whole)
    assert goals.same_document({"rows": [{"kwh": 102.0, "name": "a"}], "title": "t"}, whole) == [
        "/rows/0/kwh: 102.0, not 100.0"
    ]
    assert goals.same_document({"rows": [], "title": "t"}, whole)
    assert goals.same_document({"rows": [{"kwh": None, "name": "b"}], "title": "t"}, whole)
