"""Metered load beside the load that mining should be: consistent, inconsistent, or not comparable, and why. Pure.

A meter measures everything behind it. So mining is refuted only where its low estimate is more than the meter measured,
or where the load did not rise when mining began; and it is not comparable where readings are too few or the mining
would be lost in the load. A step is the difference of daily means before and after the mining began, with three
standard errors to each side (Welch); a day has all hours in it, so night and day cancel out.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sensor.meter.readings import MeterReading
from sensor.model.figures import MeterCheck, Owner, Reason, Verdict
from sensor.model.summary import Range
from sensor.model.time import DAY_NS, HOUR_NS

#: Part of the period that must have readings, and part in which the sensor must have listened.
LEAST_METERED, LEAST_COVERAGE = 0.8, 0.5
#: Meters of the classes in use are within 2 %; this leaves room for clocks that differ.
METER_TOLERANCE = 0.05
#: Mining that could be less than this part of the load is lost in it without a step.
LEAST_PART = 0.05
#: Mean by peak at which a load counts as even: machines run day and night, an office has 0.3 to 0.5.
EVEN = 0.85
#: Days on each side that a step rests on, and their least number.
STEP_DAYS, LEAST_DAYS = 14, 3
STANDARD_ERRORS = 3.0
#: A day is used if so much of it has readings.
LEAST_OF_DAY = 0.9


@dataclass(frozen=True, slots=True)
class ExpectedLoad:
    """What mining should show on the meter: energy within [from_ns, to_ns), and since when."""

    from_ns: int
    to_ns: int
    energy_kwh: Range  # as if the sensor had listened all of the time
    power_watts: Range  # mean since it began
    began_ns: int  # mining first seen, ever
    coverage: float = 1.0  # part of the period in which the sensor listened
    owner: Owner | None = None


def check(
    meter: str, readings: Sequence[MeterReading], mining: ExpectedLoad | None, why_not: str = "no-mining"
) -> MeterCheck:
    """The verdict on one meter; `mining` is None where nothing is known to stand behind it, for the reason
    `why_not`."""
    if mining is None:
        return MeterCheck(meter, "not-comparable", (Reason(why_not),), None, None)
    metered_ns, measured = _within(readings, mining.from_ns, mining.to_ns)
    metered = metered_ns / (mining.to_ns - mining.from_ns)
    expected = mining.energy_kwh.scaled(metered)
    inside = [
        reading.watts for reading in readings if reading.from_ns >= mining.from_ns and reading.to_ns <= mining.to_ns
    ]
    peak = max(inside, default=0.0)
    evenness = statistics.fmean(inside) / peak if peak > 0 else None
    step = _step(readings, mining.began_ns)
    verdict, reasons = _judge(mining, metered, measured, evenness, step)
    return MeterCheck(meter, verdict, tuple(reasons), measured, expected, mining.owner, metered, evenness, step)


def _judge(
    mining: ExpectedLoad, metered: float, measured: float, evenness: float | None, step: Range | None
) -> tuple[Verdict, list[Reason]]:
    """What follows from the figures; the first reason is the one that decides."""
    expected = mining.energy_kwh.scaled(metered)
    if mining.energy_kwh.high <= 0:
        return "not-comparable", [Reason("no-energy")]
    if mining.coverage < LEAST_COVERAGE:
        return "not-comparable", [Reason("too-little-watched", {"watched": mining.coverage * 100})]
    if metered < LEAST_METERED:
        return "not-comparable", [Reason("too-few-readings", {"coverage": metered * 100})]
    about = [_about_step(step, mining.power_watts), *_about_shape(evenness, measured, expected, metered, mining)]
    if expected.low > measured * (1 + METER_TOLERANCE):
        return "inconsistent", [
            Reason("over-load", {"times": expected.low / measured if measured else float("inf")}),
            *about,
        ]
    if about[0].code == "did-not-rise":
        return "inconsistent", about
    part = (
        Reason("within-load", {"low": expected.low / measured * 100, "high": expected.high / measured * 100})
        if measured
        else None
    )
    if about[0].code == "no-step" and expected.high < measured * LEAST_PART:
        return "not-comparable", [Reason("lost-in-load", {"part": expected.high / measured * 100}), *about]
    return "consistent", [*([part] if part else []), *about]


def _about_step(step: Range | None, power: Range) -> Reason:
    """What the load did when mining began, beside what it should have done."""
    if step is None:
        return Reason("no-step")
    low, high = step.low / 1000, step.high / 1000
    if step.high < power.low:
        return Reason("did-not-rise", {"low": low, "high": high, "expected": power.low / 1000})
    if step.low > power.high:
        return Reason("rose-more", {"low": low, "high": high, "expected": power.high / 1000})
    # Bounds that hold no rise at all say nothing, however wide: the load varies by more than the mining takes.
    return Reason("rose", {"low": low, "high": high}) if step.low > 0 else Reason("no-step")


def _about_shape(
    evenness: float | None, measured: float, expected: Range, metered: float, mining: ExpectedLoad
) -> list[Reason]:
    """Whether the load is even, and whether an even load is more than the mining that was seen."""
    if evenness is None:
        return []
    figures = {"evenness": evenness * 100}
    if evenness < EVEN:
        return [Reason("uneven", figures)]
    hours = metered * (mining.to_ns - mining.from_ns) / HOUR_NS
    spare = (measured - expected.high) / hours if hours else 0.0
    more = [Reason("unexplained", {"kilowatts": spare})] if expected.high < measured / 2 else []
    return [Reason("flat", figures), *more]


def _within(readings: Sequence[MeterReading], from_ns: int, to_ns: int) -> tuple[int, float]:
    """How much of a period has readings, and their energy; a reading over its border counts in part."""
    covered, energy = 0, 0.0
    for reading in readings:
        shared = min(reading.to_ns, to_ns) - max(reading.from_ns, from_ns)
        if shared > 0:
            covered += shared
            energy += reading.kwh * shared / (reading.to_ns - reading.from_ns)
    return covered, energy


def _step(readings: Sequence[MeterReading], began_ns: int) -> Range | None:
    """The rise of the mean load in watts when mining began, with three standard errors; None if days are too few."""
    before = _days(readings, began_ns - STEP_DAYS * DAY_NS, began_ns)
    after = _days(readings, began_ns, began_ns + STEP_DAYS * DAY_NS)
    if min(len(before), len(after)) < LEAST_DAYS:
        return None
    rise = statistics.fmean(after) - statistics.fmean(before)
    error = (statistics.variance(before) / len(before) + statistics.variance(after) / len(after)) ** 0.5
    return Range(rise - STANDARD_ERRORS * error, rise, rise + STANDARD_ERRORS * error)


def _days(readings: Sequence[MeterReading], from_ns: int, to_ns: int) -> list[float]:
    """Mean watts of each whole day counted from the first instant that have enough readings."""
    means = []
    for start in range(from_ns, to_ns, DAY_NS):
        covered, energy = _within(readings, start, start + DAY_NS)
        if covered >= LEAST_OF_DAY * DAY_NS:
            means.append(energy * 3.6e15 / covered)
    return means
