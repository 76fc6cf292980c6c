"""The target that hashes tell is true as often as it says, and no difficulty that holds is refuted."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sensor.estimate.hash_target import (
    FIRST_HASHES,
    FULL_HASHES,
    NEAR,
    SPACE,
    are_proof_of_work,
    refute,
    work_by_hashes,
)
from sensor.estimate.target import target_factors
from sensor.signatures.work import UNITS

targets = st.integers(min_value=1 << 40, max_value=SPACE >> 8)
counts = st.integers(min_value=FIRST_HASHES, max_value=FULL_HASHES)
seeds = st.integers(min_value=0, max_value=1 << 30)


def work(target: int) -> int:
    return SPACE * UNITS // target


def hashes(target: int, count: int, seed: int) -> list[int]:
    rng = random.Random(seed)
    return [rng.randrange(target) for _ in range(count)]


@given(targets, counts, seeds)
def test_what_is_told_is_at_most_what_the_largest_hash_leaves_possible(target: int, count: int, seed: int) -> None:
    values = hashes(target, count, seed)
    guess = work_by_hashes(values, None)
    assert guess is not None
    assert guess.hashes == count
    assert guess.work <= work(max(values)) * (1 + 1e-9)
    assert guess.work >= work(max(values)) * count / (count + 1) * (1 - 1e-9)


@given(targets, seeds, st.floats(min_value=0.01, max_value=100.0))
def test_a_difficulty_is_kept_only_where_it_is_near(target: int, seed: int, factor: float) -> None:
    before = max(1, int(work(target) * factor))
    values = hashes(target, FULL_HASHES, seed)
    guess = work_by_hashes(values, before)
    assert guess is not None
    if guess.hashes == 0:
        assert guess.work == before
        assert NEAR <= max(values) * before / (SPACE * UNITS) < 1.0


@given(targets, counts, seeds)
def test_a_difficulty_that_holds_is_not_refuted(target: int, count: int, seed: int) -> None:
    assert not refute(hashes(target, count, seed), max(1, work(target) - 1))


@given(targets, seeds)
def test_another_difficulty_is_refuted(target: int, seed: int) -> None:
    values = hashes(target, FULL_HASHES, seed)
    assert refute(values, work(target) // 2)
    assert refute(values, work(target) * 2)


@given(counts, seeds)
def test_other_numbers_are_no_proof_of_work(count: int, seed: int) -> None:
    values = hashes(SPACE, count, seed)
    assert not are_proof_of_work(values)
    assert work_by_hashes(values, None) is None
    assert not refute(values, 1 << 80)


def test_the_bounds_hold_the_target_as_often_as_they_say() -> None:
    inside, rounds, target = 0, 2_000, 1 << 200
    for seed in range(rounds):
        guess = work_by_hashes(hashes(target, FIRST_HASHES, seed), None)
        assert guess is not None
        low, high = target_factors(FIRST_HASHES, 0.95)
        inside += guess.work * low <= work(target) <= guess.work * high
    assert 0.93 * rounds < inside < 0.97 * rounds
