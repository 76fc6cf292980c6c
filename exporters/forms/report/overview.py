"""What a page says about all findings together: the headline, figures by algorithm, pools, dialects. Pure.

Hashrates of different algorithms are never added. A miner that went from pool to pool counts once, at the rate of the
time in which it was watched mining. In sums chance cancels out in part, and what else leaves figures open does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from exporters.forms import cells
from exporters.forms.amounts import counted, interval, quantity, rate_unit
from exporters.forms.fitting import short, visible
from exporters.forms.report import panels
from exporters.redaction.attribution import without_persons
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.range import total
from sensor.model.work import Miner, miners

#: Rows of a table of groups; those beyond are counted together.
MOST_ROWS = 20


@dataclass(frozen=True)
class FindingGroup:
    """Findings that have something in common."""

    name: str
    detail: str
    findings: int
    addresses: int
    shares: int
    part: float  # of all findings, 0 to 1


@dataclass(frozen=True)
class Sum:
    """The hashrate of one algorithm, or the power of all."""

    name: str
    best: str
    ends: str
    about: str


def headline(findings: Sequence[Finding]) -> str:
    """What was found, in one line: who mines, or else who behaves like a miner; never both in one number."""
    findings = [item for item in findings if item.grade >= Grade.BEHAVES]  # a name alone is no miner
    if not findings:
        return "No mining found"
    sure = [item for item in findings if item.grade >= Grade.SPEAKS]
    if not sure:
        tried = len({item.miner_ip for item in findings})
        return "1 address behaves like a miner" if tried == 1 else f"{tried:,} addresses behave like miners"
    miners, pools = len({item.miner_ip for item in sure}), len({(item.pool_ip, item.pool_port) for item in sure})
    return f"{counted(miners, 'address', 'addresses')} {'mines' if miners == 1 else 'mine'} at {counted(pools, 'pool')}"


def grades(findings: Sequence[Finding]) -> list[tuple[str, int, str]]:
    """Findings by grade, strongest first: name, count, meaning."""
    counts: dict[Grade, int] = defaultdict(int)
    for item in findings:
        counts[item.grade] += 1
    return [(grade.label, counts[grade], panels.MEANINGS[grade]) for grade in sorted(counts, reverse=True)]


def sums(findings: Sequence[Finding]) -> list[Sum]:
    """Hashrates by algorithm, then the power; donation sessions count, too: their work is done on the same machines."""
    rated: dict[tuple[str, str], list[Miner]] = defaultdict(list)
    for miner in miners(findings):
        if miner.rates.hashrate_hps is not None and miner.rates.hashrate_hps.best:
            rated[miner.algorithm or "unknown algorithm", rate_unit(miner.work_unit)].append(miner)
    counts = {key: sum(len(miner.rated) for miner in some) for key, some in rated.items()}
    found = []
    for (algorithm, unit), some in sorted(rated.items(), key=lambda pair: (-counts[pair[0]], pair[0])):
        rate = total(miner.rates.hashrate_hps for miner in some)
        about = f"{visible(algorithm)[:40]}, {counted(counts[algorithm, unit], 'finding')}"
        kind = "hashrate, at least: not all work is known" if any(miner.partial for miner in some) else "hashrate"
        found.append(Sum(about, quantity(rate.best, unit), interval(rate.low, rate.high, unit), kind))
    watts = total(miner.rates.power_watts for some in rated.values() for miner in some)
    priced = [item for item in findings if item.power_watts is not None]
    if priced:
        about = f"{quantity(24 * watts.best, 'Wh')} a day, if it goes on like that"
        if any(miner.power_partial for some in rated.values() for miner in some):
            about += "; at least: not all power is known"
        ends = interval(watts.low, watts.high, "W")
        found.append(Sum(f"Power, {counted(len(priced), 'finding')}", quantity(watts.best, "W"), ends, about))
    return found


def pools(findings: Sequence[Finding]) -> list[FindingGroup]:
    """By where they go: the pool's name and its address."""
    return _grouped(findings, lambda item: (cells.pool_end(item), panels.pool_name(item)))


def dialects(findings: Sequence[Finding]) -> list[FindingGroup]:
    """By what is spoken, and for which algorithm."""
    return _grouped(
        findings, lambda item: (item.dialect or "not known", " ".join(filter(None, (item.coin, item.algorithm))))
    )


def holders(findings: Sequence[Finding]) -> list[FindingGroup]:
    """By whose the address was; empty where no books were asked."""
    asked = [without_persons(item) for item in findings if item.attribution is not None]
    return _grouped(
        asked,
        lambda item: (
            panels.holder(item.attribution),
            cells.premises(item.attribution.site) if item.attribution else "",
        ),
    )


def _grouped(findings: Sequence[Finding], key: Callable[[Finding], tuple[str, str]]) -> list[FindingGroup]:
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for item in findings:
        found[key(item)].append(item)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), -_shares(pair[1]), pair[0]))
    rows = [_group(*name, some, len(findings)) for name, some in ordered[:MOST_ROWS]]
    rest = [item for _, some in ordered[MOST_ROWS:] for item in some]
    return [*rows, *([_group(f"{len(ordered) - MOST_ROWS:,} others", "", rest, len(findings))] if rest else [])]


def _group(name: str, detail: str, some: Sequence[Finding], whole: int) -> FindingGroup:
    addresses = len({item.miner_ip for item in some})
    return FindingGroup(short(name, 80), short(detail, 80), len(some), addresses, _shares(some), len(some) / whole)


def _shares(findings: Iterable[Finding]) -> int:
    return sum(item.shares.submitted for item in findings)
