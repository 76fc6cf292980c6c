"""What a page says about all findings together: the headline, figures by algorithm, pools, dialects. Pure.

Hashrates of different algorithms are never added. A miner that went from pool to pool counts once, at the rate of the
time in which it was watched mining. In sums chance cancels out in part, and what else leaves figures open does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from exporters.forms import cells
from exporters.forms.amounts import digits_of, interval, quantity, rate_unit
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.forms.documents.translations import Translate
from exporters.forms.fitting import short, visible
from exporters.forms.report import panels
from exporters.redaction.attribution import without_persons
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.range import total
from sensor.model.text import N_
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


def headline(findings: Sequence[Finding], language: Language = ENGLISH) -> str:
    """What was found, in one line: who mines, or else who behaves like a miner; never both in one number."""
    findings = [item for item in findings if item.grade >= Grade.BEHAVES]  # a name alone is no miner
    if not findings:
        return language.translate(N_("No mining found"))
    sure = [item for item in findings if item.grade >= Grade.SPEAKS]
    if not sure:
        tried = len({item.miner_ip for item in findings})
        return language.number(
            tried, N_("{count} address behaves like a miner"), N_("{count} addresses behave like miners")
        )
    miners, pools = len({item.miner_ip for item in sure}), len({(item.pool_ip, item.pool_port) for item in sure})
    at = language.number(pools, N_("{count} pool"), N_("{count} pools"))
    form = N_("{miners} address mines at {pools}") if miners == 1 else N_("{miners} addresses mine at {pools}")
    return language.translate(form).format(miners=f"{miners:,}", pools=at)


def grades(findings: Sequence[Finding], language: Language = ENGLISH) -> list[tuple[str, int, str]]:
    """Findings by grade, strongest first: its label, count, name."""
    counts: dict[Grade, int] = defaultdict(int)
    for item in findings:
        counts[item.grade] += 1
    return [(grade.label, counts[grade], language.grade(grade)) for grade in sorted(counts, reverse=True)]


def sums(findings: Sequence[Finding], language: Language = ENGLISH) -> list[Sum]:
    """Hashrates by algorithm, then the power; donation sessions count, too: their work is done on the same machines."""
    _ = language.translate
    rated: dict[tuple[str, str], list[Miner]] = defaultdict(list)
    for miner in miners(findings):
        if miner.rates.hashrate_hps is not None and miner.rates.hashrate_hps.best:
            rated[miner.algorithm or _("unknown algorithm"), rate_unit(miner.work_unit)].append(miner)
    counts = {key: sum(len(miner.rated) for miner in some) for key, some in rated.items()}
    found = []
    for (algorithm, unit), some in sorted(rated.items(), key=lambda pair: (-counts[pair[0]], pair[0])):
        rate = total(miner.rates.hashrate_hps for miner in some)
        its = language.number(counts[algorithm, unit], N_("{count} finding"), N_("{count} findings"))
        about = _("{name}, {findings}").format(name=visible(algorithm)[:40], findings=its)
        partial = any(miner.partial for miner in some)
        kind = _("hashrate, at least: not all work is known") if partial else _("hashrate")
        count = digits_of(rate.low, rate.best, rate.high)
        found.append(Sum(about, quantity(rate.best, unit, count), interval(rate.low, rate.high, unit, count), kind))
    watts = total(miner.rates.power_watts for some in rated.values() for miner in some)
    priced = [item for item in findings if item.power_watts is not None]
    if priced:
        if any(miner.power_partial for some in rated.values() for miner in some):
            about = _("{energy} a day, if it goes on like that; at least: not all power is known")
        else:
            about = _("{energy} a day, if it goes on like that")
        count = digits_of(watts.low, watts.best, watts.high)
        ends = interval(watts.low, watts.high, "W", count)
        its = language.number(len(priced), N_("{count} finding"), N_("{count} findings"))
        name = _("Power, {findings}").format(findings=its)
        found.append(
            Sum(name, quantity(watts.best, "W", count), ends, about.format(energy=quantity(24 * watts.best, "Wh")))
        )
    return found


def pools(findings: Sequence[Finding], language: Language = ENGLISH) -> list[FindingGroup]:
    """By where they go: the pool's name and its address."""
    _ = language.translate
    return _grouped(findings, lambda item: (_(cells.pool_end(item)), panels.pool_name(item)), _)


def dialects(findings: Sequence[Finding], language: Language = ENGLISH) -> list[FindingGroup]:
    """By what is spoken, and for which algorithm."""
    _ = language.translate
    return _grouped(
        findings, lambda item: (item.dialect or _("not known"), " ".join(filter(None, (item.coin, item.algorithm)))), _
    )


def holders(findings: Sequence[Finding], language: Language = ENGLISH) -> list[FindingGroup]:
    """By whose the address was; empty where no books were asked."""
    asked = [without_persons(item) for item in findings if item.attribution is not None]
    return _grouped(
        asked,
        lambda item: (
            panels.holder(item.attribution, language),
            cells.premises(item.attribution.site) if item.attribution else "",
        ),
        language.translate,
    )


def _grouped(
    findings: Sequence[Finding], key: Callable[[Finding], tuple[str, str]], _: Translate
) -> list[FindingGroup]:
    found: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for item in findings:
        found[key(item)].append(item)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[1]), -_shares(pair[1]), pair[0]))
    rows = [_group(*name, some, len(findings)) for name, some in ordered[:MOST_ROWS]]
    rest = [item for pair in ordered[MOST_ROWS:] for item in pair[1]]
    others = _("{count} others").format(count=f"{len(ordered) - MOST_ROWS:,}")
    return [*rows, *([_group(others, "", rest, len(findings))] if rest else [])]


def _group(name: str, detail: str, some: Sequence[Finding], whole: int) -> FindingGroup:
    addresses = len({item.miner_ip for item in some})
    return FindingGroup(short(name, 80), short(detail, 80), len(some), addresses, _shares(some), len(some) / whole)


def _shares(findings: Iterable[Finding]) -> int:
    return sum(item.shares.submitted for item in findings)
