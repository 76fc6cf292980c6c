"""On traffic without structure no kind of evidence lies below a level more often than the level says."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sensor.behaviour.chances import fisher
from sensor.behaviour.dialect_lengths import DialectLengths
from sensor.behaviour.grammar import look_at
from sensor.behaviour.reading import Sides, Window, answer_places, answers_relation, roll_over
from sensor.behaviour.trace import CLIENT, SERVER
from tests.behaviour.evaluate import dialect_families
from tests.behaviour.nulls import LEVELS, MODELS, excess, structureless


def chance_of_a_fixed_reading(rng: random.Random, model: str) -> float:
    """All relations together, of the shortest lengths of each direction, which is one reading and no search."""
    sides = Sides(structureless(rng, model, 1_800))
    if not sides.client or not sides.server:
        return 1.0
    shares, replies = (Window(min(lengths), min(lengths) + 2) for lengths in (sides.client, sides.server))
    chances = [answers_relation(sides, answer_places(sides, shares), replies).p]
    for lengths, window in ((sides.server, replies), (sides.client, shares)):
        rolled = roll_over(lengths, window)
        if rolled is not None:
            chances.append(rolled.p)
    return fisher(chances)


@pytest.mark.parametrize("model", MODELS)
def test_relations_of_a_fixed_reading_are_no_more_often_below_a_level_than_it_says(model: str) -> None:
    chances = [chance_of_a_fixed_reading(random.Random(f"{model} {n}"), model) for n in range(1_500)]
    assert min(chances) < 0.2
    for level in LEVELS:
        assert excess(chances, level) <= 3, (level, sum(p <= level for p in chances))


@pytest.mark.parametrize("model", MODELS)
def test_the_grammar_after_search_and_looks_is_no_more_often_below_a_level(
    model: str, grammars: list[DialectLengths]
) -> None:
    """The gates stand open, so that every reading is tried."""
    found = [
        look_at(structureless(random.Random(f"{model} {n}"), model, 900), grammars, gated=False) for n in range(80)
    ]
    assert sum(result.tried > 0 for result in found) > 40
    for level in LEVELS:
        assert excess([result.p for result in found], level) <= 3


@pytest.mark.parametrize("family", ["cryptonote", "stratum-v1", "kawpow"])
def test_a_mining_session_in_shuffled_order_is_no_more_often_below_a_level(
    family: str, grammars: list[DialectLengths]
) -> None:
    """With gates and openings: every reading's lengths are there, only their order says nothing."""
    chances, tested = [], 0
    for n in range(10):
        rng = random.Random(f"{family} {n}")
        trace, _ = dialect_families()[family](rng, 600, 0.0)
        for _ in range(20):
            lengths = list(trace.lengths)
            for side in (CLIENT, SERVER):
                places = [i for i, own in enumerate(trace.directions) if own == side]
                for place, length in zip(places, rng.sample([lengths[i] for i in places], len(places)), strict=True):
                    lengths[place] = length
            result = look_at(replace(trace, lengths=tuple(lengths)), grammars)
            tested += result.tried > 0
            chances.append(result.p)
    assert tested > 20
    for level in LEVELS:
        assert excess(chances, level) <= 3
