"""What the sums and cases of a ledger must be: the goals, each as a function that gives a sentence for every miss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from sensor.model.summary import Range
from tests.province.measured import CaseDates, Cell, Measured, Sum
from tests.province.simulate import REFUSED
from tests.province.truth import Amount, TrueCase

TOTAL_PART, CELL_PART, SAME_PART = 0.03, 0.05, 0.01
#: A day with less than this part of its algorithm's fullest one is compared by what is missing of that.
SMALL_DAY = 1 / 20
WIDER = 2.0
#: An interval of 95 % may miss the truth: of the cells, which are of few machines, at most so many; the few totals by
#: at most this part of their width, which makes them intervals of more than 99 %.
MISSES, NEAR = 0.12, 0.25
MEASURES = ("shares", "hashes", "kwh")
Cells = Mapping[Cell, Sum]


def same_sums(found: Cells, whole: Cells, *, total: float = TOTAL_PART, cell: float = CELL_PART) -> list[str]:
    """Shares, hashes and energy are those of the whole: over all days, and for each algorithm on each day."""
    return [
        f"{key.algorithm} {key.day}: {measure} {value(found.get(key), measure):.4g}, not {expected:.4g} ({off:+.1%})"
        for key, measure, expected, off in differences(found, whole)
        if abs(off) > (total if key.day == "total" else cell)
    ]


def differences(found: Cells, whole: Cells) -> Iterator[tuple[Cell, str, float, float]]:
    """Every cell and measure with what is expected and how far off it is as a part of that."""
    for key in sorted({*found, *whole}):
        for measure in MEASURES:
            expected = value(whole.get(key), measure)
            fullest = max(
                (value(other, measure) for at, other in whole.items() if at.algorithm == key.algorithm != at.day),
                default=0.0,
            )
            base = max(expected, fullest * SMALL_DAY)
            off = value(found.get(key), measure) - expected
            yield key, measure, expected, off / base if base else math.copysign(1.0, off) if off else 0.0


def bounds_as_narrow(found: Cells, whole: Cells) -> list[str]:
    """No interval is wider than twice that of the whole."""
    return [
        f"{key.algorithm} {key.day}: {measure} within {width(own):.3g}, of one sitting within {width(other):.3g}"
        for key in sorted({*found} & {*whole})
        for measure in ("hashes", "kwh")
        for own, other in [(interval(found[key], measure), interval(whole[key], measure))]
        if width(own) > WIDER * width(other)
    ]


def bounds_in_order(found: Cells) -> list[str]:
    """Low is at most best, best at most high, and none below 0."""
    return [
        f"{key.algorithm} {key.day}: {measure} {own.low:.4g} {own.best:.4g} {own.high:.4g}"
        for key, amount in sorted(found.items())
        for measure in ("hashes", "kwh")
        for own in [interval(amount, measure)]
        if not 0.0 <= own.low * (1 - 1e-9) <= own.best <= own.high * (1 + 1e-9)
    ]


def truth_within(found: Cells, truth: Mapping[tuple[str, str], Amount]) -> list[str]:
    """The truth lies within the bounds: over all days always, by algorithm and day nearly always."""
    totals, cells, count = [], [], 0
    for (algorithm, day), amount in sorted(truth.items()):
        own = found.get(Cell(algorithm, day), Sum())
        # The ledger's hashes are those of accepted shares; rejected ones cost energy all the same.
        for measure, true in (("hashes", amount.hashes * (1 - REFUSED)), ("kwh", amount.kwh)):
            bounds = interval(own, measure)
            near = NEAR * (bounds.high - bounds.low) if day == "total" else 0.0
            missed = not bounds.low - near <= true <= bounds.high + near
            parts = " ".join(f"{part / true:.3f}" for part in (bounds.low, bounds.best, bounds.high))
            if day == "total":
                totals += [f"{algorithm}: {measure} {parts} of the truth"] * missed
            else:
                count += 1
                cells += [f"{algorithm} {day}: {measure} {parts} of the truth"] * missed
    return totals + (cells if len(cells) > MISSES * count else [])


def never_more_machines(found: Mapping[Cell, int], truth: Mapping[tuple[str, str], set[str]]) -> list[str]:
    """ "At least so many" machines of an algorithm on a day, and on all days, are never more than there are."""
    return [
        f"{cell.algorithm} {cell.day}: {machines} machines, not {len(truth.get(tuple(cell), set()))}"
        for cell, machines in sorted(found.items())
        if machines > len(truth.get(tuple(cell), set()))
    ]


def same_cases(found: Mapping[str, CaseDates], whole: Mapping[str, CaseDates]) -> list[str]:
    """The same cases, with the same steps on the same days."""
    return [
        f"{subject}: {found.get(subject)}, not {whole.get(subject)}"
        for subject in sorted({*found, *whole})
        if found.get(subject) != whole.get(subject)
    ]


def true_cases(found: Mapping[str, CaseDates], truth: Mapping[str, TrueCase]) -> list[str]:
    """One case for each who mined, seen first and last on the true days, opened on the first one; closed only while
    it was silent, and relapsed only on a day on which it came back."""
    misses = [f"{subject}: no such miner" for subject in sorted({*found} - {*truth})]
    for subject, true in sorted(truth.items()):
        case = found.get(subject)
        if case is None:
            misses.append(f"{subject}: no case")
            continue
        if (case.opened, case.last) != (true.first_day, true.last_day):
            misses.append(f"{subject}: seen {case.opened} to {case.last}, not {true.first_day} to {true.last_day}")
        if not case.steps or case.steps[0] != ("new", true.first_day):
            misses.append(f"{subject}: opened {case.steps[:1]}, not on {true.first_day}")
        misses += [f"{subject}: {state} on {day}" for state, day in case.steps if not _fits(state, day, true)]
    return misses


def same_document(found: object, whole: object, part: float = SAME_PART, place: str = "") -> list[str]:
    """Two bulletins have the same texts, and the same numbers to a part of them."""
    if isinstance(found, dict) and isinstance(whole, dict):
        keys = sorted({*found, *whole})
        return [miss for key in keys for miss in same_document(found.get(key), whole.get(key), part, f"{place}/{key}")]
    if isinstance(found, list) and isinstance(whole, list):
        if len(found) != len(whole):
            return [f"{place}: {len(found)} entries, not {len(whole)}"]
        pairs = enumerate(zip(found, whole, strict=True))
        return [miss for at, (a, b) in pairs for miss in same_document(a, b, part, f"{place}/{at}")]
    if isinstance(found, int | float) and isinstance(whole, int | float):
        same = math.isclose(found, whole, rel_tol=part)
    else:
        same = found == whole
    return [] if same else [f"{place}: {found!r}, not {whole!r}"]


def of_days(measured: Measured, first: str, last: str) -> dict[Cell, Sum]:
    """The cells of these days, and totals over them alone."""
    cells: dict[Cell, Sum] = {}
    for key, amount in measured.sums.items():
        if first <= key.day <= last:
            cells.setdefault(key, Sum()).add(amount)
            cells.setdefault(Cell(key.algorithm, "total"), Sum()).add(amount)
    return cells


def interval(amount: Sum, measure: str) -> Range:
    """The bounds of a measure that has some."""
    return amount.hashes if measure == "hashes" else amount.kwh


def value(amount: Sum | None, measure: str) -> float:
    """The best figure of a measure; 0 where there is no such cell."""
    if amount is None:
        return 0.0
    return amount.shares if measure == "shares" else interval(amount, measure).best


def width(bounds: Range) -> float:
    """How far the bounds are apart, as a part of the figure."""
    return (bounds.high - bounds.low) / bounds.best if bounds.best else math.inf


def _fits(state: str, day: str, true: TrueCase) -> bool:
    if state == "closed":
        return day > true.last_day or any(first <= day <= last for first, last in true.pauses)
    if state == "relapsed":
        return any(day > last for _, last in true.pauses)
    return True
