"""Amounts as people read them: digits, prefixes, units, lengths of time. Knows numbers and nothing of records."""

from __future__ import annotations

from decimal import Decimal

#: Digits of estimates in machine-readable forms: more would be false, and last digits differ between processors.
SIGNIFICANT_DIGITS = 6
#: Digits of an estimate for people; one more where its bounds are no further from its best value than this part of it.
DIGITS, NARROW_DIGITS, NARROW = 3, 4, 0.01
#: In its unit nothing smaller than this is written out.
LEAST_SHOWN = 0.001
#: Prefixes of the SI (BIPM, 2022) with the powers of ten that they stand for.
PREFIXES = (*zip("QRYZEPTGMk", range(30, 0, -3), strict=True), ("", 0), ("m", -3), ("µ", -6), ("n", -9))
#: What stands before a lower bound, and before what something is less than.
AT_LEAST, LESS = "≥ ", "< "


def quantity(amount: float, unit: str, count: int = DIGITS) -> str:
    """An amount with the prefix that keeps it short: `3.25 kW`."""
    scale, prefix = prefixed(amount)
    return f"{scaled(amount, scale, count)} {prefix}{unit}"


def interval(low: float, high: float, unit: str, count: int = DIGITS) -> str:
    """Two bounds, each with its own prefix: `950 W – 1.2 kW`."""
    return f"{quantity(low, unit, count)} – {quantity(high, unit, count)}"


def bounds(low: float, high: float, scale: float, count: int = DIGITS) -> str:
    """Two bounds at the scale of their best value, whose unit stands beside it: `0.95–1.2`."""
    return f"{scaled(low, scale, count)}–{scaled(high, scale, count)}"


def digits_of(low: float, best: float, high: float) -> int:
    """With how many digits an estimate is shown: as its bounds support."""
    return NARROW_DIGITS if max(high - best, best - low) <= NARROW * best else DIGITS


def prefixed(amount: float) -> tuple[float, str]:
    """The scale an amount is best read in, and its prefix; below 1 only what would begin with `0.000`."""
    if not amount or LEAST_SHOWN <= amount < 999.5:
        return 1.0, ""
    for prefix, power in PREFIXES:
        scale = 10.0**power
        if amount >= scale * 0.9995 and (power >= 0 or amount < LEAST_SHOWN):
            return scale, prefix
    return 10.0 ** PREFIXES[-1][1], PREFIXES[-1][0]


def scaled(amount: float, scale: float, count: int = DIGITS) -> str:
    """An amount in a scale; what is too small for it is said to be less than the least that is written out."""
    value = amount / scale
    return f"{LESS}{LEAST_SHOWN:g}" if 0.0 < value < LEAST_SHOWN else digits(value, count)


def digits(value: float, count: int = DIGITS) -> str:
    """So many significant digits, thousands grouped, never with an exponent."""
    return grouped(significant(value, count))


def grouped(value: float | Decimal) -> str:
    """All digits of a number, thousands grouped by commas."""
    text = f"{value if isinstance(value, Decimal) else Decimal(repr(value + 0.0)):,f}"  # -0.0 + 0.0 is 0.0
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(part: float) -> str:
    """A part of a whole, 0 to 1, in three digits: `97.5%`."""
    return f"{100 * part:.3g}%"


def significant(value: float, count: int = SIGNIFICANT_DIGITS) -> float:
    """A figure at so many significant digits."""
    return float(f"{value:.{count}g}")


def work_symbol(work_unit: str | None) -> str:
    """The symbol of a unit of work, "hashes" or "solutions" (of Equihash and the like)."""
    return "Sol" if work_unit == "solutions" else "H"


def rate_unit(work_unit: str | None) -> str:
    """The unit of a hashrate in such work: `H/s`, `Sol/s`."""
    return f"{work_symbol(work_unit)}/s"


def size(count: int) -> str:
    """Bytes for people: `1.2 MB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `3 h 20 min`."""
    whole = round(seconds)
    for unit, size_s, below, small_s in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size_s:
            return f"{whole // size_s} {unit} {whole % size_s // small_s} {below}"
    return f"{whole} s"


def counted(count: int, noun: str, plural_noun: str | None = None) -> str:
    """A count with its noun: `1 pool`, `1,200 addresses`."""
    return f"{count:,} {plural(count, noun, plural_noun)}"


def plural(count: int, noun: str, plural_noun: str | None = None) -> str:
    """The noun for a count, with an `s` where it has no plural of its own."""
    return noun if count == 1 else plural_noun or f"{noun}s"
