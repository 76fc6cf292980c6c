"""What findings amount to: work and energy with chance apart, when their miner was watched, and a miner's figures from
all its findings. Pure; knows findings, no tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from sensor.model.chance import LEVEL, Parts, effective_shares, without_chance
from sensor.model.finding import Finding
from sensor.model.quantities import ExposureRecord, WatchedStretch
from sensor.model.range import Range, total
from sensor.model.rates import NO_ASSUMPTION, WATT_SECONDS_PER_KWH, AssumedParts, MinerRates, MiningTimes, rates
from sensor.model.time import SECOND_NS

#: How far the rate of a login may be off at a time when its work was not known, either way: a judgement, not measured.
ASSUMED_FACTOR = 1.5


class SeenWork(NamedTuple):
    """What was seen of a finding: work in its unit, and kilowatt-hours; all 0 where it is not known."""

    hashes: Range
    energy_kwh: Range


@dataclass(frozen=True, slots=True)
class Miner:
    """All findings of one address by one algorithm, and what they come to together."""

    address: str
    algorithm: str | None
    work_unit: str
    findings: tuple[Finding, ...]
    rates: MinerRates
    seconds: float  # watched mining, at work that is known

    @property
    def rated(self) -> tuple[Finding, ...]:
        """The findings whose work is known."""
        return tuple(finding for finding in self.findings if finding.hashrate_hps is not None)

    @property
    def partial(self) -> bool:
        """Whether there was mining beside it whose work is not known: all figures are lower bounds then."""
        return any(map(has_unknown_work, self.findings))

    @property
    def power_partial(self) -> bool:
        """Whether there was mining beside it whose power is not known, for its work is not, or what a hash takes."""
        return self.partial or any(finding.energy_kwh is None for finding in self.rated)


def miners(findings: Iterable[Finding]) -> Iterator[Miner]:
    """The miners of findings, by address and algorithm. A miner that went from pool to pool is one, at one rate."""
    for (address, algorithm, unit), group in groupby(sorted(findings, key=_miner_key), key=_miner_key):
        its = tuple(group)
        rated = [finding for finding in its if finding.hashrate_hps is not None]
        works = [work_of(finding) for finding in its]
        seconds = _figures_seconds(rated or its)
        powered = _figures_seconds([finding for finding in rated if finding.energy_kwh is not None])
        times = MiningTimes(seconds, seconds, powered_seconds=powered, assumed=assumed_parts(map(with_assumed, rated)))
        figures = rates(total(work.hashes for work in works), total(work.energy_kwh for work in works), times)
        yield Miner(address, algorithm or None, unit, its, figures, seconds)


def has_unknown_work(finding: Finding) -> bool:
    """Whether part of a finding's mining is in none of its figures: its hashrate, if there is one, is a lower bound."""
    return finding.unknown_seconds > 0.0 or (finding.hashrate_hps is None and finding.shares.submitted > 0)


def _figures_seconds(findings: Sequence[Finding]) -> float:
    """The time that the figures of some findings are of: known work, and work taken to be at a rate of other times."""
    if len(findings) == 1:
        return watched_seconds(findings[0]) + findings[0].assumed_seconds
    return mining_seconds([stretch for finding in findings for stretch in mining_stretches(finding)])


def work_of(finding: Finding) -> SeenWork:
    """The work and the energy of one finding."""
    level = finding.hashrate_hps.level if finding.hashrate_hps is not None else LEVEL
    credited, spent = _effective(finding)
    hashes, energy = Range(), Range()
    if finding.hashrate_hps is not None:
        rate, (least, seconds, most) = finding.hashrate_hps, _rated_seconds(finding)
        bounds = (rate.low * least, rate.best * seconds, rate.high * most)
        hashes = Range(*_apart(finding, bounds, credited, level, (1.0, 1.0)), level)
    if finding.energy_kwh is not None:
        kwh, joules = finding.energy_kwh, finding.joules_per_hash
        ratios = None if joules is None or joules.best <= 0.0 else (joules.low / joules.best, joules.high / joules.best)
        energy = Range(*_apart(finding, (kwh.low, kwh.best, kwh.high), spent, level, ratios), level)
    return SeenWork(hashes, energy)


class WithAssumed(NamedTuple):
    """Work of a finding: at least, best and at most as its assumed time alone leaves it open."""

    least: float
    best: float
    most: float


def with_assumed(finding: Finding) -> WithAssumed:
    """The work of a finding whose rate is known."""
    rate = finding.hashrate_hps
    hps = 0.0 if rate is None else rate.best or rate.high  # without a share of known work there is only the bound
    return WithAssumed(*(hps * seconds for seconds in _rated_seconds(finding)))


def assumed_parts(works: Iterable[WithAssumed]) -> AssumedParts:
    """How far the assumed time of several findings leaves their work open, all together."""
    its = list(works)
    best = sum(work.best for work in its)
    if best <= 0.0:
        return NO_ASSUMPTION
    return AssumedParts(sum(work.least for work in its) / best, sum(work.most for work in its) / best)


