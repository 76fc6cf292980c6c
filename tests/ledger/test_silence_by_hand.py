"""The probability of a silence is what its two reasons come to, worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sensor.cases import silence
from sensor.cases.silence import History


@pytest.mark.parametrize(
    ("history", "hours", "expected"),
    [
        # (T/(T+s))^n, and three pauses of 8 h that nobody saw
        (History(2, 24, ()), 24, Fraction(24, 48) ** 2 + Fraction(24, 48) ** 3),
        # pauses of 6 and 30 h count, one of 5 h is chance: (36 + 24) / (2 + 3) = 12 h, five of them
        (History(4, 8, (6, 30, 5)), 24, Fraction(8, 32) ** 4 + Fraction(1, 3)),
        # up to half more than the longest, one more is as likely as before; beyond, their mean decides
        (History(4, 8, (6, 30, 5)), 45, Fraction(8, 53) ** 4 + Fraction(1, 3)),
        (History(4, 8, (6, 30, 5)), 46, Fraction(8, 54) ** 4 + Fraction(60, 106) ** 5),
        # ten pauses say no more of the longest than eight do: (80 + 24) / 13 = 8 h
        (History(5, 3, (8,) * 10), 61, Fraction(3, 64) ** 5 + Fraction(64, 125) ** 8),
        # the tail of the pauses is what is more probable, where one in so many is less
        (History(9, 1, (7,) * 11), 1, Fraction(1, 2) ** 9 + Fraction(8 * 101, 8 * 101 + 14) ** 8),
        # after a single pause the next is one of two
        (History(2, 6, (20,)), 30, Fraction(6, 36) ** 2 + Fraction(1, 2)),
        # never more than certain, and certain as long as there is no silence
        (History(1, 100, ()), 1, Fraction(1)),
        (History(50, 24, ()), 0, Fraction(1)),
        (History(50, 24, ()), -3, Fraction(1)),
        (History(1, 24, ()), -48, Fraction(1)),
    ],
)
def test_a_silence_is_as_probable_as_chance_and_a_pause_together(
    history: History, hours: int, expected: Fraction
) -> None:
    assert silence.probability(history, hours) == pytest.approx(float(expected), rel=1e-12)


def test_a_fraction_of_an_hour_is_silence() -> None:
    expected = (Fraction(24) / (24 + Fraction(1, 2))) ** 400 + (24 / (24 + Fraction(1, 2))) ** 3
    assert silence.probability(History(400, 24, ()), 0.5) == pytest.approx(float(expected), rel=1e-12)


def test_the_rate_is_of_the_last_day_of_mining_and_pauses_are_of_all_hours() -> None:
    shares = dict.fromkeys(range(10), 100) | dict.fromkeys(range(17, 41), 3)
    assert silence.history_of(shares) == History(72, 24, (7,))
    assert silence.history_of(shares | {45: 1, 43: 0, 44: 0}) == History(70, 24, (7, 4))
    assert silence.history_of({1: 1, 3: 2, 4: 5}) == History(8, 3, (1,))


def test_the_silence_that_is_needed_is_the_first_half_hour_that_is_improbable() -> None:
    for history in (History(100, 24, ()), History(2, 24, ()), History(100, 24, (40,) * 10), History(1, 1, (6, 90))):
        for level in (0.001, 0.02, 0.5):
            needed = silence.hours_needed(history, level)
            assert needed % 0.5 == 0
            assert silence.probability(history, needed) <= level < silence.probability(history, needed - 0.5)
        assert silence.hours_needed(history) == silence.hours_needed(history, 0.001)


def test_a_silence_that_is_just_improbable_is_enough() -> None:
    history = History(3, 24, (9,))
    assert silence.hours_needed(history, silence.probability(history, 64)) == 64
    assert silence.hours_needed(history, silence.probability(history, 49)) == 49


def test_two_months_are_looked_at() -> None:
    assert silence.HISTORY_HOURS == 24 * (31 + 29)


def test_the_reason_is_a_sentence_with_every_figure() -> None:
    assert silence.explain(History(96, 24, (2, 7)), 200) == (
        "no share for 200 h in which the sensor listened; at the earlier rate (4 shares an hour, 2 pauses before, the "
        "longest of 7 h) a miner that is still there is silent for so long with probability "
        f"{float(Fraction(24, 224) ** 96 + Fraction(31, 231) ** 4):.2g}"
    )
    assert "(1.5 shares an hour, no pause before)" in silence.explain(History(36, 24, ()), 30)
    assert "(0 shares an hour, no pause before)" in silence.explain(History(0, 0, ()), 30)


def test_what_is_known_of_a_miner_does_not_change() -> None:
    with pytest.raises(AttributeError):
        History(1, 1, ()).shares = 2  # type: ignore[misc]
