"""What was made of a scope, kept for a moment and made anew behind the visitors' backs.

What is kept is of one scope alone, so nobody is given another's. A value is new for a while; after that it is still
shown, and one thread makes it anew, resting in between so that pages have the processor. Only a value that nobody has
asked for in a long time is waited for.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TypeVar

from sensor.model.scope import Scope

#: Values that are kept at once, and their sizes together (lines of figures; some 2 kB each).
MOST_KEPT, MOST_SIZE = 256, 200_000
#: Seconds for which a value is new, at least, and as a multiple of what making it took; and for which it is shown after
#: that while it is made anew.
LEAST_S, TIMES_MAKING, OLD_S = 15.0, 20.0, 600.0
#: How long the thread rests after a value, as a multiple of what making it took: it has a quarter of a processor.
TIMES_RESTING = 3.0

Value = TypeVar("Value")
Subject = tuple[Scope, str]


@dataclass(frozen=True)
class _Entry:
    value: object
    size: int
    new_until_s: float
    shown_until_s: float


@dataclass
class _Turn:
    """Who makes a value, and how many want it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: int = 0


class FiguresCache:
    """Any thread may ask; one makes, those who ask for the same and have nothing to be shown wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Subject, _Entry] = OrderedDict()
        self._making: dict[Subject, _Turn] = {}
        self._renewals: SimpleQueue[tuple[Subject, Callable[[], object], Callable[[object], int]]] = SimpleQueue()
        self._renewing: set[Subject] = set()
        self._thread: threading.Thread | None = None

    def get(
        self, scope: Scope, subject: str, make: Callable[[], Value], size: Callable[[Value], int] = lambda _value: 1
    ) -> Value:
        """What `make` gave not long ago, or gives now; `size` says how much of the bound a value takes."""
        key = (scope, subject)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._clock() < entry.shown_until_s:
                self._entries.move_to_end(key)
                if self._clock() >= entry.new_until_s:
                    self._renew_later(key, make, size)  # type: ignore[arg-type]
                return entry.value  # type: ignore[return-value]
            turn = self._making.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                with self._lock:
                    entry = self._entries.get(key)
                if entry is not None and self._clock() < entry.shown_until_s:
                    return entry.value  # type: ignore[return-value]
                return self._make(key, make, size)
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:  # not before: where making fails, those who wait go on one by one
                    del self._making[key]

    def _make(self, key: Subject, make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        began_s = self._clock()
        value = make()
        ended_s = self._clock()
        new_until_s = ended_s + max(LEAST_S, TIMES_MAKING * (ended_s - began_s))
        with self._lock:
            self._entries[key] = _Entry(value, size(value), new_until_s, new_until_s + OLD_S)
            self._entries.move_to_end(key)
            whole = sum(entry.size for entry in self._entries.values())
            while len(self._entries) > 1 and (len(self._entries) > MOST_KEPT or whole > MOST_SIZE):
                whole -= self._entries.popitem(last=False)[1].size
        return value

    def _renew_later(self, key: Subject, make: Callable[[], object], size: Callable[[object], int]) -> None:
        """With the lock held."""
        if key in self._renewing:
            return
        self._renewing.add(key)
        self._renewals.put((key, make, size))
        if self._thread is None:
            self._thread = threading.Thread(target=self._renew, name="figures", daemon=True)
            self._thread.start()

    def _renew(self) -> None:
        while True:
            key, make, size = self._renewals.get()
            began_s = self._clock()
            try:
                self._make(key, make, size)
            except Exception as error:  # what is kept is shown on; whoever has to wait for a new one hears of it
                print(f"minewatch: console: figures: {error}", file=sys.stderr, flush=True)
            finally:
                with self._lock:
                    self._renewing.discard(key)
            time.sleep(max(0.0, TIMES_RESTING * (self._clock() - began_s)))
