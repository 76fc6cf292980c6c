"""Whose donation a donation session is: XMRig names its user there by the Keccak-256 of the user's own login, so the
two can be joined.

A login that proves to be such a hash is a donation whatever its agent is, and the finding names the donor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sensor.model.finding import Finding, Wallet
from sensor.wallets import DONATION_LOGIN, donation_login


def may_donate(finding: Finding) -> bool:
    """Whether its login has the form of a donation's."""
    return finding.login is not None and DONATION_LOGIN.fullmatch(finding.login) is not None


def name_donor(finding: Finding, logins: Iterable[str]) -> None:
    """Mark a finding, and give as a reason, whose donation it is; `logins` are those of the same miner address."""
    for login in sorted(logins):
        if donation_login(login) == finding.login:
            finding.donation, finding.coin, finding.wallet = True, None, Wallet(None, "account")
            finding.reasons = (*finding.reasons, f"its login is the Keccak-256 of {login}, for whom it donates")


def name_donors(findings: Sequence[Finding]) -> None:
    """The same for all findings of a run."""
    logins: dict[str, set[str]] = {finding.miner_ip: set() for finding in findings if may_donate(finding)}
    for finding in findings if logins else ():
        if finding.login and finding.miner_ip in logins:
            logins[finding.miner_ip].add(finding.login)
    for finding in findings if logins else ():
        if may_donate(finding):
            name_donor(finding, logins[finding.miner_ip])
