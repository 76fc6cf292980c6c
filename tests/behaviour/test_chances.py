"""Chances are those of an exact count."""

from __future__ import annotations

import math
import random
from itertools import combinations, permutations, product

import pytest

from sensor.behaviour.chances import (
    binomial_tail,
    chance_of_ladder,
    chance_of_order,
    fisher,
    gamma_share,
    gaps_look_exponential,
    hypergeometric_tail,
    hypergeometric_tails,
    ladder_levels,
    product_tail,
)


@pytest.mark.parametrize(("total", "marked", "drawn"), [(7, 3, 4), (6, 6, 2), (8, 2, 2), (5, 0, 3)])
def test_the_hypergeometric_tail_is_the_share_of_all_draws(total: int, marked: int, drawn: int) -> None:
    draws = [sum(i < marked for i in draw) for draw in combinations(range(total), drawn)]
    for hits in range(min(marked, drawn) + 1):
        exact = sum(found >= hits for found in draws) / len(draws)
        assert hypergeometric_tail(total, marked, drawn, hits) == pytest.approx(exact)


@pytest.mark.parametrize(
    ("total", "marked", "drawn"), [(7, 3, 4), (6, 6, 2), (5, 0, 3), (9, 7, 6), (900, 300, 310), (0, 0, 0)]
)
def test_all_hypergeometric_tails_at_once_are_those_of_each_number_of_hits(total: int, marked: int, drawn: int) -> None:
    least, most = max(0, drawn + marked - total), min(drawn, marked)
    each = [hypergeometric_tail(total, marked, drawn, hits) for hits in range(most, least - 1, -1)]
    assert hypergeometric_tails(total, marked, drawn) == pytest.approx(each)


def test_a_product_of_exact_chances_has_the_chance_of_an_exact_count() -> None:
    rows = [(0.1, 1.0), (0.02, 0.3, 1.0), (0.001, 0.01, 0.05, 0.4, 1.0)]
    steps = [[(p, p - before) for before, p in zip((0.0, *row), row, strict=False)] for row in rows]
    cases = [(math.prod(p for p, _ in case), math.prod(mass for _, mass in case)) for case in product(*steps)]
    for value, _ in cases:
        exact = sum(mass for other, mass in cases if other <= value * (1 + 1e-9))
        assert product_tail(rows, math.log(value)) == pytest.approx(exact)
    assert product_tail([], 0.0) == 1.0
    assert product_tail([(0.25, 1.0)], math.log(0.25)) == pytest.approx(0.25)


def test_a_product_of_exact_chances_is_worth_no_less_than_by_the_law_of_continuous_ones() -> None:
    rows = [(0.05, 1.0), (0.02, 1.0), hypergeometric_tails(40, 8, 9)]
    for hits in range(len(rows[2])):
        chances = [0.05, 0.02, rows[2][hits]]
        assert product_tail(rows, sum(map(math.log, chances))) <= fisher(chances) * (1 + 1e-9)


def test_an_order_that_never_falls_is_one_of_all_orders() -> None:
    lengths = [5, 5, 6, 7]
    orders = set(permutations(lengths))
    assert chance_of_order(lengths) == pytest.approx(1 / len(orders))
    assert chance_of_order([6, 5, 5, 7]) == 1.0


def test_a_ladder_needs_three_levels() -> None:
    assert ladder_levels([100, 167, 234, 101, 168], 67) == (100 % 67, 3)
    assert chance_of_ladder(2, 67) == 1.0
    assert chance_of_ladder(3, 67) == pytest.approx(67 * (2 / 67) ** 3)


def test_random_levels_are_a_ladder_no_more_often_than_its_chance() -> None:
    rng = random.Random(7)
    trials = 20_000
    hits = 0
    for _ in range(trials):
        levels = [rng.randrange(67 * 30) for _ in range(3)]
        residue, rungs = ladder_levels(levels, 67)
        hits += rungs == 3 and all((level - residue) % 67 <= 1 for level in levels)
    assert hits / trials <= chance_of_ladder(3, 67) * 1.5


def test_p_values_that_are_uniform_are_uniform_together() -> None:
    rng = random.Random(3)
    found = [fisher([rng.random() for _ in range(3)]) for _ in range(4_000)]
    assert sum(p <= 0.05 for p in found) == pytest.approx(200, abs=45)


def test_the_gamma_function_is_that_of_the_exponential_and_of_halves() -> None:
    for x in (0.1, 1.0, 5.0, 40.0):
        assert gamma_share(1, x) == pytest.approx(1 - math.exp(-x))
        assert gamma_share(0.5, x) == pytest.approx(math.erf(math.sqrt(x)))


def test_even_gaps_and_bursts_are_told_from_exponential_ones() -> None:
    rng = random.Random(5)
    exponential = [gaps_look_exponential([rng.expovariate(1) for _ in range(12)]) for _ in range(2_000)]
    assert sum(even <= 0.05 for even, _ in exponential) == pytest.approx(100, abs=35)
    assert sum(uneven <= 0.05 for _, uneven in exponential) == pytest.approx(100, abs=35)
    assert gaps_look_exponential([10 + rng.uniform(-1, 1) for _ in range(12)])[0] < 1e-4
    assert gaps_look_exponential([0.2, 0.1, 0.3, 60, 0.1, 0.2, 90, 0.1, 0.3, 0.2])[1] < 1e-3


def test_the_binomial_tail_is_a_sum() -> None:
    exact = sum(math.comb(6, k) * 0.3**k * 0.7 ** (6 - k) for k in range(2, 7))
    assert binomial_tail(6, 2, 0.3) == pytest.approx(exact)
