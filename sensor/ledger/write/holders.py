"""What a record brings, dealt to the holders of its address: each stretch of time to the site that the books name for
it. Pure; knows sites by their numbers, no tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sensor.ledger.store.amounts import Amounts, spread
from sensor.model.coverage import union
from sensor.model.finding import Finding
from sensor.model.time import HOUR_NS


class PresentTime(NamedTuple):
    """A stretch of packet time, in nanoseconds; its end is not in it."""

    from_ns: int
    to_ns: int


class SiteStretch(NamedTuple):
    """The site of an address from one moment until before another."""

    from_ns: int
    to_ns: int
    site_id: int


class HolderSites(NamedTuple):
    """The sites of a finding's address over time."""

    stretches: tuple[SiteStretch, ...] = ()
    otherwise: int = 0  # the site of all other time
    unnamed: frozenset[int] = frozenset()  # sites of which the books name nobody

    def names(self, site_id: int) -> bool:
        """Whether a site has a name."""
        return site_id != 0 and site_id not in self.unnamed

    def within(self, from_ns: int, to_ns: int) -> Iterator[SiteStretch]:
        """The stretches of a time, which they fill."""
        at_ns = from_ns
        for start_ns, end_ns, site_id in self.stretches:
            if end_ns <= at_ns or start_ns >= to_ns:
                continue
            if start_ns > at_ns:
                yield SiteStretch(at_ns, start_ns, self.otherwise)
            yield SiteStretch(max(at_ns, start_ns), min(end_ns, to_ns), site_id)
            at_ns = min(end_ns, to_ns)
        if at_ns < to_ns:
            yield SiteStretch(at_ns, to_ns, self.otherwise)


class Dealt(NamedTuple):
    """What one site gets, and by which weights of hours."""

    site_id: int
    amounts: Amounts
    weights: dict[int, float]


def times_of(finding: Finding) -> list[PresentTime]:
    """When a finding was there, without overlap: the times of its listed connections."""
    times = united(PresentTime(flow.first_ns, flow.last_ns) for flow in finding.flows)
    return times or [PresentTime(finding.first_ns, max(finding.last_ns, finding.first_ns + 1))]


def united(spans: Iterable[PresentTime]) -> list[PresentTime]:
    """Stretches of time in order, those that meet joined: what is in several of them counts once."""
    return [PresentTime(*span) for span in union(spans)]


def by_hour(times: Iterable[PresentTime]) -> dict[int, float]:
    """The hours that times lie in, with the nanoseconds of each."""
    hours: dict[int, float] = defaultdict(float)
    for from_ns, to_ns in times:
        for hour in range(from_ns // HOUR_NS, max(from_ns, to_ns - 1) // HOUR_NS + 1):
            hours[hour] += min(to_ns, (hour + 1) * HOUR_NS) - max(from_ns, hour * HOUR_NS)
    return dict(hours)


def deal(amounts: Amounts, times: Sequence[PresentTime], sites: HolderSites) -> list[Dealt]:
    """Deal an amount of some time out to the sites of that time. The parts add up to the whole."""
    weights = _weights(times, sites)
    parts = spread(amounts, {site_id: sum(hours.values()) for site_id, hours in weights.items()})
    return [Dealt(site_id, parts[site_id], weights[site_id]) for site_id in sorted(weights)]


def _weights(times: Iterable[PresentTime], sites: HolderSites) -> dict[int, dict[int, float]]:
    pieces: dict[int, list[PresentTime]] = defaultdict(list)
    for from_ns, to_ns in times:
        for stretch in sites.within(from_ns, to_ns):
            pieces[stretch.site_id].append(PresentTime(stretch.from_ns, stretch.to_ns))
    return {site_id: by_hour(spans) for site_id, spans in pieces.items()}
