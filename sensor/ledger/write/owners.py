"""Enterprises, sites and whose an address was, from the findings of one step. SQL within the step's transaction;
decides nothing.

A site is known by its enterprise, address and division together; row 0 stands for "nobody is named". Where books call
an address shared and name nobody, each subscriber is a site without an enterprise: what is known, decided and done
about one is not the others'.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from sensor.ledger.store.records import column_text, dump_attribution, dump_enterprise
from sensor.ledger.store.schema import ADDRESSES, ENTERPRISES, SITES
from sensor.ledger.write.holders import HolderSites, SiteStretch
from sensor.ledger.write.upsert import upsert
from sensor.model.attribution import Attribution, Enterprise, Site
from sensor.model.finding import Finding


class SiteRef(NamedTuple):
    """The site an address belongs to: 0 and not named where nobody knows. One of several subscribers behind an address
    has a site of its own, without an enterprise."""

    site_id: int = 0
    named: bool = False  # whether its enterprise is


NO_SITE = SiteRef()
#: Before all times of packets.
ALWAYS = -(1 << 62)
#: Subscribers of one address that are told apart; a sender can make up as many logins as it likes.
MAX_SUBSCRIBERS = 16
#: What stands before the address of a subscriber's site.
SUBSCRIBER_OF = "one of several behind "


class OwnerStretch(NamedTuple):
    """The site of an address from one moment until before another."""

    from_ns: int
    to_ns: int
    site: SiteRef
    wholly: bool  # whether the address was its site's by every port


class Owners(NamedTuple):
    """The sites of a finding's address over time."""

    stretches: tuple[OwnerStretch, ...]  # empty: always `last`
    last: SiteRef

    def at(self, from_ns: int) -> SiteRef:
        """The site at a moment."""
        if not self.stretches:
            return self.last
        its = (stretch.site for stretch in self.stretches if stretch.from_ns <= from_ns < stretch.to_ns)
        return next(its, NO_SITE)

    def wholly_since(self, site: SiteRef) -> int | None:
        """From when on the address is a site's by every port, without another holder since; None: it is not."""
        if not self.stretches:
            return ALWAYS if site.named else None
        since_ns = None
        for stretch in self.stretches:
            if stretch.site != site or not stretch.wholly:
                since_ns = None
            elif since_ns is None:
                since_ns = stretch.from_ns
        return since_ns

    @property
    def sites(self) -> HolderSites:
        """The same by numbers."""
        numbers = tuple(SiteStretch(from_ns, to_ns, site.site_id) for from_ns, to_ns, site, _ in self.stretches)
        sites = {self.last, *(stretch.site for stretch in self.stretches)}
        unnamed = frozenset(site.site_id for site in sites if not site.named)
        return HolderSites(numbers, 0 if numbers else self.last.site_id, unnamed)


class _AddressKey(NamedTuple):
    address: str
    site_id: int


class _Seen(NamedTuple):
    first_ns: int
    last_ns: int


