"""The class of a site: each kind by its marks, with reasons; unclear where they do not decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.cases.site_class import KINDS, SiteFacts, site_class
from sensor.ledger.read.facts import extent, kind_of

MINE = SiteFacts(
    machines=400,
    asics=400,
    wallets=1,
    addresses=12,
    allocated=16,
    active_share=0.99,
    power_watts=1.2e6,
    category="enterprise",
)
TENANTS = SiteFacts(
    machines=60, asics=50, gpus=10, wallets=9, addresses=11, allocated=4_096, active_share=0.95, power_watts=90e3
)
CAMPAIGN = SiteFacts(
    machines=3, cpus=3, wallets=1, campaign=14, addresses=3, allocated=512, active_share=0.8, power_watts=300
)
PLACES = {
    "mine": MINE,
    "hosting": replace(TENANTS, category="data-centre"),
    "intruded": replace(CAMPAIGN, category="university"),
    "household": SiteFacts(
        machines=1, gpus=1, wallets=1, addresses=1, active_share=0.35, power_watts=350, category="individual"
    ),
    "proxy": SiteFacts(machines=30, wallets=6, addresses=1, active_share=0.9, aggregator=True, carries=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_by_its_marks(kind: str) -> None:
    found = site_class(PLACES[kind])
    assert found.kind == kind
    assert found.confidence > 0.7
    assert found.reasons


def test_a_wallet_at_many_unrelated_enterprises_is_a_campaign_and_no_owner() -> None:
    alone = SiteFacts(machines=2, cpus=2, wallets=1, addresses=2, active_share=0.9)
    spread = SiteFacts(machines=2, cpus=2, wallets=1, addresses=2, active_share=0.9, campaign=9)
    assert site_class(spread).kind == "intruded"
    assert "its wallet also mines at 9 other enterprises: a campaign, not an owner" in site_class(spread).reasons
    assert site_class(spread).confidence > site_class(alone).confidence


def test_a_data_centre_of_which_most_mines_is_a_mine() -> None:
    """Mining under the name of a data centre: the share of its addresses tells."""
    named = SiteFacts(
        machines=900,
        asics=900,
        wallets=1,
        addresses=14,
        allocated=16,
        active_share=0.99,
        power_watts=3e6,
        category="data-centre",
    )
    found = site_class(named)
    assert found.kind == "mine"
    assert "14 of the site's 16 addresses mine" in found.reasons


def test_one_machine_at_a_workshop_has_no_tenants_and_is_no_home() -> None:
    workshop = SiteFacts(
        machines=1,
        asics=1,
        wallets=1,
        addresses=1,
        allocated=16,
        active_share=1.0,
        power_watts=3_250,
        category="enterprise",
    )
    assert site_class(workshop).kind == "mine"
    assert site_class(replace(workshop, category="data-centre")).kind != "household"


@pytest.mark.parametrize("wallets", [0, 1])
def test_hosting_needs_two_who_are_paid_or_a_book_that_says_so(wallets: int) -> None:
    facts = replace(TENANTS, wallets=wallets, machines=5, asics=5, gpus=0)
    assert site_class(facts).kind != "hosting"
    assert site_class(replace(facts, category="data-centre", addresses=1)).kind == "hosting"


def test_nothing_seen_is_unclear() -> None:
    assert site_class(SiteFacts(machines=5)).kind == "unclear"


FACTS = st.builds(
    SiteFacts,
    machines=st.integers(0, 10_000),
    asics=st.integers(0, 100),
    gpus=st.integers(0, 100),
    cpus=st.integers(0, 100),
    wallets=st.integers(0, 50),
    campaign=st.integers(0, 50),
    addresses=st.integers(1, 100),
    allocated=st.none() | st.integers(1, 1 << 100),
    active_share=st.floats(0, 1),
    power_watts=st.none() | st.floats(0, 1e9),
    aggregator=st.booleans(),
    carries=st.booleans(),
    category=st.none() | st.sampled_from(["enterprise", "data-centre", "individual", "university", "government", "x"]),
)


@given(FACTS)
def test_any_facts_give_a_class_with_a_confidence_and_reasons(facts: SiteFacts) -> None:
    found = site_class(facts)
    assert found.kind in (*KINDS, "unclear")
    assert 0.0 <= found.confidence <= 1.0
    assert found.reasons
    if facts.category not in (None, "individual"):
        assert found.kind != "household"
    if facts.wallets < 2 and facts.category != "data-centre":
        assert found.kind != "hosting"


@pytest.mark.parametrize(("allocation", "addresses"), [
    ("192.0.2.0/28", 16), ("192.0.2.1", 1), ("192.0.2.8-192.0.2.11", 4), ("2001:db8::/48", 1 << 80), (None, 0),
    ("a room", 0),
])  # fmt: skip
def test_the_extent_of_an_allocation(allocation: str | None, addresses: int) -> None:
    assert extent(allocation) == addresses


def test_a_machine_is_told_by_its_class_or_by_what_it_mines() -> None:
    named = [
        kind_of("asic-sha256", None),
        kind_of("gpu-nvidia", "x"),
        kind_of("cpu-or-gpu", "rx/0"),
        kind_of("browser", None),
    ]
    assert named == ["asic", "gpu", "cpu", "cpu"]
    assert [kind_of(None, "sha256d"), kind_of(None, "rx/0"), kind_of(None, "kawpow"), kind_of(None, None)] == [
        "asic",
        "cpu",
        "",
        "",
    ]
