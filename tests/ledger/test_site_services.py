"""What a ledger knows of sites for their kind: what their ranges are filed for, tenants, campaigns, proxies."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import text

from sensor.ledger import Ledger
from sensor.model.attribution import Attribution
from sensor.model.summary import Kind, SiteClass
from tests.ledger.mining import DAY, HOUR, MONDAY, owned, told


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def filed(number: int, category: str = "enterprise", allocation: str = "", **detail: str) -> Attribution:
    """An owner by a book that says what the range is filed for."""
    answer = owned(number, category)
    claims = tuple(
        dataclasses.replace(claim, detail=detail, allocation=allocation or claim.allocation) for claim in answer.claims
    )
    return dataclasses.replace(answer, claims=claims)


def put(ledger: Ledger, number: int, attribution: Attribution, wallet: str, **changes: object) -> None:
    """Three days of mining by one address for one wallet."""
    changes = {"attribution": attribution, "login": wallet, "wallet": None, **changes}
    ledger.record(list(told(number, MONDAY, MONDAY + 3 * DAY, 12 * HOUR, 200, **changes)), MONDAY)


def site_class(ledger: Ledger, site: int = 1) -> SiteClass:
    return ledger.reader.summary(MONDAY, MONDAY + 7 * DAY).sites[site].site_class


@pytest.mark.parametrize(("wallets", "detail", "kind"), [
    (6, {"service": "IDC服务类"}, "hosting"), (6, {"service": "7"}, "hosting"), (6, {"use": "IDC托管"}, "hosting"),
    (1, {"service": "IDC服务类"}, "data-centre-mine"), (1, {"service": "互联网专线"}, "mine"),
    (1, {"service": "综合业务"}, "mine"),
])  # fmt: skip
def test_what_a_range_is_filed_for_reaches_the_kind_of_its_site(
    ledger: Ledger, wallets: int, detail: dict[str, str], kind: Kind
) -> None:
    for number in range(6):
        answer = filed(1, allocation="10.0.0.0/20", **detail)
        put(ledger, number + 1, answer, f"payee{number % wallets}", miner=f"10.0.{number}.1")
    assert site_class(ledger).kind == kind
    in_reasons = "the books file its range as a data centre's" in site_class(ledger).reasons
    assert in_reasons == (kind != "mine")


def test_where_somebodys_payee_is_unknown_nobody_is_called_the_only_one(ledger: Ledger) -> None:
    """Encrypted mining beside a farm in a data centre's range may be another tenant's."""
    answer = filed(1, allocation="10.0.0.0/20", service="IDC服务类")
    for number in range(6):
        put(ledger, number + 1, answer, "owner", miner=f"10.0.{number}.1")
    assert site_class(ledger).kind == "data-centre-mine"
    put(ledger, 30, answer, "", miner="10.0.9.1")
    assert site_class(ledger).kind != "data-centre-mine"
    assert "all machines pay one wallet or account" not in site_class(ledger).reasons


def test_addresses_of_one_small_range_are_one_customers(ledger: Ledger) -> None:
    for number in range(3):
        put(ledger, number + 1, filed(1), f"payee{number}", miner=f"10.0.1.{number + 1}")
    assert site_class(ledger).kind == "mine"


def test_a_wallet_at_data_centres_is_no_campaign(ledger: Ledger) -> None:
    for number in range(1, 7):
        put(ledger, number, filed(number, service="IDC服务类"), "renter", algorithm="rx/0")
    assert not any("campaign" in reason for reason in site_class(ledger).reasons)
    for number in range(11, 16):
        put(ledger, number, filed(number, service="互联网专线"), "intruder", algorithm="rx/0")
    found = site_class(ledger, 7)
    assert found.kind == "intruded"
    assert "its wallet also mines at 4 other enterprises: a campaign, not an owner" in found.reasons


def test_asics_at_many_firms_are_no_campaign(ledger: Ledger) -> None:
    for number in range(1, 6):
        put(ledger, number, filed(number), "owner")
    assert not any("campaign" in reason for reason in site_class(ledger).reasons)


@pytest.mark.parametrize(("strangers", "carries"), [(0, False), (1, False), (2, True)])
def test_one_stranger_makes_nobody_a_proxy(ledger: Ledger, strangers: int, carries: bool) -> None:
    put(ledger, 1, filed(1), "owner", miner="10.0.1.1")
    put(ledger, 2, filed(1), "owner", miner="10.0.1.2", pool_ip="10.0.1.1")
    for number in range(strangers):
        put(ledger, 20 + number, filed(20 + number), "other", pool_ip="10.0.1.1")
    reasons = site_class(ledger).reasons
    assert ("its addresses pass on what others mine" in " ".join(reasons)) == carries


def test_a_ledger_whose_attributions_are_not_kept_has_kinds(ledger: Ledger) -> None:
    put(ledger, 1, filed(1, service="IDC服务类"), "owner")
    with ledger.engine.begin() as connection:
        connection.execute(text("UPDATE addresses SET record = NULL"))
    assert site_class(ledger).reasons


@pytest.mark.parametrize(("leased", "kind"), [(1, "data-centre-mine"), (9, "mine")])
def test_the_service_of_most_addresses_is_the_sites(ledger: Ledger, leased: int, kind: Kind) -> None:
    for number in range(12):
        words = "互联网专线" if number < leased else "IDC服务类"
        put(ledger, number + 1, filed(1, allocation="10.0.0.0/20", service=words), "owner", miner=f"10.0.{number}.1")
    assert site_class(ledger).kind == kind
