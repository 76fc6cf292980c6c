"""How long to wait after a failure: twice as long each time, up to a bound, and never all destinations at the same
moment. Pure.
"""

from __future__ import annotations

from random import Random

FIRST_S, LONGEST_S = 0.5, 30.0


class Backoff:
    """Pauses of one destination. The random numbers are handed in; they need not be good."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._pause_s = FIRST_S

    def next(self) -> float:
        """Seconds until the next attempt: between half and all of the pause."""
        pause_s, self._pause_s = self._pause_s, min(LONGEST_S, 2 * self._pause_s)
        return pause_s * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """The destination took something."""
        self._pause_s = FIRST_S
