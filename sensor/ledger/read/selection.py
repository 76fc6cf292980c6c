"""What of a ledger a question is about: a viewer's scope, as conditions of SQL. The one place where scope becomes SQL;
every query that a person's question leads to takes its conditions from here.

What has no place lies in no division, so only who sees everything sees it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import Column, ColumnElement, exists, func, or_, select, true

from sensor.ledger.store.schema import CASES, FINDINGS, MACHINES, SERIES, SITES
from sensor.model.attribution import Attribution, Claim, Site
from sensor.model.finding import Finding
from sensor.model.scope import EVERYWHERE, Scope

#: Digits of a province's code.
PROVINCE = 2


def division_within(column: Column[Any], scope: Scope) -> ColumnElement[bool]:
    """That a column's code of a division is in a scope."""
    if scope.stems is None:
        return true()
    lengths = sorted({len(stem) for stem in scope.stems})
    return or_(
        column.in_(()),  # nothing at all where there is no stem
        *(
            func.substr(column, 1, length).in_([stem for stem in scope.stems if len(stem) == length])
            for length in lengths
        ),
    )


def site_within(column: Column[Any], scope: Scope) -> ColumnElement[bool]:
    """That a column's site is in a scope."""
    if scope.stems is None:
        return true()
    if any(len(stem) <= PROVINCE for stem in scope.stems):
        # Most sites: a database that began with them would look at all their rows instead of those asked for.
        sites = SITES.alias()
        return exists().where(sites.c.site_id == column, division_within(sites.c.division, scope))
    return column.in_(select(SITES.c.site_id).where(division_within(SITES.c.division, scope)))


@dataclasses.dataclass(frozen=True)
class Selection:
    """The conditions of a scope for each table that a question reads."""

    scope: Scope = EVERYWHERE

    @property
    def series(self) -> ColumnElement[bool]:
        """Of roll-ups."""
        return site_within(SERIES.c.site_id, self.scope)

    @property
    def findings(self) -> ColumnElement[bool]:
        """Of findings."""
        return site_within(FINDINGS.c.site_id, self.scope)

    @property
    def cases(self) -> ColumnElement[bool]:
        """Of cases."""
        return site_within(CASES.c.site_id, self.scope)

    @property
    def machines(self) -> ColumnElement[bool]:
        """Of machines."""
        return site_within(MACHINES.c.site_id, self.scope)

    def sites(self, column: Column[Any]) -> ColumnElement[bool]:
        """Of another table's sites."""
        return site_within(column, self.scope)


ALL = Selection()


def finding_within(finding: Finding, scope: Scope) -> Finding:
    """A finding without whom its address belonged to elsewhere: an address may have changed hands over a border."""
    if scope.everywhere:
        return finding
    answer = finding.attribution and answer_within(finding.attribution, scope)
    holders = tuple(
        dataclasses.replace(stretch, attribution=answer_within(stretch.attribution, scope))
        for stretch in finding.holders
        if scope.holds(_division(stretch.attribution.site))
    )
    return dataclasses.replace(finding, attribution=answer, holders=holders)


def answer_within(answer: Attribution, scope: Scope) -> Attribution:
    """An answer without what is said of holders elsewhere."""
    if scope.everywhere:
        return answer
    claims = tuple(claim for claim in answer.claims if _claim_within(claim, scope))
    if not scope.holds(_division(answer.site)):
        answer = dataclasses.replace(answer, result="unknown", enterprise=None, site=None)
    if len(claims) == len(answer.claims):
        return answer
    # The reasons speak of all claims; which of them is of whom cannot be told from the text.
    return dataclasses.replace(answer, claims=claims, reasons=())


def _claim_within(claim: Claim, scope: Scope) -> bool:
    return (claim.enterprise is None and claim.site is None) or scope.holds(_division(claim.site))


def _division(site: Site | None) -> str | None:
    return site.division if site else None
