"""When the sensor listened, told to the ledger: only where somebody listened is silence a sign. Closes the cases that silence ends.

The clock is handed in: that of the packets, which on a live link is the wall's.
"""

from __future__ import annotations

from collections.abc import Callable

from sensor.ledger import Ledger, LedgerError

#: A step longer than this was not listened to: the process stood still, or the clock was set.
LONGEST_NS = 6 * 3_600 * 1_000_000_000

#: Silent cases looked at in one step, some milliseconds each.
MOST = 100


class Listening:
    """Used by the line's thread, now and then."""

    def __init__(self, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._ledger, self._say = ledger, say
        self._since_ns: int | None = None

    def tidy(self, now_ns: int, ready: bool) -> None:
        """It is this time; `ready` if everything that should be heard is heard. Never raises LedgerError."""
        since_ns, self._since_ns = self._since_ns, now_ns if ready and now_ns else None
        if since_ns is None or not ready or not 0 < now_ns - since_ns <= LONGEST_NS:
            return
        try:
            self._ledger.add_coverage(since_ns, now_ns)
            for one in self._ledger.review_cases(now_ns, MOST):
                self._say(f"case {one.case_id} closed: {one.why}")
        except LedgerError as error:
            self._say(f"ledger: {error}")
