"""Whose donation a session is: told of any number of logins, each of which is hashed once."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.line import donors
from sensor.line.donors import Donors, name_donors
from sensor.model.finding import Finding
from sensor.wallets import donation_login
from tests.ledger.made import finding

MINER = "192.0.2.7"


def of_login(number: int, login: str) -> Finding:
    return dataclasses.replace(finding(number), login=login, miner_ip=MINER, donation=False, reasons=())


def test_a_donation_names_its_donor_as_long_as_a_finding_has_that_login() -> None:
    found = Donors()
    for login in ("acct.one", "acct.two", "acct.two"):
        found.add(MINER, login)
    found.add("192.0.2.8", "acct.three")
    for login, is_named in (("acct.one", True), ("acct.two", True), ("acct.three", False)):
        one = of_login(1, donation_login(login))
        found.name(one)
        assert one.donation == is_named
        assert [login in reason for reason in one.reasons] == [True] * is_named
    found.remove(MINER, "acct.one")
    found.remove(MINER, "acct.two")
    for login, is_named in (("acct.one", False), ("acct.two", True)):
        one = of_login(1, donation_login(login))
        found.name(one)
        assert one.donation == is_named


def test_ten_thousand_logins_of_the_form_of_a_donation_cost_one_hash_each(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def counting(login: str) -> str:
        hashed.append(login)
        return donation_login(login)

    monkeypatch.setattr(donors, "donation_login", counting)
    logins = [donation_login(str(number)) for number in range(10_000)]
    findings = [of_login(1, login) for login in [*logins, "acct.rig", donation_login("acct.rig")]]
    name_donors(findings)
    assert len(hashed) == len(set(hashed)) == 10_002
    assert [one.login for one in findings if one.donation] == [donation_login("acct.rig")]
