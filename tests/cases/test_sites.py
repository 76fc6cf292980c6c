"""Sites of public record are called what they turned out to be, or unclear; of the described ones nearly all."""

from __future__ import annotations

from collections import Counter

import pytest

from sensor.cases.site_class import site_marks
from sensor.cases.site_examples import facts_of, prove_sites
from sensor.signatures.loader import load, parse, shipped_sites
from sensor.signatures.sites import KINDS, MARKS, SiteWeights
from tests.cases.sites.matrix import PAGE, site_cases, written


@pytest.mark.parametrize("case", site_cases("public"), ids=lambda case: case.name)
def test_no_site_of_public_record_is_called_wrongly(case) -> None:  # type: ignore[no-untyped-def]
    assert case.verdict != "wrong", case.called


def test_every_site_of_public_record_has_its_source_and_says_what_is_supposed() -> None:
    cases = site_cases("public")
    assert len(cases) >= 30
    for case in cases:
        assert case.entry["source"].startswith("http")
        assert case.entry["found"]
        assert set(case.entry["supposed"]) <= case.entry["facts"].keys() | {"active_share", "service", "gpus"}


@pytest.mark.parametrize("name", ["described", "blind"])
def test_at_most_one_of_forty_described_sites_is_called_wrongly(name: str) -> None:
    cases = site_cases(name)
    assert len(cases) >= 40
    assert all(case.entry["because"] for case in cases)
    decided = [case for case in cases if case.kind != "unclear"]
    assert sum(case.verdict == "wrong" for case in decided) <= len(decided) / 40
    assert Counter(case.kind for case in cases).keys() == {*KINDS, "unclear"}


def test_unclear_is_no_way_out() -> None:
    for cases in (site_cases("public"), site_cases("described")[:40]):
        assert sum(case.verdict == "unclear" for case in cases) <= len(cases) / 10


def test_the_matrix_in_the_documentation_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "make sites-table"


def test_the_shipped_weights_are_whole_and_prove_their_examples() -> None:
    assert prove_sites(shipped_sites()) == []
    assert load().sites == shipped_sites()
    assert prove_sites(SiteWeights()) != []


def test_every_mark_is_seen_in_a_case() -> None:
    weights = shipped_sites()
    cases = [*site_cases("public"), *site_cases("described"), *site_cases("blind")]
    seen = {mark.name for case in cases for mark in site_marks(case.facts, weights)}
    extra = facts_of({"machines": 9, "payees": 2, "tenants": 2, "service": "leased-line"})
    seen |= {mark.name for mark in site_marks(extra, weights)}
    assert seen == set(MARKS)


@pytest.mark.parametrize(("change", "sentence"), [
    (("many-machines:\n    bits", "many-machinse:\n    bits"), "unknown key; did you mean 'many-machines'?"),
    (("mine: 3,", "mine: 300,"), "must be a number from -16 to 16"),
    (("mine: 3,", "mien: 3,"), "did you mean 'mine'?"),
    (("basis: public", "basis: rumour"), "must be one of public, judgement"),
])  # fmt: skip
def test_mistakes_in_weights_are_named(change: tuple[str, str], sentence: str) -> None:
    text = """kind: sites
name: own
marks:
  many-machines:
    bits: {mine: 3, hosting: 1}
    basis: public
    source: "a list"
examples:
  - {facts: {machines: 30}, kind: mine}
"""
    problems: list[str] = []
    assert parse(text, "own.yaml", problems, []) is not None
    assert parse(text.replace(*change), "own.yaml", problems, []) is None
    assert sentence in " ".join(problems)


def test_an_own_weight_counts_before_the_shipped_one() -> None:
    own = SiteWeights(priors={"mine": 5.0}).add(shipped_sites())
    assert own.priors["mine"] == 5.0
    assert own.priors["proxy"] == shipped_sites().priors["proxy"]
    assert own.missing == ()


def test_facts_that_are_none_are_named() -> None:
    with pytest.raises(ValueError, match="machinse is no fact of a site"):
        facts_of({"machinse": 3})
    with pytest.raises(ValueError, match="service"):
        facts_of({"service": "cellar"})
