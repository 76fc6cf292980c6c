"""What `make reliability` measures at full size holds at a small one too."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from sensor.intake import engine
from sensor.signatures import load
from tests.reliability import loss, power_cut, soak
from tests.reliability.evasion.case import Case, Expected
from tests.reliability.evasion.matrix import all_cases, run
from tests.reliability.plan import TESTS

CASES = list(all_cases())
SIGNATURES = load()


def test_there_are_150_cases_each_with_its_expectation() -> None:
    titles = [case.title for case in CASES]
    assert len(titles) == len(set(titles)) >= 150
    assert all(case.why for case in CASES if case.expected in (Expected.AMBIGUOUS, Expected.DOUBTED))


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_session_comes_out_as_expected_however_it_is_sent(case: Case, tmp_path: Path) -> None:
    came = run(case, SIGNATURES, engine.load(), tmp_path)
    assert came.is_as(case.expected), came


def test_of_sessions_that_lost_packets_nearly_all_are_found() -> None:
    result = loss.run(sessions=16)
    assert result.passed, result.figure


def test_a_ledger_is_whole_after_the_power_goes() -> None:
    if not shutil.which("strace"):
        pytest.skip("needs strace (make debian-packages)")
    result = power_cut.run(cuts=10)
    assert result.passed, result.figure


def test_every_test_of_the_plan_can_be_called() -> None:
    for test in TESTS:
        if ":" in test.by and "::" not in test.by:
            module, _, function = test.by.partition(":")
            assert callable(getattr(importlib.import_module(f"tests.reliability.{module}"), function)), test.name


def test_what_floods_take_for_a_while_is_no_growth_and_what_stays_is() -> None:
    def course(grows_bytes_per_h: float) -> list[soak.Sample]:
        moments = range(0, 3_600, 5)
        flood = [8_000_000 if moment % 120 < 30 else 0 for moment in moments]
        sizes = [200_000_000 + moment * grows_bytes_per_h / 3_600 for moment in moments]
        return [
            soak.Sample(float(moment), int(size) + more, 23, 7)
            for moment, size, more in zip(moments, sizes, flood, strict=True)
        ]

    still, growing = (soak.slope_per_h(soak.lowest(course(rate))) for rate in (0.0, 5e6))
    assert still == (0.0, 0.0, 0.0)
    assert growing.least <= growing.best <= growing.most
    assert growing.best == pytest.approx(5e6, rel=0.01)
