"""The chance of an opening is the share of all orders that begin with it, and a search pays for what could have won."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest

from sensor.behaviour.opening_order import nested_chances
from sensor.behaviour.reading import Sides, Window
from sensor.behaviour.reading_chances import ReadingTest, Search, chances_of
from sensor.behaviour.trace import CLIENT, Trace


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [
        ([90, 120, 200, 200, 200], [{90}, {120}]),
        ([90, 120, 200, 200, 200], [{90, 120}, {90, 120}]),
        ([90, 90, 120, 200, 50], [{90, 50}, {90, 120}, {200}]),
        ([90, 200], [{90}, {200}, {50}]),
    ],
)
def test_the_chance_of_an_opening_is_the_share_of_all_orders(lengths: list[int], wanted: list[set[int]]) -> None:
    orders = list(permutations(lengths))
    for k, chance in enumerate(nested_chances(Counter(lengths), wanted), 1):
        hits = sum(all(order[i] in wanted[i] for i in range(k)) for order in orders)
        assert chance == pytest.approx(hits / len(orders))


def test_many_lengths_that_all_fit_cost_no_more_than_a_few() -> None:
    """As a session of a hostile sender may have them: drawn one by one these would be ten thousand million ways."""
    lengths = Counter(dict.fromkeys(range(100, 420), 2))
    wanted = [set(lengths), set(lengths), {*range(100, 200)}, {*range(150, 420)}]
    chances = nested_chances(lengths, wanted)
    assert chances[:2] == [1.0, 1.0]
    assert chances[2] == pytest.approx(100 / 320)
    assert chances[3] == pytest.approx((100 * 540 - 50) / 320 / 639)


def test_a_search_pays_for_the_tests_that_could_have_given_as_little() -> None:
    search = Search(leasts=(1e-9, 1e-7, 1e-3, 0.2))
    assert [search.price(p) for p in (1e-10, 1e-9, 1e-5, 0.01, 1.0)] == [0, 1, 2, 3, 4]


def test_a_search_pays_for_openings_that_the_order_did_not_show() -> None:
    search = Search(leasts=(1e-9, 1e-7), readings=((1e-6, 1e-4), (0.5,)), openings=7, least_opening=1e-3)
    assert search.price(1e-9) == 7
    assert search.price(1e-7) == 14


def test_less_is_never_paid_for_more() -> None:
    search = Search(leasts=(1e-9, 1e-7, 1e-3), readings=((1e-6, 1e-2),), openings=3, least_opening=1e-3)
    levels = [10.0**-n for n in range(12, -1, -1)]
    paid = [p * search.price(p) for p in levels]
    assert paid == sorted(paid)


def test_ids_that_grow_in_answers_count_only_where_those_of_questions_do() -> None:
    """Every JSON-RPC has answers whose ids grow."""
    replies = [36] * 9 + [37] * 11
    found = {}
    for name, questions in {"grow": [145] * 9 + [146] * 11, "stay": [145] * 20, "waver": [145, 146] * 10}.items():
        rows = [(n, n % 2, (questions if n % 2 == CLIENT else replies)[n // 2]) for n in range(40)]
        times, sides, lengths = zip(*((n * 10**9, side, length) for n, side, length in rows), strict=True)
        test = ReadingTest(Window(145, 148), Window(36, 38), all_asked=False, step=None, skip=0, opening=())
        found[name] = chances_of(Sides(Trace(times, sides, lengths)), test, ()).p
    assert found["grow"] < 1e-9
    assert found["stay"] == found["waver"] == 1.0
