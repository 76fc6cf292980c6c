"""Scopes by codes of divisions: deny by default, unknown codes refused, abolished ones followed without widening."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.attribution.books.divisions import DivisionError, Divisions, _table
from sensor.attribution.books.jurisdiction import granted, scope_of, viewers_scope
from sensor.model.scope import EVERYTHING, EVERYWHERE, NOWHERE, ROLES, Scope, Viewer, stem_of

TABLE = Divisions()
YEAR = 2026
CODES = sorted(_table())


def of(*codes: str) -> Scope:
    return scope_of(codes, TABLE, YEAR)


def test_nothing_granted_is_nothing_seen() -> None:
    assert of() == NOWHERE
    assert not NOWHERE.holds("320505")
    assert not NOWHERE.holds(None)
    assert not NOWHERE.everywhere


def test_all_is_everywhere_and_places_that_are_not_known() -> None:
    assert scope_of(EVERYTHING, TABLE, YEAR) == EVERYWHERE
    assert EVERYWHERE.holds(None)
    assert EVERYWHERE.holds("999999")
    assert not of("320000").holds(None)


@pytest.mark.parametrize("code", ["999999", "32", "320599", "苏州市", "", "32050", "3205051", "٣٢٠٥٠٠", "320500\n"])
def test_a_code_that_never_was_is_refused(code: str) -> None:
    if code == "32":
        assert of(code).stems == of("320000").stems
        return
    with pytest.raises(DivisionError):
        of(code)


def test_a_province_holds_its_cities_and_a_city_its_counties() -> None:
    assert of("320000").holds("320505")
    assert of("320500").holds("320505")
    assert not of("320500").holds("320311")
    assert not of("320505").holds("320506")
    assert not of("320505").holds("320500")  # a case of the city alone is the city's


def test_an_abolished_division_is_followed_to_what_it_became() -> None:
    (division,) = granted(["110228"], TABLE, YEAR)
    assert division.note is not None
    assert "was abolished in 2015" in division.note
    assert of("110228").holds("110118")


def test_who_has_a_division_sees_the_old_cases_of_what_it_was() -> None:
    assert of("110118").holds("110228")
    assert of("320509").holds("320584")  # 吴江区 was 吴江市
    assert of("340100").holds("341421")  # 庐江县 came from another city


def test_a_name_that_several_have_widens_nobody() -> None:
    """大同市城区 became 平城区; other cities of the province have a 城区 of their own."""
    assert of("140202").stems == ("140202",)


@given(st.lists(st.sampled_from(CODES), min_size=1, max_size=3))
def test_a_scope_holds_what_was_granted_and_stays_in_its_provinces(codes: list[str]) -> None:
    scope = of(*codes)
    assert scope.stems
    assert all(scope.holds(code) for code in codes)
    assert {stem[:2] for stem in scope.stems} == {code[:2] for code in codes}
    assert all(stem_of(code) in scope.stems or scope.holds(code) for code in codes)


@given(st.sampled_from(CODES))
def test_what_is_there_gains_nothing_but_abolished_codes(code: str) -> None:
    if TABLE.name(code, YEAR) is None:
        return
    own = stem_of(code)
    for stem in of(code).stems or ():
        assert stem == own or own.startswith(stem) or TABLE.name(stem.ljust(6, "0"), YEAR) is None, stem


@pytest.mark.parametrize("role", ROLES)
def test_roles_without_data_have_no_scope_whatever_was_granted(role: str) -> None:
    who = Viewer("x", role, EVERYTHING)  # type: ignore[arg-type]
    assert viewers_scope(who, TABLE, YEAR) == (EVERYWHERE if who.sees_data else NOWHERE)
