"""The rule of digits: three that mean something, four where bounds are close, in every form and language."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from exporters.forms import amounts
from exporters.forms.documents import numerals
from exporters.forms.documents.languages import REPORT, language_of
from exporters.forms.documents.model import ranged
from sensor.cli import ledger_figures
from sensor.model.range import Range

POWERS = {"": 0, "m": -3, "µ": -6, "n": -9} | dict(zip("kMGTPEZYRQ", range(3, 31, 3), strict=True))
AMOUNTS = st.floats(1e-8, 1e30) | st.integers(-8, 29).flatmap(
    lambda power: st.floats(1, 10).map(lambda x: x * 10.0**power)
)


def read(text: str) -> float:
    """The amount that a text says."""
    number, _, unit = text.partition(" ")
    return float(number.replace(",", "")) * 10.0 ** POWERS[unit.removesuffix("W")]


def significant(text: str) -> str:
    """The digits of a number that mean something."""
    return text.partition(" ")[0].replace(",", "").replace(".", "").lstrip("0")


@given(AMOUNTS)
def test_an_amount_has_three_digits_and_the_right_unit(amount: float) -> None:
    text = amounts.quantity(amount, "W")
    assert abs(read(text) - amount) <= 0.006 * amount
    assert len(significant(text).rstrip("0")) <= 3
    assert "e" not in text
    assert not re.match(r"-0|0\.000", text)
    assert len(text.partition(" ")[0]) <= 7


@given(AMOUNTS, AMOUNTS)
def test_rounding_keeps_the_order(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert read(amounts.quantity(low, "W")) <= read(amounts.quantity(high, "W"))


@given(AMOUNTS, st.floats(0, 1), st.floats(1, 50))
def test_bounds_never_cross_their_value(best: float, under: float, over: float) -> None:
    low, high = best * under, best * over
    count, (scale, _) = amounts.digits_of(low, best, high), amounts.prefixed(best)
    shown_low, shown_high = amounts.bounds(low, high, scale, count).split("–")
    middle = float(amounts.scaled(best, scale, count).replace(",", ""))
    if not shown_low.startswith(amounts.LESS):
        assert float(shown_low.replace(",", "")) <= middle
        assert not re.search(r"e|-0|^0\.000", shown_low)
    assert middle <= float(shown_high.replace(",", ""))
    assert count == (4 if max(high - best, best - low) <= 0.01 * best else 3)


@given(AMOUNTS, st.floats(0, 0.02), st.floats(1.0, 1.02))
def test_documents_show_a_range_by_the_same_rule(best: float, under: float, over: float) -> None:
    best = max(1.0, min(best, 1e18))
    cell = ranged(best * (1 - under), best, best * over)
    count = amounts.digits_of(cell.low, cell.best, cell.high)
    assert numerals.best(cell, "prefixed", "W") == amounts.quantity(cell.best, "W", count)


def test_nothing_is_nothing_and_unknown_stays_unknown() -> None:
    assert amounts.quantity(0.0, "W") == amounts.quantity(-0.0, "W") == "0 W"
    assert amounts.quantity(1_234_567.891, "W") == "1.23 MW"
    assert amounts.quantity(0.000_012_34, "W") == "12.3 µW"
    assert amounts.quantity(3e22, "H") == "30 ZH"
    assert amounts.quantity(999.96, "W") == "1 kW"
    assert amounts.bounds(0.0, 5.0, 1e6) == "0–< 0.001"
    for name, unknown in (("en", "unknown"), ("zh", "未知")):
        language = language_of(name, REPORT, "sensor.cli")
        assert ledger_figures.figure_text(None, "W", False, language) == unknown
        assert ledger_figures.figure_text(Range(0.0, 0.0, 0.0), "kWh", False, language) == unknown


def test_electricity_has_sensible_digits_in_both_languages() -> None:
    value = Range(1_034_567.891, 1_234_567.891, 1_634_567.891)
    english, chinese = (language_of(name, REPORT, "sensor.cli") for name in ("en", "zh"))
    assert ledger_figures.figure_text(value, "kWh", True, english) == (
        "at least 1,230,000 kWh (1,030,000 to 1,630,000)"
    )
    assert ledger_figures.figure_text(value, "kWh", False, chinese) == "1,230,000 kWh（1,030,000 至 1,630,000）"
