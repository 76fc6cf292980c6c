"""Attribution as it may be shown to others: persons lose name, street, account and machine; organisations do not.

Pure: a record in, a copy out. A person is whoever the books call an individual; an account or a machine may lead to
one and goes as well.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re

from exporters.redaction.inside import HIDDEN, is_inside
from sensor.model.attribution import Attribution, Claim, Enterprise, HolderStretch, Site
from sensor.model.finding import Finding

#: Members of a claim's detail that lead to a person or into a network.
_PERSONAL = frozenset({"contact", "certificate", "machine", "subscriber", "gateway"})
_NUMBER = re.compile(
    r"(?<![0-9a-fA-F:.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![0-9a-fA-F:.]*[0-9a-fA-F:])"
)


def redacted_attribution(answer: Attribution) -> Attribution:
    """A copy without what leads to a person, or to an address inside."""
    secrets = _secrets(answer)
    return dataclasses.replace(
        answer,
        enterprise=_enterprise(answer.enterprise),
        site=_site(answer.site, answer.enterprise),
        reasons=tuple(_text(reason, secrets) for reason in answer.reasons),
        claims=tuple(_claim(claim, secrets) for claim in answer.claims),
    )


def redacted_holders(holders: tuple[HolderStretch, ...]) -> tuple[HolderStretch, ...]:
    """The same of whose an address was by stretches of time."""
    return tuple(
        dataclasses.replace(stretch, attribution=redacted_attribution(stretch.attribution)) for stretch in holders
    )


def without_persons(finding: Finding) -> Finding:
    """The finding; if its address is or was a person's, without what leads to them."""
    answers = (finding.attribution, *(stretch.attribution for stretch in finding.holders))
    if not any(answer is not None and _people(answer) for answer in answers):
        return finding
    attribution = finding.attribution and redacted_attribution(finding.attribution)
    return dataclasses.replace(finding, attribution=attribution, holders=redacted_holders(finding.holders))


def answer_without_persons(
    answer: Attribution, others: list[tuple[Claim, str]]
) -> tuple[Attribution, list[tuple[Claim, str]]]:
    """An answer, and the rows of books that do not hold with the reason of each, without what leads to a person."""
    named = (*_people(answer), *(claim.enterprise for claim, _ in others if claim.enterprise))
    if not any(enterprise.individual for enterprise in named):
        return answer, others
    whole = dataclasses.replace(answer, claims=(*answer.claims, *(claim for claim, _ in others)))
    hidden = redacted_attribution(whole)
    count = len(answer.claims)
    reasons = [_text(why, _secrets(whole)) for _, why in others]
    rows = list(zip(hidden.claims[count:], reasons, strict=True))
    return dataclasses.replace(hidden, claims=hidden.claims[:count]), rows


def _people(answer: Attribution) -> list[Enterprise]:
    """The persons among those whom the answer and its claims name."""
    named = (answer.enterprise, *(claim.enterprise for claim in answer.claims))
    return [enterprise for enterprise in named if enterprise is not None and enterprise.individual]


def _secrets(answer: Attribution) -> list[str]:
    """Names and accounts that no text may hold, long ones first."""
    people = _people(answer)
    found = {name for person in people for name in (person.name, *person.aliases)}
    found |= {claim.subscriber for claim in answer.claims if claim.subscriber}
    found |= {claim.detail[name] for claim in answer.claims for name in _PERSONAL & claim.detail.keys()}
    return sorted((text for text in found if text), key=len, reverse=True)


def _enterprise(enterprise: Enterprise | None) -> Enterprise | None:
    if enterprise is None or not enterprise.individual:
        return enterprise
    return Enterprise(HIDDEN, HIDDEN, None, enterprise.category, None, enterprise.identified_by)


def _site(site: Site | None, enterprise: Enterprise | None) -> Site | None:
    if site is None or enterprise is None or not enterprise.individual:
        return site
    return dataclasses.replace(site, address=None)


def _claim(claim: Claim, secrets: list[str]) -> Claim:
    return dataclasses.replace(
        claim,
        allocation=_text(claim.allocation, []),
        reason=_text(claim.reason, secrets),
        enterprise=_enterprise(claim.enterprise),
        site=_site(claim.site, claim.enterprise),
        subscriber=claim.subscriber and HIDDEN,
        detail={name: _text(value, secrets) for name, value in claim.detail.items() if name not in _PERSONAL},
    )


def _text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _NUMBER.sub(lambda found: HIDDEN if _inside(found[0]) else found[0], text)


def _inside(text: str) -> bool:
    try:
        return is_inside(ipaddress.ip_address(text))
    except ValueError:
        return False
