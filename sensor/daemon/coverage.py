"""Coverage: the time in which the sensor really listened, recorded in the ledger. Only there is silence a sign.

On a link it is the wall clock's time while everything is heard; of a capture the time from its first packet to its
last, whenever it is read. Cases that silence ends are closed. The clock is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sensor.daemon.journal import Journal
from sensor.ledger import Ledger, LedgerError
from sensor.model.time import MINUTE_NS, SECOND_NS

#: A step longer than this was not listened to: the process stood still, or the clock was set.
MAX_STEP_NS = 5 * MINUTE_NS
#: Silent cases looked at in one step, some milliseconds each.
MAX_REVIEWED = 100


class CoverageRecorder:
    """Used by the line's thread, now and then."""

    def __init__(self, ledger: Ledger, journal: Journal, failed: Callable[[LedgerError], None]) -> None:
        """`failed` takes what kept the ledger from taking something."""
        self._ledger, self._journal, self._failed = ledger, journal, failed
        self._since_ns: int | None = None
        self._waiting: list[tuple[int, int]] = []  # what the ledger has not taken yet

    @property
    def waiting(self) -> int:
        """Stretches that the ledger has not taken yet."""
        return len(self._waiting)

    def open_seconds(self, now_ns: int) -> float:
        """How long it has listened since the last stretch that was recorded."""
        return max(0, now_ns - self._since_ns) / SECOND_NS if self._since_ns is not None else 0.0

    def listen(self, now_ns: int, ready: bool) -> None:
        """It is this time on a link; `ready` if everything that should be heard is heard. Never raises LedgerError."""
        since_ns, self._since_ns = self._since_ns, now_ns if ready and now_ns else None
        if since_ns is not None and ready and 0 < now_ns - since_ns <= MAX_STEP_NS:
            self.cover([(since_ns, now_ns)])

    def cover(self, stretches: Iterable[tuple[int, int]], apart_ns: int = 0) -> bool:
        """The sensor listened in these stretches; the ledger takes them now, or when it can. Whether it has them all.
        Those no further apart than `apart_ns` become one. Never raises LedgerError."""
        for from_ns, to_ns in stretches:
            if self._waiting and self._waiting[-1][0] <= from_ns <= self._waiting[-1][1]:  # also one that is told again
                self._waiting[-1] = (self._waiting[-1][0], max(to_ns, self._waiting[-1][1]))
            else:
                self._waiting.append((from_ns, to_ns))
        try:
            while self._waiting:
                self._ledger.add_coverage(*self._waiting[0], apart_ns)
                del self._waiting[0]
        except LedgerError as error:
            self._failed(error)
        return not self._waiting

    def review(self, now_ns: int) -> None:
        """Close cases whose silence is an end by now. Never raises LedgerError."""
        if self._waiting:
            return
        try:
            for case in self._ledger.review_cases(now_ns, MAX_REVIEWED):
                self._journal.notice(f"case {case.case_id} closed: {case.why}")
        except LedgerError as error:
            self._failed(error)
