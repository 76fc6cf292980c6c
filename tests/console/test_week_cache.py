"""Figures of a week are made once for a scope and kept; old ones are shown while new ones are made; nobody is shown
another scope's."""

from __future__ import annotations

import threading
import time

import pytest

from sensor.console import week_cache
from sensor.console.week_cache import LEAST_S, OLD_S, FiguresCache
from sensor.model.scope import EVERYWHERE, Scope

SUZHOU, WUXI = Scope(("3205",)), Scope(("3202",))


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def until(holds: object, seconds: float = 5.0) -> None:
    """Wait for what another thread does."""
    limit = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < limit
        time.sleep(0.002)


def test_what_is_new_is_made_once_for_each_scope() -> None:
    cache, calls = FiguresCache(Clock()), []
    for _each in range(3):
        for scope in (SUZHOU, WUXI, EVERYWHERE):
            assert cache.get(scope, "week", lambda scope=scope: calls.append(scope) or scope) == scope  # type: ignore[misc]
    assert calls == [SUZHOU, WUXI, EVERYWHERE]


def test_old_figures_are_shown_at_once_and_made_anew_behind_them() -> None:
    clock = Clock()
    cache = FiguresCache(clock)
    assert cache.get(SUZHOU, "week", lambda: 1) == 1
    clock.now_s = LEAST_S + 1
    go_on = threading.Event()

    def make() -> int:
        assert go_on.wait(5)
        return 2

    assert cache.get(SUZHOU, "week", make) == 1
    assert cache.get(SUZHOU, "week", make) == 1, "one makes, nobody waits"
    go_on.set()
    until(lambda: cache.get(SUZHOU, "week", make) == 2)


def test_what_nobody_asked_for_in_long_is_waited_for() -> None:
    clock = Clock()
    cache = FiguresCache(clock)
    cache.get(SUZHOU, "week", lambda: 1)
    clock.now_s = LEAST_S + OLD_S + 1
    assert cache.get(SUZHOU, "week", lambda: 2) == 2


def test_a_ledger_that_cannot_be_read_keeps_the_former_figures_and_ends_no_thread(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    cache = FiguresCache(clock)
    cache.get(SUZHOU, "week", lambda: 1)
    clock.now_s = LEAST_S + 1
    failed = threading.Event()

    def fail() -> int:
        failed.set()
        raise OSError("no ledger")

    assert cache.get(SUZHOU, "week", fail) == 1
    assert failed.wait(5)
    until(lambda: cache.get(SUZHOU, "week", lambda: 3) == 3)
    assert "figures: no ledger" in capsys.readouterr().err
    clock.now_s += LEAST_S + OLD_S + 1
    with pytest.raises(OSError, match="no ledger"):
        cache.get(SUZHOU, "week", fail)


def test_those_who_ask_for_the_same_wait_for_one() -> None:
    cache, calls, go_on = FiguresCache(), [], threading.Event()

    def make() -> int:
        calls.append(1)
        assert go_on.wait(5)
        return 7

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get(SUZHOU, "week", make))) for _each in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: calls)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert found == [7] * 8
    assert len(calls) == 1


def test_where_making_fails_the_others_try_one_by_one() -> None:
    cache, at_once, most = FiguresCache(), 0, 0
    counting, begun = threading.Lock(), threading.Event()

    def make() -> int:
        nonlocal at_once, most
        with counting:
            at_once += 1
            most = max(most, at_once)
        begun.set()
        time.sleep(0.05)
        with counting:
            at_once -= 1
        raise OSError("the ledger cannot be read")

    def ask() -> None:
        with pytest.raises(OSError, match="cannot be read"):
            cache.get(SUZHOU, "week", make)

    threads = [threading.Thread(target=ask) for _each in range(3)]
    for thread in threads:
        thread.start()
    assert begun.wait(5)
    time.sleep(0.07)  # the first has failed, the second tries
    late = threading.Thread(target=ask)
    late.start()
    for thread in (*threads, late):
        thread.join(5)
    assert most == 1


def test_what_is_kept_is_bounded_by_number_and_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(week_cache, "MOST_KEPT", 3)
    monkeypatch.setattr(week_cache, "MOST_SIZE", 10)
    cache, calls = FiguresCache(Clock()), []

    def asked(subject: str, size: int) -> None:
        cache.get(SUZHOU, subject, lambda: calls.append(subject), lambda _value: size)

    for subject in "abcd":
        asked(subject, 1)
    asked("a", 1)
    assert calls == ["a", "b", "c", "d", "a"], "more than three are not kept"
    asked("large", 9)
    asked("a", 1)
    asked("large", 9)
    assert calls[5:] == ["large"], "the newest are kept as far as they fit"
    asked("d", 1)
    assert calls[6:] == ["d"]
