"""What a running sensor does for its ledger now and then: the lease's beat, findings that did not come back, records
over their age. What fails is tried again at the next turn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from sensor.ledger import LeaseLostError, Ledger, LedgerError, LedgerLease
from sensor.ledger.casework import CaseClerk
from sensor.ledger.store.attachments import AttachmentFolder


class LedgerUpkeep:
    """The upkeep of one ledger by one sensor. Used by the line's thread."""

    def __init__(
        self,
        ledger: Ledger,
        lease: LedgerLease,
        failed: Callable[[LedgerError], None],
        files: AttachmentFolder | None = None,
    ) -> None:
        """`failed` takes why a step failed, `files` are those of cases."""
        self._ledger, self._lease, self._failed = ledger, lease, failed
        self._clerk = CaseClerk(ledger.engine, files)
        self.error: LedgerError | None = None  # why the last beat failed; None while all is well
        self.counters: Counter[str] = Counter(findings_stale=0, ledger_pruned=0)

    def beat(self, now_ns: int) -> None:
        """Keep the lease. Raises LeaseLostError if another process has it."""
        try:
            self._lease.beat(time.monotonic_ns(), now_ns)
            self.error = None
        except LeaseLostError:
            raise
        except LedgerError as error:
            self.error = error

    def close_stale(self, now_ns: int, silence_ns: int) -> None:
        """Close findings of earlier runs that did not come back."""
        try:
            self.counters["findings_stale"] += len(self._ledger.close_stale(now_ns, silence_ns))
        except LedgerError as error:
            self._failed(error)

    def prune(self, now_ns: int) -> None:
        """Let go what is over its age or its number, with the files of what was forgotten or removed."""
        try:
            self.counters["ledger_pruned"] += self._ledger.prune(now_ns)
            self._clerk.drop_left_over()
        except LedgerError as error:
            self._failed(error)
