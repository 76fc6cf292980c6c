"""Writes docs/evaluation.md: what was measured, with which seed, on which commit, how busy the machine was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.evaluation import families, schedule, tables, traffic
from tests.evaluation.parts import Outcome, Part, PartResult
from tests.evaluation.reality import Comparison
from tests.evaluation.tables import bullet, table

ROOT = Path(__file__).parents[2]
TEXT = """# Evaluation

Sessions inside TLS are generated, written as captures, and read by minewatch through its command line: `minewatch
calibrate --sessions`, and `minewatch replay` with `findings.least_grade=behaves`. `make evaluate` makes this page; with
`QUICK=1` a small one in 5 minutes. The page gives figures, bounds and commands, and no judgement. The generators are in
`tests/evaluation` and share nothing with the judge, except that the families called "dialect ..." play the examples of
the dialect files.

{facts}

{failures}

## The model against real stacks

The same talks are played over real TLS stacks and kernel TCP on the loopback, with a clock stretched {scale} times, and
written as captures. Compared are types, lengths and directions of all records, and the order of both directions.

{reality}

## Families and halves

Each family belongs to one of two halves by its name. The tuning half may be looked at by whoever changes the judge; the
judging half is for figures alone. It was touched once, on 2026-11-30: totals of its ordinary families decided that
records padded to blocks (CBC) are not judged, and the relations of one of its sessions, without the family's name, led
to the rule that ids growing in answers count only where those of questions grow. The code of its queues, the render
farm among them, had been read when adversaries of the tuning half were written against which the reference of other
protocols was set, so that those two are no strangers to each other.

{halves}

## Recall: an hour

Share of the sessions for which `behaves` was said, with the interval of Clopper and Pearson (95 %). Half of the
sessions are joined in their midst, 2 to 15 minutes after their beginning; they are seen for an hour from then on. No
packet is lost here. The clocks of {coins} are handed to the sensor; other families have none.
"Not thin" counts sessions that minewatch does not list; "unlike" those of which `calibrate` and `replay` say different
things.

### The tuning half

{recall_tuning}

### The judging half

{recall_judging}

## Recall by time

Macro-averages over the families. A third of the captures lost 5 % of their packets. "With a clock" is that of the
families whose coin's blocks are handed to the sensor. "Under 80 %" counts families; "grammar" is the share of all
sessions whose grammar's p is at most 1e-5, whatever else was missing.

{recall_time}

## Recall by suite and by origin

{recall_suite}

{recall_origin}

## Shares counted

{shares}

## False alarms

Sessions that are not mining, an hour each. "False" is one called `behaves` or reported. Bounds are one-sided, Poisson,
95 %, of 10,000 thin sessions; that of all is a bound for this mixture of generators. "Fat" counts sessions that
minewatch does not list. The last columns count the grammar's p-values at or below the level.

### The tuning half

{false_tuning}

### The judging half

{false_judging}

### All

{false_all}

{false_time}

## Openings like those of Noise

Ten minutes each, without TLS. What one end writes at once leaves as one segment for each frame ("alone"), or joined.

{noise}

## P-values of traffic without meaning

Each side's lengths are drawn from one distribution, apart from order and time; times do not depend on blocks. The
sessions of a capture are spread over five days, so that few share their blocks. Each p-value is as minewatch gives it,
after search and looks. Given are the share at or below each level in per cent, its standard error if p-values were
uniform, and how many of these it lies above (+) or below (-) the level. "Least look" is the least p of all looks;
"beats, counted" are the p-values of all flows and coins after they are counted together.

{calibration}

## Real sessions

Published times and lengths of real XMRig sessions, written one record a segment; the sessions in clear are put into
TLS 1.3. Then the kinds of `sessions.pcap`: generated, played over OpenSSL and kernel TCP, 11 minutes.

{hidden}
"""


@dataclass
class Evaluation:
    """Everything that was measured."""

    seed: str
    quick: bool
    seconds: float = 0.0
    parts: list[PartResult] = field(default_factory=list)
    planned: list[Part] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    pairs: int = 0
    reality: list[Comparison] = field(default_factory=list)
    hidden: str = ""
    loads: list[float] = field(default_factory=list)

    def rows(self, *sections: str) -> list[Outcome]:
        """The outcomes of some sections."""
        return [row for part in self.parts if part.section in sections for row in part.outcomes]


def commit() -> str:
    """The commit of the tree, and whether it was changed."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def text(done: Evaluation) -> str:
    """The page."""
    mining, ordinary = families.mining(), families.ordinary()
    hour = done.rows(schedule.FAMILIES)
    both = done.rows(schedule.FAMILIES, schedule.LONG)
    miners = {family.name for family in mining}
    mined = [row for row in both if row.family in miners]
    sixty = [row for row in hour if row.minutes == 60]
    origin = {family.name: family.origin for family in mining}
    half = {name: [f for f in (*mining, *ordinary) if f.half == name] for name in tables.HALVES}
    return TEXT.format(
        facts=_facts(done),
        failures=_failures(done),
        scale=1200,
        reality=_reality(done.reality),
        halves=_halves(),
        coins=", ".join(_coins(hour)) or "no coin",
        recall_tuning=tables.recall_by_family([f for f in half["tuning"] if f.mining], hour),
        recall_judging=tables.recall_by_family([f for f in half["judging"] if f.mining], hour),
        recall_time=tables.recall_by_time(mining, mined),
        recall_suite=tables.recall_by(mining, hour, "suite", lambda row: row.suite),
        recall_origin=tables.recall_by(mining, hour, "written", lambda row: origin[row.family]),
        shares=tables.shares_counted(mining, hour),
        false_tuning=tables.false_alarms([f for f in half["tuning"] if not f.mining], sixty),
        false_judging=tables.false_alarms([f for f in half["judging"] if not f.mining], sixty),
        false_all=_last_row(tables.false_alarms(ordinary, sixty)),
        false_time=tables.false_by_time(ordinary, both),
        noise=_noise(done),
        calibration=tables.calibration(done.rows(schedule.NULL)),
        hidden=done.hidden or "The files are not at hand.",
    )


