"""Further traffic that resembles mining and is not, whole, joined late, and seen from one side: nothing of any grade
is found in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sensor.model.finding import Finding
from tests.session.dialogue import events, run, unseen

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "look_alikes.yaml").read_text())


def named(records: list[Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.dialect, one.grade.label, one.reasons) for one in records if isinstance(one, Finding)]


def test_there_are_at_least_forty_of_them_and_each_says_what_it_tries() -> None:
    assert len({one["name"] for one in CASES}) == len(CASES) >= 40
    assert all(len(one["proves"]) > 10 for one in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda one: one["name"])
def test_nothing_is_found(case: dict[str, Any]) -> None:
    assert named(run(events(case["said"]))[0]) == []


@pytest.mark.parametrize("case", CASES, ids=lambda one: one["name"])
def test_nothing_is_found_when_joined_after_two_lines(case: dict[str, Any]) -> None:
    rest = "\n".join(case["said"].splitlines()[2:])
    assert named(run(events(rest, midstream=True))[0]) == [] if rest.strip() else True


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=lambda one: one["name"])
def test_one_side_alone_never_speaks(case: dict[str, Any], direction: int) -> None:
    seen = named(run(unseen(events(case["said"], midstream=True), direction))[0])
    assert [one for one in seen if one[1] != "behaves"] == []
