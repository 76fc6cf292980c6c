"""How often a token may ask: a bucket that fills steadily. Bounded, whatever is asked by however many tokens."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: Requests at once, and those that come back each second: 120 a minute go on for ever. Tokens whose buckets are
#: remembered; the one that asked longest ago goes first, and after half a minute it is full again anyway.
BURST, EACH_SECOND, MOST_BUCKETS = 60.0, 2.0, 4_096


class RequestRate:
    """Buckets by token. Any thread may ask."""

    def __init__(
        self, burst: float = BURST, each_second: float = EACH_SECOND, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._each_second, self._clock = burst, each_second, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is in it, and when that was so

    def wait_s(self, token_id: str) -> float:
        """Take one request; 0 where it may go on, else after how long the next one may."""
        with self._lock:
            now = self._clock()
            held, when = self._buckets.get(token_id, (self._burst, now))
            held = min(self._burst, held + (now - when) * self._each_second)
            allowed = held >= 1.0
            self._buckets[token_id] = (held - 1.0 if allowed else held, now)
            self._buckets.move_to_end(token_id)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - held) / self._each_second

    def __len__(self) -> int:
        """Buckets that are remembered."""
        return len(self._buckets)
