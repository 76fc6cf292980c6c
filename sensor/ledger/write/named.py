"""What others' records say of an enterprise or a person: taken out of them, while the rest of each stays. SQL within
one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from sensor.ledger.store.records import dump_attribution, dumps, load_attribution, loads, packed
from sensor.ledger.store.schema import ADDRESSES, FINDINGS, PARTS
from sensor.model.attribution import Attribution
from sensor.model.finding import Finding

#: What stands where something was forgotten.
FORGOTTEN = "(forgotten)"


class NamedSubject(NamedTuple):
    """An enterprise or a person, and the texts that lead to it."""

    enterprise_id: str
    texts: tuple[str, ...]

    def hidden_in(self, text: str) -> str:
        """A text without them."""
        for secret in sorted(filter(None, self.texts), key=len, reverse=True):
            text = text.replace(secret, FORGOTTEN)
        return text


def rewrite_others(connection: Connection, subject: NamedSubject) -> int:
    """Answers about addresses of others lose the claims that name it: books may have disagreed; how many
    records did."""
    rewritten = 0
    named = ADDRESSES.c.record.contains(f'"{subject.enterprise_id}"', autoescape=True)
    for row in connection.execute(select(ADDRESSES).where(named)).all():
        same = (ADDRESSES.c.address == row.address, ADDRESSES.c.site_id == row.site_id)
        answer = _without(load_attribution(row.record), subject)
        connection.execute(update(ADDRESSES).where(*same).values(record=dump_attribution(answer)))
        rewritten += 1
        for table in (FINDINGS, PARTS):
            ids = select(FINDINGS.c.finding_id).where(FINDINGS.c.miner_ip == row.address)
            keys = list(table.primary_key)
            query = select(*keys, table.c.record).where(table.c.finding_id.in_(ids), table.c.record.is_not(None))
            for found in connection.execute(query).all():
                record = loads(found.record)
                if isinstance(record, Finding) and names(record, subject.enterprise_id):
                    same_row = [key == value for key, value in zip(keys, found, strict=False)]
                    values = {"record": packed(dumps(_finding_without(record, subject)))}
                    rewritten += connection.execute(update(table).where(*same_row).values(values)).rowcount
    return rewritten


def names(finding: Finding, enterprise_id: str) -> bool:
    """Whether the answer of a finding, or a claim of it, names somebody."""
    answer = finding.attribution
    named = [] if answer is None else [answer.enterprise, *(claim.enterprise for claim in answer.claims)]
    return any(enterprise is not None and enterprise.enterprise_id == enterprise_id for enterprise in named)


def _finding_without(finding: Finding, subject: NamedSubject) -> Finding:
    answer = finding.attribution
    return replace(finding, attribution=answer and _without(answer, subject))


def _without(answer: Attribution, subject: NamedSubject) -> Attribution:
    """An answer without the claims that name somebody; what is left names them in no text."""
    claims = tuple(
        replace(
            claim,
            reason=subject.hidden_in(claim.reason),
            site=claim.site
            and replace(claim.site, address=claim.site.address and subject.hidden_in(claim.site.address)),
            detail={name: subject.hidden_in(value) for name, value in claim.detail.items()},
        )
        for claim in answer.claims
        if claim.enterprise is None or claim.enterprise.enterprise_id != subject.enterprise_id
    )
    if answer.enterprise is not None and answer.enterprise.enterprise_id == subject.enterprise_id:
        answer = replace(answer, enterprise=None, site=None, result="unknown")
    return replace(answer, claims=claims, reasons=tuple(map(subject.hidden_in, answer.reasons)))
