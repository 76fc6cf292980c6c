"""Which findings are sent and which are suppressed: by thresholds, and by an allow-list of what is expected. Sans-IO.

A finding in which nothing was spoken is only sent where `least_grade` is not above its grade: names and behaviour are
no proof. A suppressed finding is recorded in the ledger with its reason; it is only not sent.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sensor.model.address import Address, parse_address, parse_network
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.text import N_

if TYPE_CHECKING:
    from sensor.settings.sections import AllowEntry

#: Why what is no mining is not reported.
NOT_MINING: dict[str, str] = {
    "attempt": N_("an attempt: it was not let in, or not answered"),
    "observer": N_("an observer: it sent no share, and the smallest machine would have"),
    "probe": N_("a probe: it was answered, sent no share, and left"),
}


#: How the two reasons of a grade that is too weak begin.
UNSPOKEN, WEAK = "nothing was spoken, and least_grade is ", "its grade "


def lacks_grade(reason: str) -> bool:
    """Whether a reason that `Suppression` gave is that the grade is below `least_grade`."""
    return reason.startswith((UNSPOKEN, WEAK))


class SuppressionRules(Protocol):
    """What of the configuration's section `findings` says which are sent."""

    @property
    def activities(self) -> Sequence[str]: ...
    @property
    def least_grade(self) -> str: ...
    @property
    def least_confidence(self) -> float: ...
    @property
    def allow(self) -> Sequence[AllowEntry]: ...


@dataclass(frozen=True, slots=True)
class UsualSuppression:
    """The rules where nothing is configured."""

    activities: Sequence[str] = ("mining",)
    least_grade: str = "speaks"
    least_confidence: float = 0.0
    allow: Sequence[AllowEntry] = ()


USUAL_SUPPRESSION = UsualSuppression()


class Suppression:
    """The rules of the configuration's section `findings`."""

    def __init__(self, settings: SuppressionRules = USUAL_SUPPRESSION) -> None:
        self._least = next(grade for grade in Grade if grade.label == settings.least_grade)
        self._settings = settings
        self._networks = {
            number: parse_network(entry.network) for number, entry in enumerate(settings.allow) if entry.network
        }

    def reasons(self, findings: Iterable[Finding], today: datetime.date) -> dict[str, str]:
        """By identity, the findings that are suppressed, and why."""
        reasons = {finding.finding_id: self.reason(finding, today) for finding in findings}
        return {identity: reason for identity, reason in reasons.items() if reason is not None}

    def reason(self, finding: Finding, today: datetime.date) -> str | None:
        """Why a finding is suppressed on this day; None if it is sent."""
        for number, entry in enumerate(self._settings.allow):
            if (entry.until is None or today <= entry.until) and self._fits(number, entry, finding):
                form = N_("allowed: {why} (until {until})") if entry.until else N_("allowed: {why}")
                return form.format(why=entry.reason, until=entry.until)
        if finding.activity not in (None, "mining"):
            return None if finding.activity in self._settings.activities else NOT_MINING[finding.activity]
        if finding.dialect is None and finding.grade < self._least and self._least >= Grade.BEHAVES:
            return N_("nothing was spoken, and least_grade is {grade}").format(grade=self._settings.least_grade)
        if finding.grade < self._least:
            return N_("its grade {grade} is below {least_grade}").format(
                grade=finding.grade.label, least_grade=self._settings.least_grade
            )
        if finding.confidence < self._settings.least_confidence:
            return N_("its confidence {confidence} is below {least}").format(
                confidence=f"{finding.confidence:g}", least=f"{self._settings.least_confidence:g}"
            )
        return None

    def heard(self, records: Iterable[Record], today: datetime.date) -> list[Record]:
        """The records without findings in which nothing was spoken, unless those are sent: what a replay shows."""
        return [
            record
            for record in records
            if not isinstance(record, Finding) or record.dialect is not None or self.reason(record, today) is None
        ]

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


def _address(text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return parse_address(text)
    except ValueError:
        return None


def _below(host: str | None, domain: str) -> bool:
    """Whether a host (with or without port) is the domain or below it."""
    name = (host or "").partition(":")[0].lower().rstrip(".")
    wanted = domain.lower().strip(".")
    return name == wanted or name.endswith(f".{wanted}")


def _logins(finding: Finding) -> set[str]:
    logins = {finding.login, (finding.login or "").partition(".")[0]}
    if finding.wallet is not None:
        logins.add(finding.wallet.address)
    return {name for name in logins if name}


def _owners(finding: Finding) -> set[str]:
    owner = finding.attribution.enterprise if finding.attribution is not None else None
    return set() if owner is None else {owner.name, *owner.aliases, *([owner.uscc] if owner.uscc else [])}
