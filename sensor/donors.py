"""Whose donation a donation session is: XMRig names its user there by the Keccak-256 of the user's own login, so the two can be joined.

Works on finished findings. A login that proves to be such a hash is a donation whatever its agent says, and it is said of whom.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.records import Finding, Wallet
from sensor.wallets import DONATION_LOGIN, donation_login


def name_donors(findings: Sequence[Finding]) -> None:
    """Mark, and give as a reason, which login of the same miner address a donation is for."""
    by_miner: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.login and DONATION_LOGIN.fullmatch(finding.login):
            by_miner.setdefault(finding.miner_ip, []).append(finding)
    for finding in findings if by_miner else ():
        if finding.miner_ip not in by_miner or not finding.login:
            continue
        name = donation_login(finding.login)
        for donation in by_miner[finding.miner_ip]:
            if donation.login == name:
                donation.donation, donation.coin, donation.wallet = True, None, Wallet(None, "account")
                donation.reasons = (*donation.reasons, f"its login is the Keccak-256 of {finding.login}, for whom it donates")
