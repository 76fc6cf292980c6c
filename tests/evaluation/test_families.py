"""The families: enough of them, in two halves, and sessions that a capture can hold."""

from __future__ import annotations

import random

import pytest

from tests.evaluation import families, schedule
from tests.evaluation.families import Family
from tests.evaluation.talk import UP, Talk, World
from tests.evaluation.traffic import DAY_HOURS, MODELS, meaningless

ALL = (*families.mining(), *families.ordinary(), *families.noise())


def _played(family: Family, seed: int, until_s: float = 3600.0) -> Talk:
    rng = random.Random(seed)
    world = World(rng, until_s + 700)
    talk = Talk(rng, world.server(family.name, 0), 300.0, until_s)
    family.play(talk)
    return talk


def test_there_are_enough_and_each_half_has_some_of_both_kinds() -> None:
    assert len({family.name for family in ALL}) == len(ALL)
    by_hand = [family for family in families.mining() if family.origin == "hand"]
    assert len(by_hand) >= 12
    assert len(families.ordinary()) >= 20
    for half in ("tuning", "judging"):
        assert sum(family.half == half for family in families.mining()) >= 12
        assert sum(family.half == half for family in families.ordinary()) >= 12


def test_a_full_run_can_show_one_in_ten_thousand() -> None:
    parts = [part for part in schedule.parts(False, "1") if part.section == schedule.FAMILIES]
    counts: dict[str, int] = {}
    for part in parts:
        for family, many in part.counts:
            counts[family.name] = counts.get(family.name, 0) + many
    ordinary = [counts[family.name] for family in families.ordinary()]
    assert min(ordinary) >= 1000
    assert sum(ordinary) >= 29_957
    assert 3 * sum(part.lossy for part in parts) == len(parts)


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_a_session_has_lines_of_both_sides_within_its_time(family: Family) -> None:
    talk = _played(family, 1)
    assert {row.side for row in talk.rows} == {0, 1}
    assert all(row.lengths and min(row.lengths) > 0 for row in talk.rows)
    assert min(row.at_s for row in talk.rows) >= 0
    assert sum(row.at_s > 1800 for row in talk.rows) > 10


@pytest.mark.parametrize("family", families.mining(), ids=lambda family: family.name)
def test_miners_send_shares(family: Family) -> None:
    assert sum(len(_played(family, seed).shares) for seed in range(3)) > 10


def test_a_seed_gives_the_same_session() -> None:
    for family in ALL[::7]:
        assert _played(family, 3).rows == _played(family, 3).rows


@pytest.mark.parametrize("model", MODELS)
def test_traffic_without_meaning_does_not_hang_on_blocks(model: str) -> None:
    family = Family(model, False, meaningless(model), "hand", False)
    first = _played(family, 5, 3600 * DAY_HOURS)
    assert sum(row.side == UP for row in first.rows) > 5
    assert all("after" not in name for name in first.server._traits)
