"""Amounts as people read them: digits, prefixes, units, lengths of time. Knows numbers and nothing of records."""

from __future__ import annotations

#: Digits of estimates in machine-readable forms: more would be false, and last digits differ between processors.
SIGNIFICANT_DIGITS = 6
#: What stands before a lower bound.
AT_LEAST = "≥ "


def quantity(amount: float, unit: str) -> str:
    """An amount with the prefix that keeps it short: `3.25 kW`."""
    scale, prefix = prefixed(amount)
    return f"{digits(amount / scale)} {prefix}{unit}"


def interval(low: float, high: float, unit: str) -> str:
    """Two bounds, each with its own prefix: `950 W – 1.2 kW`."""
    return f"{quantity(low, unit)} – {quantity(high, unit)}"


def prefixed(amount: float) -> tuple[float, str]:
    """The scale an amount is best read in, and its prefix."""
    for power, prefix in enumerate("EPTGMk"):
        scale = 1000.0 ** (6 - power)
        if amount >= scale * 0.9995:
            return scale, prefix
    return 1.0, ""


def digits(value: float) -> str:
    """Three digits, or the whole number if it has more."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


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
