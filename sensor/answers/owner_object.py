"""Whose an address was, as members of a JSON answer: enterprise, premises, claims. Persons are named only if asked."""

from __future__ import annotations

from exporters.redaction.inside import HIDDEN
from exporters.redaction.persons import shown_site
from sensor.answers.values import instant
from sensor.model.attribution import Attribution, Claim, Enterprise, Site


def enterprise_object(enterprise: Enterprise | None, persons: bool) -> dict[str, object] | None:
    """Who it is; of a person that is not to be named nothing but that it is one (`hidden`)."""
    if enterprise is None:
        return None
    hidden = (enterprise.individual and not persons) or enterprise.name == HIDDEN
    return {
        "enterprise_id": None if hidden else enterprise.enterprise_id,
        "name": None if hidden else enterprise.name,
        "uscc": None if hidden else enterprise.uscc,
        "category": enterprise.category,
        "industry": None if hidden else enterprise.industry,
        "identified_by": enterprise.identified_by,
        "hidden": hidden,
    }


def site_object(enterprise: Enterprise | None, site: Site | None, persons: bool) -> dict[str, object] | None:
    """Where it is; of a person that is not to be named the city alone."""
    shown = shown_site(enterprise, site, persons)
    if shown is None:
        return None
    return {"address": shown.address, "division": shown.division, "division_name": shown.division_name}


def answer_object(answer: Attribution, persons: bool) -> dict[str, object]:
    """An answer whose an address was, with its reasons and claims. Without `persons` it must come redacted."""
    return {
        "result": answer.result,
        "enterprise": enterprise_object(answer.enterprise, persons),
        "site": site_object(answer.enterprise, answer.site, persons),
        "reasons": list(answer.reasons),
        "claims": [claim_object(claim, persons) for claim in answer.claims],
    }


def claim_object(claim: Claim, persons: bool) -> dict[str, object]:
    """What one source says."""
    return {
        "source": claim.source,
        "place": claim.place,
        "as_of": instant(claim.as_of_ns),
        "strength": claim.strength,
        "standing": claim.standing,
        "reason": claim.reason,
        "allocation": claim.allocation,
        "valid_from": instant(claim.valid_from_ns),
        "valid_until": instant(claim.valid_until_ns),
        "first_port": None if claim.ports is None else claim.ports[0],
        "last_port": None if claim.ports is None else claim.ports[1],
        "vrf": claim.vrf,
        "vlan": claim.vlan,
        "interface": claim.interface,
        "enterprise": enterprise_object(claim.enterprise, persons),
        "site": site_object(claim.enterprise, claim.site, persons),
        "subscriber": None if claim.subscriber == HIDDEN else claim.subscriber,
        "detail": dict(claim.detail),
    }
