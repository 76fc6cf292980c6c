"""A short run of every target, the same in every process: seeds, and damage done to them by numbers that are drawn
from the target's name. `make fuzz` runs longer, and is guided by coverage.
"""

from __future__ import annotations

import random

import pytest

from tests.fuzz.targets.registry import GROUPS, group, targets

NAMES = sorted(targets())


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_from_outside_breaks_nothing(name: str) -> None:
    target = targets()[name]
    seeds, rng = target.seeds(), random.Random(name)
    for seed in rng.sample(seeds, min(len(seeds), 20)):
        target.feed(seed)
    for _ in range(target.short_runs):
        target.feed(target.mutate(rng, seeds))


def test_every_target_is_of_a_group() -> None:
    assert {name for name in NAMES if not name.startswith(sum(GROUPS.values(), ()))} == set()
    for name in GROUPS:
        together = group(name)
        assert together.seeds()
        together.feed(together.mutate(random.Random(1), together.seeds()))
