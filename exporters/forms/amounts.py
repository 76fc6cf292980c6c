"""Amounts as people read them: three digits and a prefix. Knows numbers and nothing of records."""

from __future__ import annotations


def quantity(amount: float, unit: str) -> str:
    """An amount with the prefix that keeps it short: `3.25 kW`."""
    scale, prefix = prefixed(amount)
    return f"{digits(amount / scale)} {prefix}{unit}"


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
