"""Reads the findings of a period that are to be checked: mining of grade `behaves`. SQL in, plain data out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from sensor.ledger.read.owners import UNKNOWN_OWNER, SiteOwner, site_owners
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.store.records import load_finding
from sensor.ledger.store.schema import FINDINGS, MINING
from sensor.line.suppress import lacks_grade
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.summary import Case, CaseSubject
from sensor.model.text import endpoint_text
from sensor.model.unproven import Unlisted, Unproven


class ToCheck(NamedTuple):
    """What there is to be checked: what is listed, and how much more there is."""

    listed: tuple[Unproven, ...]  # by address, then time
    unlisted: tuple[Unlisted, ...]


def to_check(
    connection: Connection,
    from_ns: int,
    to_ns: int,
    known_cases: Mapping[CaseSubject, Case],
    chosen: Selection = ALL,
) -> ToCheck:
    """The findings seen in [from_ns, to_ns), without those that became another finding and those of false alarms; of
    the suppressed ones only how many `least_grade` suppresses, by site."""
    listed: list[tuple[int, Finding]] = []
    unlisted: Counter[int] = Counter()
    columns = (FINDINGS.c.miner_ip, FINDINGS.c.site_id, FINDINGS.c.muted, FINDINGS.c.record)
    within = (FINDINGS.c.last_ns >= from_ns, FINDINGS.c.first_ns < to_ns, FINDINGS.c.grade == int(Grade.BEHAVES))
    for address, site, suppressed, record in connection.execute(
        select(*columns).where(MINING, chosen.findings, *within)
    ):
        site_id = site or 0
        case = known_cases.get(CaseSubject(site_id, "") if site_id else CaseSubject(0, address))
        if case is not None and case.state == "false-alarm":
            continue
        if suppressed is not None and not lacks_grade(suppressed):
            continue
        finding = load_finding(record)
        if finding.merged_into is not None:
            continue
        if suppressed is None:
            listed.append((site_id, finding))
        else:
            unlisted[site_id] += 1
    owners = site_owners(connection, {*unlisted, *(site_id for site_id, _ in listed)})
    listed.sort(key=lambda each: (each[1].miner_ip, each[1].first_ns, each[1].finding_id))
    return ToCheck(
        tuple(_unproven(finding, owners.get(site_id, UNKNOWN_OWNER)) for site_id, finding in listed),
        tuple(Unlisted(owners.get(site_id, UNKNOWN_OWNER).site, unlisted[site_id]) for site_id in sorted(unlisted)),
    )


def _unproven(finding: Finding, owner: SiteOwner) -> Unproven:
    chances = [part.p for part in finding.observations if part.p is not None]
    return Unproven(
        address=finding.miner_ip,
        enterprise=owner.enterprise,
        site=owner.site,
        pool=endpoint_text(finding.pool_ip, finding.pool_port or 0) if finding.pool_ip else None,
        pool_name=finding.pool.name or finding.pool.host or finding.pool_host,
        dialect=finding.dialect,
        confidence=finding.confidence,
        p=min(chances, default=None),
        first_ns=finding.first_ns,
        last_ns=finding.last_ns,
    )