def _last_row(whole: str) -> str:
    """A table's head and its last row."""
    lines = whole.splitlines()
    return "\n".join((*lines[:2], lines[-1]))


def _coins(rows: Sequence[Outcome]) -> list[str]:
    return sorted({coin for row in rows for coin, _, _ in row.beats})


def _facts(done: Evaluation) -> str:
    sessions, packets = sum(p.sessions for p in done.parts), sum(p.packets for p in done.parts)
    gigabytes = sum(p.octets for p in done.parts) / 1e9
    writer, sensor = sum(p.writer_s for p in done.parts), sum(p.sensor_s for p in done.parts)
    load = f"{min(done.loads):.1f} to {max(done.loads):.1f}" if done.loads else "not measured"
    real = (
        "real (Monero, 2020) in half of the captures"
        if any(r.real_blocks for p in done.parts for r in p.outcomes)
        else "simulated"
    )
    rows = [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", commit()),
        ("command", f"`make evaluate{' QUICK=1' if done.quick else ''} SEED={done.seed}`"),
        ("seeds", f"{done.seed}, with the section and number of each part"),
        (
            "took",
            f"{done.seconds / 60:.1f} minutes; {writer:.0f} s of processor wrote, {sensor:.0f} s were minewatch's",
        ),
        ("machine", f"{os.cpu_count()} processors, load average {load}"),
        ("parts", f"{len(done.parts)} of {len(done.planned)}"),
        ("written", f"{sessions:,} sessions, {packets:,} packets, {gigabytes:.1f} GB"),
        ("blocks of Monero", real),
        ("sessions taken the wrong way round", _swapped(done)),
        ("pairs of stacks", f"{done.pairs}, hellos recorded on this machine"),
        ("stacks that are missing", "; ".join(f"{name}: {why}" for name, why in done.missing.items()) or "none"),
    ]
    return "\n".join(bullet(f"{what}: {value}") for what, value in rows)


def _swapped(done: Evaluation) -> str:
    """Of the joined sessions, of which no SYN is seen, those whose server was taken for the client."""
    rows = [row for row in done.rows(schedule.FAMILIES) if row.thin and row.minutes == 60]
    counts = [(sum(row.swapped for row in some), len(some)) for some in _by_joined(rows)]
    return f"{counts[1][0]} of {counts[1][1]} joined, {counts[0][0]} of {counts[0][1]} others"


def _by_joined(rows: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    return [row for row in rows if not row.joined], [row for row in rows if row.joined]


def _failures(done: Evaluation) -> str:
    found = [failure for part in done.parts for failure in part.failures]
    if not found:
        return "No command failed."
    return "\n".join([f"{len(found)} commands failed:", "", *(bullet(failure) for failure in found[:20])])


def _reality(rows: Sequence[Comparison]) -> str:
    if not rows:
        return "Not compared."
    pairs = dict.fromkeys(row.profile for row in rows)
    lines: list[Sequence[object]] = []
    found: list[str] = []
    for pair in pairs:
        own = [row for row in rows if row.profile == pair]
        differing = "; ".join(f"{row.family}, {row.style}: {row.differs}" for row in own if row.differs)
        lines.append((pair, len(own), sum(row.records for row in own), sum(bool(row.differs) for row in own)))
        found += [bullet(f"{pair}: {differing}")] if differing else []
    return "\n".join(
        (table(("client, server, suite", "talks", "records", "talks that differ"), lines), "", *found)
    ).strip()


def _halves() -> str:
    def names(mining: bool, half: str) -> str:
        rows = families.mining() if mining else families.ordinary()
        return "; ".join(family.name for family in rows if family.half == half)

    return "\n".join(
        bullet(f"{half} half, {'mining' if mining else 'not mining'}: {names(mining, half)}.")
        for half in tables.HALVES
        for mining in (True, False)
    )


def _noise(done: Evaluation) -> str:
    rows = done.rows(schedule.NOISE)

    def line(name: str, mining: bool, cut: str) -> Sequence[object]:
        own = [row for row in rows if row.family == name and row.suite == cut]
        told = sum(row.behaves or row.reported for row in own)
        return name, "yes" if mining else "no", cut, len(own), told, tables.share(told, len(own))

    lines = [line(family.name, family.mining, cut) for family in families.noise() for cut in ("alone", "together")]
    return table(("opening", "mining", "frames", "sessions", "behaves or reported", "%"), lines)


def summary(done: Evaluation) -> str:
    """A few lines for the terminal."""
    mining, hour = families.mining(), done.rows(schedule.FAMILIES)
    names = {family.name for family in mining}
    false = [r for r in hour if r.family not in names and (r.behaves or r.reported)]
    thin = sum(r.thin for r in hour if r.family not in names)
    return "\n".join(
        (
            f"{len(done.parts)} of {len(done.planned)} parts in {done.seconds:.0f} s",
            tables.recall_by_time(
                mining, [r for r in done.rows(schedule.FAMILIES, schedule.LONG) if r.family in names]
            ),
            f"false: {len(false)} of {thin} thin sessions ({len(traffic.MODELS)} models of traffic besides)",
        )
    )
