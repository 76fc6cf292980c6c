"""Coverage: the time in which the sensor really listened, recorded in the ledger. Only there is silence a sign.

Cases that silence ends are closed. The clock is handed in: that of the packets, which on a live link is the wall's.
"""

from __future__ import annotations

from collections.abc import Callable

from sensor.ledger import Ledger, LedgerError
from sensor.model.time import HOUR_NS

#: A step longer than this was not listened to: the process stood still, or the clock was set.
MAX_STEP_NS = 6 * HOUR_NS

#: Silent cases looked at in one step, some milliseconds each.
MAX_REVIEWED = 100


class CoverageRecorder:
    """Used by the line's thread, now and then."""

    def __init__(self, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._ledger, self._say = ledger, say
        self._since_ns: int | None = None

    def update(self, now_ns: int, ready: bool) -> None:
        """It is this time; `ready` if everything that should be heard is heard. Never raises LedgerError."""
        since_ns, self._since_ns = self._since_ns, now_ns if ready and now_ns else None
        if since_ns is None or not ready or not 0 < now_ns - since_ns <= MAX_STEP_NS:
            return
        try:
            self._ledger.add_coverage(since_ns, now_ns)
            for case in self._ledger.review_cases(now_ns, MAX_REVIEWED):
                self._say(f"case {case.case_id} closed: {case.why}")
        except LedgerError as error:
            self._say(f"ledger: {error}")
