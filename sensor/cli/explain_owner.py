"""Whose an address was, as `minewatch explain` prints it: the answer, its reasons, every claim."""

from __future__ import annotations

from exporters.forms.documents.labels import CATEGORIES
from exporters.forms.documents.languages import Language
from exporters.forms.report.rows import STANDINGS
from exporters.redaction.inside import HIDDEN
from exporters.redaction.persons import PERSON
from sensor.attribution.answer.claims import scope
from sensor.model.attribution import Attribution, Claim
from sensor.model.text import N_
from sensor.sheets.dates import instant_text

#: Claims that do not hold are shown up to this many; a shared address has thousands.
MAX_OTHER_CLAIMS = 20
#: What an answer is, in words; in English it stands as it is.
RESULTS = {
    "named": N_("holder named"),
    "shared": N_("address shared"),
    "conflict": N_("books disagree"),
    "unknown": N_("holder unknown"),
}


def show_attribution(answer: Attribution, others: list[tuple[Claim, str]], language: Language) -> None:
    """The answer, the reasons for it, the claims, and the rows of that address that do not hold."""
    _ = language.translate
    _show_enterprise(answer, language)
    print("\n" + _("Why"))
    for reason in answer.reasons:
        print(f"  {language.recorded(reason)}")
    if answer.claims:
        print("\n" + _("Claims"))
    for claim in answer.claims:
        worth = language.label(claim.standing, STANDINGS)
        print(f"  {worth:<8} {claim.strength:<5g} {_claim_text(claim, language)}")
    if others:
        print("\n" + _("Rows of that address that do not hold"))
    for claim, why in others[:MAX_OTHER_CLAIMS]:
        print(f"  {language.recorded(why)}: {_claim_text(claim, language)}")
    if len(others) > MAX_OTHER_CLAIMS:
        print("  " + _("and {count} more").format(count=f"{len(others) - MAX_OTHER_CLAIMS:,}"))


def _show_enterprise(answer: Attribution, language: Language) -> None:
    _ = language.translate
    print("\n" + _("Whose ({result})").format(result=language.label(answer.result, RESULTS)))
    if answer.enterprise is None:
        print("  " + _("nobody is named"))
        return
    enterprise, site = answer.enterprise, answer.site
    name = _(PERSON) if enterprise.name == HIDDEN else enterprise.name
    category = enterprise.category and language.label(enterprise.category, CATEGORIES)
    print(f"  {', '.join(filter(None, (name, enterprise.uscc, category)))}")
    if site is not None:
        print("  " + " ".join(filter(None, (site.division, site.division_name, site.address))))


def _claim_text(claim: Claim, language: Language) -> str:
    _ = language.translate
    subject = claim.enterprise.name if claim.enterprise else ""
    if not claim.enterprise and claim.subscriber:
        subject = _("subscriber {account}").format(account=claim.subscriber)
    details = ", ".join(f"{name} {value}" for name, value in claim.detail.items())
    as_of = "" if claim.as_of_ns is None else _("as of {time}").format(time=instant_text(claim.as_of_ns))
    fields = (f"{claim.source} {claim.place}", language.details(scope(claim)), _period(claim, language), subject)
    return " | ".join(filter(None, (*fields, language.details(details), as_of)))


def _period(claim: Claim, language: Language) -> str:
    """Since when and until when a claim holds; empty if always."""
    _ = language.translate
    first = "" if claim.valid_from_ns is None else _("from {time}").format(time=instant_text(claim.valid_from_ns))
    last = "" if claim.valid_until_ns is None else _("until {time}").format(time=instant_text(claim.valid_until_ns))
    return " ".join(filter(None, (first, last)))
