"""Which findings are told and which are only kept: thresholds, and an allow-list of what is known and wanted. Sans-IO.

What is kept quiet still stands in the ledger, with the reason: nothing is hidden, it is not sent.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable

from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.settings.sections import AllowEntry, FindingsSettings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Policy:
    """The section `findings` as a question: why is this not told?"""

    def __init__(self, settings: FindingsSettings) -> None:
        self._least = next(grade for grade in Grade if grade.label == settings.least_grade)
        self._settings = settings
        self._networks = {
            number: ipaddress.ip_network(one.network) for number, one in enumerate(settings.allow) if one.network
        }

    def quiet(self, findings: Iterable[Finding], today: datetime.date) -> dict[str, str]:
        """By identity, the findings that are not told, and why."""
        reasons = {one.finding_id: self.why_quiet(one, today) for one in findings}
        return {identity: reason for identity, reason in reasons.items() if reason is not None}

    def why_quiet(self, finding: Finding, today: datetime.date) -> str | None:
        """Why a finding is not told; None if it is."""
        for number, entry in enumerate(self._settings.allow):
            if (entry.until is None or today <= entry.until) and self._fits(number, entry, finding):
                return f"allowed: {entry.reason}" + (f" (until {entry.until})" if entry.until else "")
        if finding.grade < self._least:
            return f"its grade {finding.grade.label} is below {self._settings.least_grade}"
        if finding.confidence < self._settings.least_confidence:
            return f"its confidence {finding.confidence:g} is below {self._settings.least_confidence:g}"
        return None

    def entries(self, address: str) -> list[AllowEntry]:
        """The entries of the allow-list whose network holds an address, those that have expired too."""
        asked = _address(address)
        return [
            self._settings.allow[number]
            for number, network in self._networks.items()
            if asked is not None and asked in network
        ]

    def _fits(self, number: int, entry: AllowEntry, finding: Finding) -> bool:
        if number in self._networks:
            ends = (_address(finding.miner_ip), _address(finding.pool_ip))
            return any(end is not None and end in self._networks[number] for end in ends)
        if entry.domain is not None:
            return _below(finding.pool.host, entry.domain)
        if entry.wallet is not None:
            return entry.wallet in _logins(finding)
        if entry.enterprise is not None:
            return entry.enterprise in _owners(finding)
        return entry.signature in (finding.dialect, str(finding.signature_id))


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _below(host: str | None, domain: str) -> bool:
    """Whether a host (with or without port) is the domain or below it."""
    name = (host or "").partition(":")[0].lower().rstrip(".")
    wanted = domain.lower().strip(".")
    return name == wanted or name.endswith(f".{wanted}")


def _logins(finding: Finding) -> set[str]:
    known = {finding.login, (finding.login or "").partition(".")[0]}
    if finding.wallet is not None:
        known.add(finding.wallet.address)
    return {name for name in known if name}


def _owners(finding: Finding) -> set[str]:
    owner = finding.attribution.enterprise if finding.attribution is not None else None
    return set() if owner is None else {owner.name, *owner.aliases, *([owner.uscc] if owner.uscc else [])}
