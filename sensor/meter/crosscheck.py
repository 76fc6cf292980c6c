"""Metered load beside the load that mining should be: consistent, inconsistent, or not comparable, and why. Pure.

A meter measures everything behind it. So mining is refuted only where the low estimate of what was seen is more than
the meter measured in the same time, where the load did not rise when mining began, or where it did not fall when mining
stopped. It is not comparable where readings are too few or too long, or where the mining, by its best estimate, would
be lost in the load. Where no mining was seen, an even load is reported: machines look like that, and so do others.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.meter.expected import ExpectedLoad
from sensor.meter.load import LoadChange, change, evenness, metered
from sensor.meter.registers import MeterReading
from sensor.model.figures import MeterCheck, Reason, Verdict
from sensor.model.summary import Range
from sensor.model.time import DAY_NS, HOUR_NS

__all__ = ["DAY_NS", "ExpectedLoad", "check"]

#: Part of the period that must have readings, and part in which the sensor must have listened.
LEAST_METERED, LEAST_COVERAGE = 0.8, 0.5
#: Meters of the classes in use are within 2 %; this leaves room for clocks that differ.
METER_TOLERANCE = 0.05
#: Mining that is less than this part of the load is lost in it without a step.
LEAST_PART = 0.05
#: Mean by peak at which a load counts as even: machines run day and night, an office has 0.3 to 0.5.
EVEN = 0.85
#: Even loads below are not reported where no mining was seen: a router and a lamp are even, too.
LEAST_EVEN_WATTS = 1000.0
#: A load, or its rise, of so many times the best estimate of the mining is not explained by it.
UNEXPLAINED = 2.0
_FOREVER_NS = 1 << 62


def check(
    meter: str,
    readings: Sequence[MeterReading],
    mining: ExpectedLoad | None,
    why_not: str = "no-mining",
    period: tuple[int, int] | None = None,
) -> MeterCheck:
    """The verdict on one meter; `mining` is None where nothing is known to stand behind it, for the reason `why_not`,
    and `period` then says which time is looked at (nanoseconds; without it, that of the readings)."""
    if mining is None:
        return _unseen(meter, readings, why_not, period)
    return _Crosscheck(readings, mining).result(meter)


def _unseen(meter: str, readings: Sequence[MeterReading], why_not: str, period: tuple[int, int] | None) -> MeterCheck:
    """A meter behind which nothing was seen, or that cannot be compared: whether its load is even."""
    reasons = [Reason(why_not)]
    if not readings:
        return MeterCheck(meter, "not-comparable", tuple(reasons), None, None)
    from_ns, to_ns = period or (readings[0].from_ns, readings[-1].to_ns)
    covered, measured = metered(readings, from_ns, to_ns)
    even = evenness(readings, from_ns, to_ns)
    watts = measured * 3.6e15 / covered if covered else 0.0
    if even is not None and even >= EVEN and watts >= LEAST_EVEN_WATTS:
        reasons.append(Reason("even-unseen", {"kilowatts": watts / 1000, "evenness": even * 100}))
    part = covered / (to_ns - from_ns)
    return MeterCheck(meter, "not-comparable", tuple(reasons), measured if covered else None, None, None, part, even)


class _Crosscheck:
    """One meter's readings beside the mining behind it."""

    def __init__(self, readings: Sequence[MeterReading], mining: ExpectedLoad) -> None:
        self.readings, self.mining = readings, mining
        covered, self.measured = metered(readings, mining.from_ns, mining.to_ns)
        self.metered = covered / (mining.to_ns - mining.from_ns)
        self.expected = mining.energy_kwh.scaled(self.metered)
        self.evenness = evenness(readings, mining.from_ns, mining.to_ns)
        heard_ns = max((stretch.to_ns for stretch in mining.listened or ()), default=mining.to_ns)
        self.rise = change(readings, mining.began_ns, (-_FOREVER_NS, heard_ns))
        self.fall: LoadChange | None = None
        if mining.ended_ns is not None:
            self.fall = change(readings, mining.ended_ns, (mining.began_ns, mining.to_ns))

    def result(self, meter: str) -> MeterCheck:
        """The verdict with its reasons and figures."""
        verdict, reasons = self._judge()
        fall = None
        if self.fall is not None:
            watts = self.fall.watts
            fall = Range(-watts.high, -watts.best, -watts.low)
        return MeterCheck(
            meter,
            verdict,
            tuple(reasons),
            self.measured,
            self.expected,
            self.mining.owner,
            self.metered,
            self.evenness,
            self.rise.watts if self.rise else None,
            fall,
        )

    def _judge(self) -> tuple[Verdict, list[Reason]]:
        """What follows from the figures; the first reason is the one that decides."""
        mining, ended = self.mining, self._about_exit()
        if self.metered < LEAST_METERED:
            return "not-comparable", [Reason("too-few-readings", {"coverage": self.metered * 100})]
        if mining.energy_kwh.high <= 0:
            return self._judge_exit(ended)
        about = [*([ended] if ended else []), self._about_rise(), *self._about_shape()]
        over = self._over()
        if over is not None:
            return "inconsistent", [over, *about]
        if mining.coverage < LEAST_COVERAGE:
            return "not-comparable", [Reason("too-little-watched", {"watched": mining.coverage * 100})]
        for refuted in (reason for reason in about if reason.code in ("did-not-fall", "did-not-rise")):
            return "inconsistent", [refuted, *(reason for reason in about if reason is not refuted)]
        if not self.measured:
            return "not-comparable", [Reason("nothing-metered"), *about]
        if self.expected.low > self.measured * (1 + METER_TOLERANCE):
            return "not-comparable", [Reason("longer-than-seen"), *about]
        shown = any(reason.code in ("rose", "rose-more", "fell") for reason in about)
        part = self.expected.scaled(1.0 / self.measured)
        if not shown and part.best < LEAST_PART:
            return "not-comparable", [Reason("lost-in-load", {"part": part.best * 100}), *about]
        takes = {"low": min(1.0, part.low) * 100, "high": min(1.0, part.high) * 100}  # more than all it cannot be
        return "consistent", [Reason("within-load", takes), *about]

    def _judge_exit(self, ended: Reason | None) -> tuple[Verdict, list[Reason]]:
        """What follows where no energy of mining is known in the period: none was seen in it, or it has no figure."""
        flat = [reason for reason in self._about_shape() if reason.code == "flat"]
        if ended is None:
            return "not-comparable", [Reason("no-energy"), *flat]
        verdicts: dict[str, Verdict] = {"fell": "consistent", "did-not-fall": "inconsistent"}
        return verdicts.get(ended.code, "not-comparable"), [ended, *flat]

    def _over(self) -> Reason | None:
        """Whether even the low estimate of what was seen is more than was metered, in the whole of the readings that
        touch the period: a reading over its border says nothing of a part of it."""
        mining = self.mining
        touching = [
            reading for reading in self.readings if reading.to_ns > mining.from_ns and reading.from_ns < mining.to_ns
        ]
        spans: list[tuple[int, int]] = []
        for reading in touching:
            joined = spans and spans[-1][1] == reading.from_ns
            spans[-1:] = [(spans[-1][0], reading.to_ns)] if joined else [*spans[-1:], (reading.from_ns, reading.to_ns)]
        seen = sum(mining.seen_kwh(*span).low for span in spans)
        measured = sum(reading.kwh for reading in touching)
        if seen <= measured * (1 + METER_TOLERANCE):
            return None
        return Reason("over-load", {"times": seen / measured}) if measured else Reason("over-zero", {"least": seen})

    def _about_rise(self) -> Reason:
        """What the load did when mining began, beside what it should have done."""
        if self.rise is None:
            return Reason("no-step")
        power, watts, low = self._power(self.rise), self.rise.watts, self.rise.watts.low / 1000
        high = watts.high / 1000
        if watts.high < power.low and power.low > 0 and self.mining.listened_part(self.rise.before) >= LEAST_COVERAGE:
            return Reason("did-not-rise", {"low": low, "high": high, "expected": power.low / 1000})
        if watts.low > max(UNEXPLAINED * power.best, 0.0):
            return Reason("rose-more", {"low": low, "high": high, "expected": power.best / 1000})
        # Bounds that hold no rise at all say nothing, however wide: the load varies by more than the mining takes.
        return Reason("rose", {"low": low, "high": high}) if watts.low > 0 else Reason("no-step")

    def _about_exit(self) -> Reason | None:
        """What the load did when mining stopped; None where it did not stop, or nobody listened after it."""
        mining = self.mining
        if mining.ended_ns is None:
            return None
        days = (mining.to_ns - mining.ended_ns) / DAY_NS
        if self.fall is None:
            return Reason("exit-open", {"days": days})
        power, watts = self._power(self.fall), self.fall.watts
        low, high, least = -watts.high / 1000, -watts.low / 1000, -power.high / 1000
        figures = {"days": days, "low": low, "high": high}
        if high < least and least > 0:
            return Reason("did-not-fall", {**figures, "expected": least})
        return Reason("fell", figures) if low > 0 else Reason("exit-open", {"days": days})

    def _power(self, step: LoadChange) -> Range:
        """How the mining's mean power in watts changed between the days of a step, by what was seen on them."""
        mining = self.mining
        means = []
        for days in (step.before, step.after):
            seen = sum((mining.seen_kwh(*day) for day in days), Range())
            means.append(seen.scaled(1000.0 / (len(days) * DAY_NS / HOUR_NS)))
        before, after = means
        unheard = max(LEAST_COVERAGE, mining.listened_part(step.after))
        return Range(after.low - before.high, after.best - before.best, after.high / unheard - before.low)

    def _about_shape(self) -> list[Reason]:
        """Whether the load is even, and whether an even load is more than the mining that was seen."""
        if self.evenness is None:
            return []
        figures = {"evenness": self.evenness * 100}
        if self.evenness < EVEN:
            return [Reason("uneven", figures)]
        hours = self.metered * (self.mining.to_ns - self.mining.from_ns) / HOUR_NS
        spare = (self.measured - self.expected.best) / hours if hours else 0.0
        more = [Reason("unexplained", {"kilowatts": spare})] if UNEXPLAINED * self.expected.best < self.measured else []
        return [Reason("flat", figures), *more]
