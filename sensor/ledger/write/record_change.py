"""A record as it came, with whose its address was at which time. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.ledger.write.holders import HolderSites, PresentTime, SiteStretch, times_of
from sensor.ledger.write.owners import Owners, SiteRef
from sensor.model.finding import Finding


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record as it came, with whose its address was."""

    record: Finding
    owners: Owners
    earlier: HolderSites | None = None  # whose it was by the same run's record before
    news: tuple[PresentTime, ...] | None = None  # when its connections were there since that; None: there was none
    suppressed_sites: Mapping[int, bool] = field(default_factory=dict)  # by site, where there are several

    @property
    def pieces(self) -> list[SiteStretch]:
        """The time since the record before, by holders, in order."""
        sites = self.owners.sites
        return [piece for span in self.news or times_of(self.record) for piece in sites.within(*span)]

    def in_time_of(self, finding: Finding, site: SiteRef) -> Finding:
        """A finding with the first and the last time that are of one site."""
        pieces = [
            piece
            for span in times_of(self.record)
            for piece in self.owners.sites.within(*span)
            if self.owners.at(piece.from_ns) == site
        ]
        first_ns, last_ns = (pieces[0].from_ns, pieces[-1].to_ns) if pieces else (finding.first_ns, finding.last_ns)
        return dataclasses.replace(finding, first_ns=first_ns, last_ns=min(last_ns, self.record.last_ns))
