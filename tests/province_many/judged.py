"""The central ledger against the truth: who is named, where, how much, and how often the stated intervals hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sensor.ledger import Ledger
from sensor.model.coverage import DEFAULT_GROUNDS
from sensor.model.range import Range
from sensor.model.summary import Line, Summary
from sensor.model.time import SECOND_NS
from tests.evaluation.bounds import clopper_pearson
from tests.province_many.roster import REJECTED
from tests.province_many.seen import finding_id_of
from tests.province_many.truth import ManyTruth, TrueAmount, TruePeriod, TruthKey

#: What is watched for less than this need not be seen, for no share may have come; the level of all intervals.
LEAST_SECONDS, LEVEL = 6 * 3_600.0, 0.95
#: Sums are to be the truth's within their bounds; time to this part of it.
TIME_PART = 0.01


@dataclass
class Proportion:
    """How often something holds."""

    hits: int = 0
    trials: int = 0

    def count(self, hit: bool) -> None:
        """One more."""
        self.hits += hit
        self.trials += 1

    def __str__(self) -> str:
        if not self.trials:
            return "none"
        low, high = clopper_pearson(self.hits, self.trials)
        part = self.hits / self.trials
        return f"{self.hits:,} of {self.trials:,}: {part:.1%} ({low:.1%} to {high:.1%})"

    @property
    def may_be_level(self) -> bool:
        """Whether it may be as often as is stated, or is more often."""
        return clopper_pearson(self.hits, self.trials)[1] >= LEVEL


@dataclass
class Judgement:
    """What was found of a ledger."""

    misses: list[str] = field(default_factory=list)  # anything that is not as it should be
    lines: Proportion = field(default_factory=Proportion)  # hashes of an address in a week
    energies: Proportion = field(default_factory=Proportion)
    rates: Proportion = field(default_factory=Proportion)  # hashrate of a finding
    totals: Proportion = field(default_factory=Proportion)  # hashes and energy of all lines of an algorithm and week
    width: list[float] = field(default_factory=list)  # of the interval of hashes, as a part of the figure
    kwh: dict[str, tuple[float, float]] = field(default_factory=dict)  # by period: the ledger's and the true one
    right: Counter[str] = field(default_factory=Counter)  # what was compared and is right


def judge(ledger: Ledger, truth: ManyTruth) -> Judgement:
    """Week by week, and over all days."""
    found = Judgement()
    for period in truth.weeks():
        _judge_period(found, _summary(ledger, period), period, each=True)
    whole = truth.whole()
    _judge_period(found, _summary(ledger, whole), whole, each=False)
    _judge_findings(found, ledger, truth)
    _judge_cases(found, ledger, truth, whole)
    return found


def _summary(ledger: Ledger, period: TruePeriod) -> Summary:
    return ledger.reader.summary(*period.span, DEFAULT_GROUNDS)


def _judge_period(found: Judgement, summary: Summary, period: TruePeriod, *, each: bool) -> None:
    lines = {key_of_line(line, summary): line for line in summary.lines}
    where = period.name
    if len(lines) != len(summary.lines):
        found.misses.append(f"{where}: {len(summary.lines) - len(lines)} lines stand twice")
    found.misses += [f"{where}: {tuple(key)} mines by the ledger alone" for key in lines.keys() - period.amounts.keys()]
    for key, amount in period.amounts.items():
        line = lines.get(key)
        if line is None:
            if amount.seconds >= LEAST_SECONDS:
                found.misses.append(
                    f"{where}: {tuple(key)} is not there, and was watched {amount.seconds / 3600:.0f} h"
                )
            continue
        found.right["lines"] += 1
        if line.machines > len(amount.numbers):
            found.misses.append(f"{where}: {tuple(key)}: {line.machines} machines, not {len(amount.numbers)}")
        if each:
            _judge_line(found, line, amount, f"{where}: {tuple(key)}")
    for algorithm in sorted({key.algorithm for key in period.amounts}):
        _judge_total(found, algorithm, lines, period)
    kwh = sum(amount.kwh for key, amount in period.amounts.items() if key in lines)
    found.kwh[where] = (sum((line.energy_kwh.best for line in lines.values()), 0.0), kwh)


def _judge_line(found: Judgement, line: Line, amount: TrueAmount, where: str) -> None:
    watched_s = line.times.mining_seconds if len(amount.numbers) == 1 else 0.0
    if watched_s and abs(watched_s - amount.seconds) > max(TIME_PART * amount.seconds, 3_700.0):
        found.misses.append(f"{where}: watched {watched_s / 3600:.1f} h, not {amount.seconds / 3600:.1f}")
    found.lines.count(holds(line.hashes, amount.hashes))
    if line.hashes.best > 0.0:
        found.width.append((line.hashes.high - line.hashes.low) / line.hashes.best)
    if line.energy_kwh.most > 0.0 and not line.missing_seconds:
        found.energies.count(holds(line.energy_kwh, amount.kwh))


def _judge_total(found: Judgement, algorithm: str, lines: Mapping[TruthKey, Line], period: TruePeriod) -> None:
    hashes, energy, true = Range(), Range(), TrueAmount()
    priced = 0.0
    for key, line in lines.items():
        amount = period.amounts.get(key)
        if key.algorithm == algorithm and amount is not None:
            hashes, true.hashes = hashes + line.hashes, true.hashes + amount.hashes
            if line.energy_kwh.most > 0.0 and not line.missing_seconds:
                energy, priced = energy + line.energy_kwh, priced + amount.kwh
    for name, figure, value in (("hashes", hashes, true.hashes), ("kWh", energy, priced)):
        if value > 0.0:
            inside = holds(figure, value)
            found.totals.count(inside)
            if not inside:
                bounds = f"{figure.low / value:.3f} to {figure.high / value:.3f}"
                found.right[f"{period.name}: {algorithm}: {name}: {bounds} of the truth"] += 1


def _judge_findings(found: Judgement, ledger: Ledger, truth: ManyTruth) -> None:
    machines = {
        finding_id_of(machine, stay.address): machine
        for machine in truth.roster.of_kind("mining")
        for stay in machine.stays
    }
    for entry in ledger.reader.findings(limit=10 * len(machines) + 1_000):
        machine = machines.get(entry.finding.finding_id)
        rate = entry.finding.hashrate_hps
        if machine is not None and rate is not None:
            found.rates.count(rate.low <= machine.rate_hps * (1.0 - REJECTED) <= rate.high)


def _judge_cases(found: Judgement, ledger: Ledger, truth: ManyTruth, whole: TruePeriod) -> None:
    """One case for each premises, or address in no book; closed only while nothing mined there."""
    subjects = Counter(
        (case.enterprise.name, case.site.address if case.site else "") if case.enterprise else ("", case.address or "")
        for case in ledger.reader.cases()
    )
    found.misses += [f"cases: {count} of {subject}" for subject, count in subjects.items() if count > 1]
    amounts = {subject_of(key): 0.0 for key in whole.amounts}
    for key, amount in whole.amounts.items():
        amounts[subject_of(key)] += amount.seconds
    found.misses += [f"cases: {subject} does not mine" for subject in subjects.keys() - amounts.keys()]
    wanted = {subject for subject, watched_s in amounts.items() if watched_s >= LEAST_SECONDS}
    found.misses += [f"cases: none of {subject}" for subject in wanted - subjects.keys()]
    found.right["cases"] = len(subjects.keys() & amounts.keys())
    mining = truth.mining_spans()
    for case in ledger.reader.cases():
        key = ("", case.address or "")
        if case.enterprise is not None:
            key = (case.enterprise.name, case.site.address if case.site else "")
        for change in case.changes:
            if change.state == "closed":
                still = any(start <= change.at_ns < end for start, end in mining.get(key, ()))
                found.right["cases closed while their machines were off"] += not still
                found.right["cases closed while machines mined, unseen for all sensors listened to"] += still
                if still:
                    found.misses.append(f"cases: {key} was closed at {change.at_ns / SECOND_NS:.0f}, and mines")


def subject_of(key: TruthKey) -> tuple[str, str]:
    """What the case of a line is of."""
    return (key.holder, key.premises) if key.holder else ("", key.address)


def key_of_line(line: Line, summary: Summary) -> TruthKey:
    """What a line of the ledger says that it is of."""
    its = summary.sites.get(line.site_id) if line.site_id else None
    if its is None or its.enterprise is None:
        return TruthKey(line.address, "", "", line.algorithm or "")
    return TruthKey(line.address, its.enterprise.name, its.site.address if its.site else "", line.algorithm or "")


def holds(figure: Range, value: float) -> bool:
    """Whether the bounds hold a value."""
    return figure.low <= value <= figure.high


def lines_of_misses(found: Judgement, most: int = 20) -> Iterator[str]:
    """What is not as it should be, some of it."""
    yield from found.misses[:most]
    if len(found.misses) > most:
        yield f"... and {len(found.misses) - most} more"
