"""The interval holds the truth as often as it says, by dialect and loss: a reduced coverage table with a fixed seed."""

from __future__ import annotations

import pytest

from tests.coverage.simulation import LOSSES
from tests.coverage.table import LOW, SPEECHES, cell, clopper_pearson

SESSIONS = 8


def test_the_exact_interval_is_clopper_and_pearsons() -> None:
    low, high = clopper_pearson(0, 10)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.0005 ** (1 / 10), abs=1e-6)
    low, high = clopper_pearson(10, 10)
    assert low == pytest.approx(0.0005 ** (1 / 10), abs=1e-6)
    assert high == 1.0


@pytest.mark.parametrize("loss", LOSSES)
def test_intervals_hold_the_truth(loss: str) -> None:
    cells = [cell((at, loss, 1, SESSIONS)) for at in range(len(SPEECHES))]
    inside, sessions = sum(found.inside for found in cells), sum(found.sessions for found in cells)
    assert sessions >= 0.6 * SESSIONS * len(SPEECHES)
    assert clopper_pearson(inside, sessions)[1] >= LOW
    assert inside / sessions >= 0.88
