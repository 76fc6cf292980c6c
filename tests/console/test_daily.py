"""Work of each day is done at the start and again, and trouble of one day does not end it."""

from __future__ import annotations

import threading

import pytest

from sensor.console.people.daily import DailyWork
from sensor.people.store import PeopleError


def test_work_is_done_at_once_and_again_until_it_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    times, enough = [0], threading.Event()

    def work() -> None:
        times[0] += 1
        if times[0] == 3:
            enough.set()
        if times[0] == 1:
            raise PeopleError("people: locked")

    daily = DailyWork(work, 0.001)
    assert enough.wait(10)
    daily.stop()
    ended = times[0]
    assert "people: locked" in capsys.readouterr().err
    daily.stop()
    assert times[0] == ended
