"""Which mining stands behind which meter: readings by the name of an enterprise or of premises, lines of the ledger by
their site. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sensor.bulletin.owners import OwnerDisplay
from sensor.meter import crosscheck
from sensor.meter.expected import ExpectedLoad, SeenEnergy, SeenMining
from sensor.meter.readings import MeterReading, Meters
from sensor.model.address import canonical
from sensor.model.figures import MeterCheck, Reason
from sensor.model.summary import Line, Range, SiteSummary, Summary, energy
from sensor.model.time import DAY_NS, HOUR_NS
from sensor.sheets.text import comparable

#: What was seen is scaled up to the whole period, as if at least so much of it had been watched.
LEAST_SCALED = 0.5
#: Nothing seen for so long at the end of a period, while the sensor listened for so much of it, is an exit.
EXIT_NS, EXIT_LISTENED = 3 * DAY_NS, 0.8
#: What sensors saw is looked at so long before the first reading and after the last.
MARGIN_NS = 32 * DAY_NS
NOTHING_UNCLEAR: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Behind:
    """The sites that a meter's name fits, and their mining."""

    sites: tuple[SiteSummary, ...]
    lines: tuple[Line, ...]
    gone: tuple[Line, ...]

    @property
    def holders(self) -> int:
        """Different enterprises among them; a site that nobody is named for counts as one."""
        return len({site.enterprise.enterprise_id if site.enterprise else "" for site in self.sites})


def check_meters(
    summary: Summary,
    readings: Mapping[str, tuple[MeterReading, ...]],
    owners: OwnerDisplay,
    seen: SeenMining | None = None,
    unclear: Mapping[str, str] = NOTHING_UNCLEAR,
) -> tuple[MeterCheck, ...]:
    """A verdict for every meter, in the order of their names. Persons lose theirs.

    `seen` is what sensors saw by the hour; without it mining is taken to be even since it began. `unclear` has the
    meters whose readings cannot be used, each with the code of the reason.
    """
    named = _sites_by_name(summary)
    checks = []
    for meter in sorted({*readings, *unclear}):
        behind = _behind(summary, named.get(_key(meter), ()))
        if meter in unclear:
            checked = MeterCheck(meter, "not-comparable", (Reason(unclear[meter]),), None, None)
        else:
            expected = None
            if behind.holders == 1 and (behind.lines or behind.gone):
                expected = _expected_load(summary, behind, owners, seen)
            why_not = "several-owners" if behind.holders > 1 else "no-mining"
            period = (summary.from_ns, summary.to_ns)
            checked = crosscheck.check(meter, readings[meter], expected, why_not, period)
        checks.append(_without_name(checked) if _hidden(behind, owners) else checked)
    return tuple(checks)


def sites_of(summary: Summary, meters: Iterable[str]) -> set[int]:
    """The sites that these meters stand before."""
    named = _sites_by_name(summary)
    return {site.site_id for meter in meters for site in named.get(_key(meter), ())}


def _key(meter: str) -> str:
    """What a meter is found by: a name as it is compared, or an address in the form that records have."""
    try:
        return canonical(meter)
    except ValueError:
        return comparable(meter)


def time_of(meters: Meters) -> tuple[int, int] | None:
    """The time that readings are of, with the margin before and after in which mining matters to them; None without
    readings."""
    ends = [(found[0].from_ns, found[-1].to_ns) for found in meters.readings.values() if found]
    if not ends:
        return None
    return min(first for first, _ in ends) - MARGIN_NS, max(last for _, last in ends) + MARGIN_NS


def _hidden(behind: _Behind, owners: OwnerDisplay) -> bool:
    return not owners.name_persons and any(site.enterprise and site.enterprise.individual for site in behind.sites)


def _without_name(checked: MeterCheck) -> MeterCheck:
    return MeterCheck("", *(getattr(checked, name) for name in MeterCheck.__dataclass_fields__ if name != "meter"))


def _sites_by_name(summary: Summary) -> dict[str, list[SiteSummary]]:
    """Sites by what a meter of theirs may be filed under: names, code, premises, or an address that mines there."""
    found: dict[str, list[SiteSummary]] = {}
    for site in summary.sites.values():
        enterprise, place = site.enterprise, site.site
        names = [enterprise.name, enterprise.uscc, *enterprise.aliases] if enterprise else []
        for name in {comparable(name) for name in (*names, place.address if place else None) if name}:
            found.setdefault(name, []).append(site)
    for line in (*summary.lines, *summary.gone):
        mining_site, its = summary.about(line), found.setdefault(line.address, [])
        if mining_site is not None and mining_site not in its:
            its.append(mining_site)
    return found


def _behind(summary: Summary, sites: Iterable[SiteSummary]) -> _Behind:
    its = tuple(sites)
    site_ids = {site.site_id for site in its}
    lines, gone = (tuple(line for line in some if line.site_id in site_ids) for some in (summary.lines, summary.gone))
    return _Behind(its, lines, gone)


def _expected_load(summary: Summary, behind: _Behind, owners: OwnerDisplay, seen: SeenMining | None) -> ExpectedLoad:
    """What the lines should show on a meter. Time without coverage is taken to be like the rest, up to as much again as
    was watched."""
    coverage = min(1.0, summary.coverage_seconds / summary.seconds)
    kwh = energy(behind.lines).scaled(1.0 / max(coverage, LEAST_SCALED)) if behind.lines else Range()
    began_ns = min(line.first_ns for line in (*behind.lines, *behind.gone))
    hours = max(summary.to_ns - max(began_ns, summary.from_ns), HOUR_NS) / HOUR_NS
    power = kwh.scaled(1000.0 / hours)
    if not behind.lines:  # what was gone mined at the mean of the period before, until it stopped
        power = energy(behind.gone).scaled(1000.0 / (summary.seconds / 3600.0))
    pieces = _pieces(behind, seen)
    ended_ns = _ended(summary, behind, seen)
    if not pieces and ended_ns is not None:
        pieces = (SeenEnergy(began_ns, ended_ns, power.scaled(max(0, ended_ns - began_ns) / HOUR_NS / 1000.0)),)
    listened = seen.listened if seen else None
    owner = owners.of(behind.sites[0])
    return ExpectedLoad(
        summary.from_ns, summary.to_ns, kwh, power, began_ns, coverage, owner, ended_ns, pieces, listened
    )


def _pieces(behind: _Behind, seen: SeenMining | None) -> tuple[SeenEnergy, ...]:
    """What was seen of all the sites."""
    if seen is None:
        return ()
    return tuple(piece for site in behind.sites for piece in seen.by_site.get(site.site_id, ()))


def _ended(summary: Summary, behind: _Behind, seen: SeenMining | None) -> int | None:
    """When mining was last seen, if sensors listened long enough after it and saw none before the period ended."""
    last_ns = max(line.last_ns for line in (*behind.lines, *behind.gone))
    if summary.to_ns - last_ns < EXIT_NS:
        return None
    if seen is None or seen.listened is None:
        return last_ns
    heard = sum(max(0, min(stretch.to_ns, summary.to_ns) - max(stretch.from_ns, last_ns)) for stretch in seen.listened)
    return last_ns if heard >= EXIT_LISTENED * (summary.to_ns - last_ns) else None
