"""The core of a daemon hears which flows the line has given up; that of captures, which are read the same every time,
does not."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from sensor.daemon.steps import LineSteps
from sensor.line.pipeline import Pipeline
from sensor.model.events import Open
from sensor.signatures import load
from tests.core.captures import T0


class Core:
    """Remembers what was dismissed."""

    def __init__(self) -> None:
        self.dismissed: list[int] = []

    def dismiss(self, flow: int) -> None:
        self.dismissed.append(flow)


def opened(flow: int) -> Open:
    return Open(
        flow, T0, 6, bytes([10, 0, 0, flow]), 40_000, bytes([192, 0, 2, 1]), 3_333, "syn", False, T0, (), "test"
    )


@pytest.mark.parametrize(("live", "dismissed"), [(True, [1, 2]), (False, [])])
def test_flows_that_the_line_gives_up_are_dismissed_on_a_link(
    monkeypatch: pytest.MonkeyPatch, live: bool, dismissed: list[int]
) -> None:
    monkeypatch.setattr("sensor.line.pipeline.MAX_OPEN_FLOWS", 3)
    core, pipeline = Core(), Pipeline(load())
    others: Any = SimpleNamespace(counters=Counter())
    recorded: Any = lambda *_: None  # noqa: E731
    steps = LineSteps(pipeline, recorded, others, others, others, core=core, live=live)  # type: ignore[arg-type]
    steps.take([opened(flow) for flow in range(1, 6)], T0)
    assert (core.dismissed, list(pipeline.dismissed)) == (dismissed, [])
    steps.take([], T0)
    assert core.dismissed == dismissed
