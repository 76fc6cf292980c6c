"""Which mining stands behind which meter: readings by the name of an enterprise or of premises, lines of the ledger by their site. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sensor.bulletin.owners import Owners
from sensor.meter import crosscheck
from sensor.meter.crosscheck import Mining
from sensor.meter.readings import Reading
from sensor.model.figures import MeterCheck
from sensor.model.summary import Line, SiteSummary, Summary, energy
from sensor.sheets.text import comparable

HOUR_NS = 3_600_000_000_000


def checks(summary: Summary, readings: Mapping[str, tuple[Reading, ...]], owners: Owners) -> tuple[MeterCheck, ...]:
    """A verdict for every meter, in the order of their names. Persons lose theirs."""
    made = []
    for meter in sorted(readings):
        sites = [site for site in summary.sites.values() if comparable(meter) in _names(site)]
        holders = {site.enterprise.enterprise_id if site.enterprise else "" for site in sites}
        why_not = "several-owners" if len(holders) > 1 else "no-mining"
        wanted = {site.site_id for site in sites}
        lines = [line for line in summary.lines if line.site_id in wanted] if len(holders) == 1 else []
        mining = _mining(summary, lines, owners, sites[0]) if lines else None
        hidden = any(site.enterprise and site.enterprise.individual for site in sites) and not owners.name_persons
        made.append(crosscheck.check("" if hidden else meter, readings[meter], mining, why_not))
    return tuple(made)


def _names(site: SiteSummary) -> set[str]:
    """What a meter of this site may be filed under."""
    enterprise, place = site.enterprise, site.site
    names = [enterprise.name, enterprise.uscc, *enterprise.aliases] if enterprise else []
    return {comparable(name) for name in (*names, place.address if place else None) if name}


def _mining(summary: Summary, lines: list[Line], owners: Owners, site: SiteSummary) -> Mining:
    """What the lines should show on a meter. Time that was not watched is taken to be like the rest."""
    watched = min(1.0, (summary.watched_seconds or summary.seconds) / summary.seconds)
    kwh = energy(lines).scaled(1.0 / watched)
    began = min(line.first_ns for line in lines)
    hours = max(summary.to_ns - max(began, summary.from_ns), HOUR_NS) / HOUR_NS
    return Mining(summary.from_ns, summary.to_ns, kwh, kwh.scaled(1000.0 / hours), began, watched, owners.of(site))
