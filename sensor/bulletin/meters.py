"""Which mining stands behind which meter: readings by the name of an enterprise or of premises, lines of the ledger by
their site. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sensor.bulletin.owners import OwnerDisplay
from sensor.meter import crosscheck
from sensor.meter.crosscheck import ExpectedLoad
from sensor.meter.readings import MeterReading
from sensor.model.figures import MeterCheck
from sensor.model.summary import Line, SiteSummary, Summary, energy
from sensor.model.time import HOUR_NS
from sensor.sheets.text import comparable


def check_meters(
    summary: Summary, readings: Mapping[str, tuple[MeterReading, ...]], owners: OwnerDisplay
) -> tuple[MeterCheck, ...]:
    """A verdict for every meter, in the order of their names. Persons lose theirs."""
    checks = []
    for meter in sorted(readings):
        sites = [site for site in summary.sites.values() if comparable(meter) in _names(site)]
        holders = {site.enterprise.enterprise_id if site.enterprise else "" for site in sites}
        why_not = "several-owners" if len(holders) > 1 else "no-mining"
        site_ids = {site.site_id for site in sites}
        lines = [line for line in summary.lines if line.site_id in site_ids] if len(holders) == 1 else []
        expected = _expected_load(summary, lines, owners, sites[0]) if lines else None
        hidden = any(site.enterprise and site.enterprise.individual for site in sites) and not owners.name_persons
        checks.append(crosscheck.check("" if hidden else meter, readings[meter], expected, why_not))
    return tuple(checks)


def _names(site: SiteSummary) -> set[str]:
    """What a meter of this site may be filed under."""
    enterprise, place = site.enterprise, site.site
    names = [enterprise.name, enterprise.uscc, *enterprise.aliases] if enterprise else []
    return {comparable(name) for name in (*names, place.address if place else None) if name}


def _expected_load(summary: Summary, lines: list[Line], owners: OwnerDisplay, site: SiteSummary) -> ExpectedLoad:
    """What the lines should show on a meter. Time without coverage is taken to be like the rest."""
    coverage = min(1.0, (summary.coverage_seconds or summary.seconds) / summary.seconds)
    kwh = energy(lines).scaled(1.0 / coverage)
    began_ns = min(line.first_ns for line in lines)
    hours = max(summary.to_ns - max(began_ns, summary.from_ns), HOUR_NS) / HOUR_NS
    return ExpectedLoad(
        summary.from_ns, summary.to_ns, kwh, kwh.scaled(1000.0 / hours), began_ns, coverage, owners.of(site)
    )