def _apart(
    finding: Finding,
    bounds: tuple[float, float, float],
    shares: float,
    level: float,
    ratios: tuple[float, float] | None,
) -> Parts:
    """Chance apart from the rest. Where nothing else is open, the rest is efficiency alone: `ratios` says which part
    of the best one low and high are. They stay as they are from record to record, which quotients by chance do not."""
    best = bounds[1]
    more_open = any(_opens_more(record) for record in _of_algorithm(finding))
    if ratios is None or more_open or shares <= 0.0 or best <= 0.0:
        return without_chance(bounds, shares, level)
    least, seconds, most = _rated_seconds(finding)
    low, high = (ratios[0] * least / seconds, ratios[1] * most / seconds) if seconds else ratios
    return Parts(best * low, best, best * high, best * best / shares)


def _opens_more(record: ExposureRecord) -> bool:
    """Whether more than chance and efficiency leaves the figures open: targets, loss, connections of unknown work."""
    if record.guess.blocks or record.missed_bytes:
        return True
    apart = mining_seconds((*record.stretches, *record.unrated_stretches)) - mining_seconds(record.stretches)
    return record.rated_ns > 0 and record.unrated_ns / SECOND_NS > apart + 1.0


def _rated_seconds(finding: Finding) -> tuple[float, float, float]:
    """The time that has a rate, in seconds: at least, best and at most as much as the assumed part leaves it open."""
    seconds, assumed = watched_seconds(finding), finding.assumed_seconds
    return seconds + assumed / ASSUMED_FACTOR, seconds + assumed, seconds + assumed * ASSUMED_FACTOR


def watched_seconds(finding: Finding) -> float:
    """The time over which a finding's hashes are summed, in seconds: how long the miner was watched.

    Records that older releases stored have no such field. There it is the energy over the power, which are of the same
    time; where the power is not known either, the connections' time.
    """
    if finding.watched_seconds > 0.0:
        return finding.watched_seconds
    power, energy = finding.power_watts, finding.energy_kwh
    if power is None or energy is None or power.high <= 0.0:
        return finding.active_seconds
    return energy.high * WATT_SECONDS_PER_KWH / power.high


def mining_stretches(finding: Finding) -> tuple[WatchedStretch, ...]:
    """When a finding's miner was watched. Where a record does not say, it is within its first and last packet."""
    stretches = [stretch for record in _of_algorithm(finding) for stretch in record.stretches]
    if finding.assumed_seconds > 0.0:
        stretches += [stretch for record in _of_algorithm(finding) for stretch in record.unrated_stretches]
    if stretches:
        return tuple(stretches)
    span_ns = max(finding.last_ns - finding.first_ns, 0)
    pause_ns = max(0, span_ns - round(watched_seconds(finding) * SECOND_NS))
    return (WatchedStretch(finding.first_ns, finding.first_ns + span_ns, pause_ns),)


def mining_seconds(stretches: Sequence[WatchedStretch], from_ns: int = 0, to_ns: int = 1 << 63) -> float:
    """How much of [from_ns, to_ns) lies in at least one stretch, its pauses left out, in seconds."""
    whole_ns = 0.0
    for start, end, pause in _joined(stretches):
        length = end - start
        inside = min(end, to_ns) - max(start, from_ns)
        if inside > 0 and length > 0:
            whole_ns += inside * (length - pause) / length
    return whole_ns / SECOND_NS


def _joined(stretches: Sequence[WatchedStretch]) -> list[WatchedStretch]:
    """Disjoint stretches; of those that meet, the longest pause is that of all."""
    joined: list[WatchedStretch] = []
    for start, end, pause in sorted(stretches):
        if joined and start <= joined[-1].end_ns:
            first, last, inner = joined[-1]
            joined[-1] = WatchedStretch(first, max(last, end), max(inner, pause))
        else:
            joined.append(WatchedStretch(start, end, pause))
    return joined


def _miner_key(finding: Finding) -> tuple[str, str, str]:
    return finding.miner_ip, finding.algorithm or "", finding.work_unit or "hashes"


def _effective(finding: Finding) -> tuple[float, float]:
    """How many shares of equal work the finding's hashrate, and its energy, are as good as: credited and spent."""
    records = _of_algorithm(finding)
    return _sum_effective(records, "credited"), _sum_effective(records, "spent")


def _of_algorithm(finding: Finding) -> list[ExposureRecord]:
    return [record for record in finding.exposures if record.algorithm in (None, finding.algorithm)]


def _sum_effective(records: Sequence[ExposureRecord], name: str) -> float:
    tallies = [
        record.guess.tally if record.guess.tally.shares > record.spent.shares else getattr(record, name)
        for record in records
    ]
    return effective_shares(sum(tally.work for tally in tallies), sum(tally.work_squared for tally in tallies))
