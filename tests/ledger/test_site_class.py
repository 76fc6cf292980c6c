"""The class of a site: each kind by its marks, with reasons; unclear where they do not decide."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.cases.site_class import SiteFacts
from sensor.cases.site_class import site_class as classified
from sensor.ledger.read.facts import kind_of
from sensor.ledger.read.payees import MOST_WALLETS, Payment, extent, payee_groups, tenant_groups
from sensor.model.attribution import Service
from sensor.model.summary import SiteClass
from sensor.signatures.loader import shipped_sites
from sensor.signatures.sites import KINDS


def site_class(facts: SiteFacts) -> SiteClass:
    return classified(facts, shipped_sites())


MINE = SiteFacts(
    machines=400,
    asics=400,
    payees=1,
    tenants=1,
    addresses=12,
    allocated=16,
    active_share=0.99,
    power_watts=1.2e6,
    category="enterprise",
)
TENANTS = SiteFacts(
    machines=60,
    asics=50,
    gpus=10,
    payees=9,
    tenants=9,
    addresses=11,
    allocated=4_096,
    active_share=0.95,
    power_watts=90e3,
)
CAMPAIGN = SiteFacts(
    machines=3, cpus=3, payees=1, tenants=1, campaign=14, addresses=3, allocated=512, active_share=0.8, power_watts=300
)
PLACES = {
    "mine": MINE,
    "hosting": replace(TENANTS, category="data-centre"),
    "data-centre-mine": replace(MINE, service="data-centre"),
    "intruded": replace(CAMPAIGN, category="university"),
    "household": SiteFacts(
        machines=1, gpus=1, payees=1, tenants=1, addresses=1, active_share=0.35, power_watts=350, category="individual"
    ),
    "proxy": SiteFacts(machines=30, payees=6, tenants=1, addresses=1, active_share=0.9, aggregator=True, carries=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_by_its_marks(kind: str) -> None:
    found = site_class(PLACES[kind])
    assert found.kind == kind
    assert found.confidence > 0.7
    assert found.reasons


def test_a_wallet_at_many_unrelated_enterprises_is_a_campaign_and_no_owner() -> None:
    alone = SiteFacts(machines=2, cpus=2, payees=1, tenants=1, addresses=2, active_share=0.9)
    spread = SiteFacts(machines=2, cpus=2, payees=1, tenants=1, addresses=2, active_share=0.9, campaign=9)
    assert site_class(spread).kind == "intruded"
    assert "its wallet also mines at 9 other enterprises: a campaign, not an owner" in site_class(spread).reasons
    assert site_class(spread).confidence > site_class(alone).confidence


def test_a_data_centre_of_which_most_mines_for_one_payee_is_a_mine_in_its_range() -> None:
    """Mining under the name of a data centre."""
    named = SiteFacts(
        machines=900,
        asics=900,
        payees=1,
        tenants=1,
        addresses=14,
        allocated=16,
        active_share=0.99,
        power_watts=3e6,
        category="data-centre",
    )
    found = site_class(named)
    assert found.kind == "data-centre-mine"
    assert "14 of the site's 16 addresses mine" in found.reasons


def test_one_machine_at_a_workshop_has_no_tenants_and_is_no_home() -> None:
    workshop = SiteFacts(
        machines=1,
        asics=1,
        payees=1,
        tenants=1,
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
    facts = replace(TENANTS, payees=wallets, tenants=wallets, machines=5, asics=5, gpus=0)
    assert site_class(facts).kind != "hosting"
    assert site_class(replace(facts, category="data-centre", addresses=1)).kind not in ("mine", "household")


def test_nothing_seen_is_unclear() -> None:
    assert site_class(SiteFacts(machines=5)).kind == "unclear"


FACTS = st.builds(
    SiteFacts,
    machines=st.integers(0, 10_000),
    asics=st.integers(0, 100),
    gpus=st.integers(0, 100),
    cpus=st.integers(0, 100),
    payees=st.integers(0, 50),
    tenants=st.integers(0, 50),
    service=st.none() | st.sampled_from(get_args(Service)),
    unknown_payees=st.sampled_from([0, 0, 3]),
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
    if facts.category not in (None, "individual") or facts.in_data_centre:
        assert found.kind != "household"
    if facts.tenants < 2 and facts.payees < 4 and not facts.in_data_centre:
        assert found.kind != "hosting"
    if found.kind == "data-centre-mine":
        assert facts.in_data_centre
        assert facts.one_payee
    if found.kind == "mine":
        assert not facts.in_data_centre


def test_what_a_range_is_filed_for_counts_more_than_the_trade_of_its_holder() -> None:
    rented = SiteFacts(machines=24, asics=24, payees=6, tenants=6, addresses=6, allocated=64, active_share=1.0,
                       power_watts=79e3, category="enterprise", service="data-centre")  # fmt: skip
    assert site_class(rented).kind == "hosting"
    assert "the books file its range as a data centre's" in site_class(rented).reasons
    office = replace(rented, payees=1, tenants=1, category="data-centre", service="leased-line")
    assert site_class(office).kind == "mine"
    assert site_class(replace(office, service="data-centre")).kind == "data-centre-mine"


def test_a_public_body_alone_is_no_proof_of_intrusion() -> None:
    rigs = SiteFacts(machines=8, gpus=8, payees=1, tenants=1, addresses=1, active_share=0.95, power_watts=9e3)
    for category in ("university", "government", "institution"):
        assert site_class(replace(rigs, category=category)).kind != "intruded"


def test_asics_of_one_owner_at_many_firms_are_no_campaign() -> None:
    owner = replace(MINE, campaign=9)
    assert site_class(owner).kind == "mine"
    assert not any("campaign" in reason for reason in site_class(owner).reasons)


def test_accounts_of_one_operator_are_one_payee() -> None:
    """Another coin's account at the same address is the operator's own; a second one for the same algorithm may not
    be."""
    coins = {Payment("a", "192.0.2.1", "sha256d"), Payment("b", "192.0.2.1", "scrypt")}
    assert len(payee_groups(coins)) == 1
    both = coins | {Payment("c", "192.0.2.1", "sha256d")}
    assert len(payee_groups(both)) == 2
    assert len(tenant_groups(both, {})) == 1
    assert payee_groups([]) == tenant_groups([], {}) == []


def test_tenants_have_addresses_and_ranges_of_their_own() -> None:
    paid = {Payment("a", "192.0.2.1", "x"), Payment("b", "192.0.2.2", "x"), Payment("c", "192.0.2.65", "x")}
    assert len(tenant_groups(paid, {})) == 3
    small = {"192.0.2.1": "192.0.2.0/29", "192.0.2.2": "192.0.2.0/29", "192.0.2.65": "192.0.2.64/29"}
    assert len(tenant_groups(paid, small)) == 2
    large = dict.fromkeys(small, "192.0.2.0/24")
    assert len(tenant_groups(paid, large)) == 3
    linked = paid | {Payment("a", "192.0.2.65", "x")}
    assert len(tenant_groups(linked, {})) == 2


@pytest.mark.parametrize(("allocation", "addresses"), [
    ("192.0.2.0/28", 16), ("192.0.2.1", 1), ("192.0.2.8-192.0.2.11", 4), ("2001:db8::/48", 1 << 80), (None, 0),
    ("a room", 0),
])  # fmt: skip
def test_the_extent_of_an_allocation(allocation: str | None, addresses: int) -> None:
    assert extent(allocation) == addresses


def test_wallets_that_a_sender_makes_up_cost_no_more_than_a_bound() -> None:
    paid = {Payment(f"w{number:05}", f"10.0.{number % 250}.1", "x") for number in range(20_000)}
    assert len(payee_groups(paid)) == MOST_WALLETS
    assert len(tenant_groups(paid, {})) <= MOST_WALLETS


def test_asics_of_groestl_are_no_processors_of_ghostrider() -> None:
    assert [kind_of(None, "groestl"), kind_of(None, "gr"), kind_of(None, "ghostrider")] == ["", "cpu", "cpu"]


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
