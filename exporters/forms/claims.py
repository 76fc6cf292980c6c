"""The answer whose an address was as EVE writes it: enterprise, site, and every claim with source, time and strength.

Pure: a record in, a dict out. What a claim means stands in the project's documents.
"""

from __future__ import annotations

from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from sensor.model.text import file_name
from sensor.model.time import event_text


def encode_attribution(answer: Attribution) -> dict[str, object]:
    """The member `attribution` of an event."""
    return {
        "address": answer.address,
        "port": answer.port,
        "time": event_text(answer.at_ns),
        "result": answer.result,
        "enterprise": _enterprise(answer.enterprise),
        "site": _site(answer.site),
        "reasons": list(answer.reasons),
        "claims": [_claim(claim) for claim in answer.claims],
    }


def _enterprise(enterprise: Enterprise | None) -> dict[str, object] | None:
    if enterprise is None:
        return None
    return {
        "enterprise_id": enterprise.enterprise_id,
        "name": enterprise.name,
        "uscc": enterprise.uscc,
        "category": enterprise.category,
        "industry": enterprise.industry,
        "identified_by": enterprise.identified_by,
    }


def _site(site: Site | None) -> dict[str, object] | None:
    return (
        None
        if site is None
        else {"address": site.address, "division": site.division, "division_name": site.division_name}
    )


def _claim(claim: Claim) -> dict[str, object]:
    return {
        "source": claim.source,
        "place": file_name(claim.place),
        "as_of": _moment(claim.as_of_ns),
        "strength": claim.strength,
        "standing": claim.standing,
        "allocation": claim.allocation,
        "valid_from": _moment(claim.valid_from_ns),
        "valid_until": _moment(claim.valid_until_ns),
        "ports": None if claim.ports is None else list(claim.ports),
        "vrf": claim.vrf,
        "vlan": claim.vlan,
        "interface": claim.interface,
        "enterprise": _enterprise(claim.enterprise),
        "site": _site(claim.site),
        "subscriber": claim.subscriber,
        "detail": dict(claim.detail),
        "reason": claim.reason,
    }


def _moment(ns: int | None) -> str | None:
    return None if ns is None else event_text(ns)
