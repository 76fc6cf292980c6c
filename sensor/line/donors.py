"""Whose donation a donation session is: XMRig names its user there by the Keccak-256 of the user's own login, so the
two can be joined.

A login that proves to be such a hash is a donation whatever its agent is, and the finding names the donor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sensor.model.finding import Finding, Wallet
from sensor.model.text import N_
from sensor.wallets import DONATION_LOGIN, donation_login


def may_donate(finding: Finding) -> bool:
    """Whether its login has the form of a donation's."""
    return finding.login is not None and DONATION_LOGIN.fullmatch(finding.login) is not None


class Donors:
    """The logins of each miner's address, by what the login of their donations would be: each is hashed once."""

    def __init__(self) -> None:
        self._by_donation: dict[str, dict[str, str]] = {}
        self._uses: Counter[tuple[str, str]] = Counter()  # findings of an address and a login

    def add(self, miner_ip: str, login: str | None) -> None:
        """A finding of this address has this login."""
        if login:
            self._uses[miner_ip, login] += 1
            if self._uses[miner_ip, login] == 1:
                self._by_donation.setdefault(miner_ip, {})[donation_login(login)] = login

    def remove(self, miner_ip: str, login: str | None) -> None:
        """Such a finding is over."""
        if not login:
            return
        self._uses[miner_ip, login] -= 1
        if not self._uses[miner_ip, login]:
            del self._uses[miner_ip, login], self._by_donation[miner_ip][donation_login(login)]
            if not self._by_donation[miner_ip]:
                del self._by_donation[miner_ip]

    def name(self, finding: Finding) -> None:
        """Mark a finding, and give as a reason, whose donation it is, if it is one."""
        login = self._by_donation.get(finding.miner_ip, {}).get(finding.login or "") if may_donate(finding) else None
        if login is not None:
            finding.donation, finding.coin, finding.wallet = True, None, Wallet(None, "account")
            why = N_("its login is the Keccak-256 of {login}, for whom it donates").format(login=login)
            finding.reasons = (*finding.reasons, why)


def name_donors(findings: Sequence[Finding]) -> None:
    """Name those of all findings of a run."""
    asked = {finding.miner_ip for finding in findings if may_donate(finding)}
    donors = Donors()
    for finding in findings if asked else ():
        if finding.miner_ip in asked:
            donors.add(finding.miner_ip, finding.login)
    for finding in findings if asked else ():
        donors.name(finding)