class OwnerWriter:
    """The owners of one step."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sites: dict[str, SiteRef] = {}  # by the hash that tells sites apart
        self._enterprises: set[str] = set()
        self._addresses: dict[_AddressKey, _Seen] = {}

    def add(self, finding: Finding) -> Owners:
        """The sites of a finding's miner; sites and the address are written."""
        owners = self.of(finding)
        if not owners.stretches and finding.attribution is not None:
            self._write_address(finding, finding.attribution, owners.last, _Seen(finding.first_ns, finding.last_ns))
        for stretch, (*_, site, _) in zip(finding.holders, owners.stretches, strict=True):
            seen = _Seen(max(finding.first_ns, stretch.from_ns), min(finding.last_ns, stretch.to_ns))
            if seen.first_ns <= seen.last_ns:
                self._write_address(finding, stretch.attribution, site, seen)
        return owners

    def of(self, finding: Finding) -> Owners:
        """The sites of a finding's miner; the sites are written."""
        stretches = tuple(
            OwnerStretch(its.from_ns, its.to_ns, self._site_of(its.attribution, finding), its.wholly)
            for its in finding.holders
        )
        return Owners(stretches, stretches[-1].site if stretches else self._site_of(finding.attribution, finding))

    def _site_of(self, attribution: Attribution | None, finding: Finding) -> SiteRef:
        if attribution is None:
            return NO_SITE
        if attribution.enterprise is None and attribution.site is None:
            return self._subscriber(attribution, finding)
        return self._site(attribution.enterprise, attribution.site)

    def _subscriber(self, attribution: Attribution, finding: Finding) -> SiteRef:
        """The site of one of several behind an address, told by the account of the lease, else by the login; nobody's
        where the address is not shared, or where there are too many."""
        shared = [claim for claim in attribution.claims if claim.standing == "shared" and claim.subscriber]
        if shared:
            who = f"subscriber {shared[0].subscriber}"
        elif attribution.result != "shared" or any(claim.standing == "answer" for claim in attribution.claims):
            return NO_SITE
        else:
            who = f"login {finding.login}"
        place = SUBSCRIBER_OF + finding.miner_ip
        digest = _digest(place, who)
        if digest not in self._sites:
            stored = self._connection.scalar(select(SITES.c.site_id).where(SITES.c.site_key == digest))
            if stored is None:
                its = select(func.count()).where(SITES.c.enterprise_id.is_(None), SITES.c.address == place)
                if (self._connection.scalar(its) or 0) >= MAX_SUBSCRIBERS:
                    return NO_SITE
                stored = self._insert({"site_key": digest, "address": place})
            self._sites[digest] = SiteRef(stored)
        return self._sites[digest]

    def _site(self, enterprise: Enterprise | None, site: Site | None) -> SiteRef:
        """The site in its table; it is inserted if it is new."""
        parts = (enterprise and enterprise.enterprise_id, site and site.address, site and site.division)
        digest = _digest(*parts)
        if digest in self._sites:
            return self._sites[digest]
        if enterprise is not None:
            self._write_enterprise(enterprise)
        site_id = self._connection.scalar(select(SITES.c.site_id).where(SITES.c.site_key == digest))
        if site_id is None:
            row = {
                "site_key": digest,
                "enterprise_id": enterprise and column_text(enterprise.enterprise_id),
                "address": column_text(site.address) if site and site.address else None,
                "division": column_text(site.division) if site and site.division else None,
                "division_name": column_text(site.division_name) if site and site.division_name else None,
            }
            site_id = self._insert(row)
        self._sites[digest] = SiteRef(site_id, enterprise is not None)
        return self._sites[digest]

    def _insert(self, row: Mapping[str, object]) -> int:
        site_id: int | None = self._connection.scalar(insert(SITES).values(**row).returning(SITES.c.site_id))
        assert site_id is not None
        return site_id

    def _write_enterprise(self, enterprise: Enterprise) -> None:
        if enterprise.enterprise_id in self._enterprises:
            return
        self._enterprises.add(enterprise.enterprise_id)
        row = {
            "enterprise_id": column_text(enterprise.enterprise_id),
            "name": column_text(enterprise.name),
            "record": dump_enterprise(enterprise),
        }
        upsert(self._connection, ENTERPRISES, [row], replace=("name", "record"))

    def _write_address(self, finding: Finding, attribution: Attribution, site: SiteRef, seen: _Seen) -> None:
        """Write down whose the address was, if it was seen outside the time that is stored."""
        key = _AddressKey(finding.miner_ip, site.site_id)
        same = (ADDRESSES.c.address == key.address, ADDRESSES.c.site_id == key.site_id)
        stored = self._stored_times(key)
        if stored is not None:
            if seen.first_ns >= stored.first_ns and seen.last_ns <= stored.last_ns:
                return
            seen = _Seen(min(stored.first_ns, seen.first_ns), max(stored.last_ns, seen.last_ns))
        self._addresses[key] = seen
        allocations = (claim.allocation for claim in attribution.claims if claim.standing == "answer")
        values = {
            "result": attribution.result,
            "allocation": next(map(column_text, allocations), None),
            "first_ns": seen.first_ns,
            "last_ns": seen.last_ns,
            "record": dump_attribution(attribution),
        }
        if stored is None:
            self._connection.execute(insert(ADDRESSES).values(**key._asdict(), **values))
        else:
            self._connection.execute(update(ADDRESSES).where(*same).values(values))

    def _stored_times(self, key: _AddressKey) -> _Seen | None:
        if key not in self._addresses:
            same = (ADDRESSES.c.address == key.address, ADDRESSES.c.site_id == key.site_id)
            query = select(ADDRESSES.c.first_ns, ADDRESSES.c.last_ns).where(*same)
            row = self._connection.execute(query).one_or_none()
            if row is None:
                return None
            self._addresses[key] = _Seen(row.first_ns, row.last_ns)
        return self._addresses[key]


def _digest(*parts: object) -> str:
    """What tells sites apart, as one column."""
    return hashlib.sha1(json.dumps(parts).encode(), usedforsecurity=False).hexdigest()
