"""What a running sensor does for its ledger now and then: the lease's beat, findings that did not come back, records
over their age. What fails is tried again at the next turn, and is trouble meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from sensor.ledger import LeaseLostError, Ledger, LedgerError, LedgerLease


class LedgerUpkeep:
    """The upkeep of one ledger by one sensor. Used by the line's thread."""

    def __init__(self, ledger: Ledger, lease: LedgerLease) -> None:
        self._ledger, self._lease = ledger, lease
        self._troubles: dict[str, str] = {}  # by step: why it failed the last time
        self.counters: Counter[str] = Counter(findings_stale=0, ledger_pruned=0)

    @property
    def trouble(self) -> str | None:
        """Why the ledger cannot be kept up; None while all is well."""
        return next(iter(self._troubles.values()), None)

    def beat(self, now_ns: int) -> None:
        """Keep the lease. Raises LeaseLostError if another process has it."""
        self._try("beat", lambda: self._lease.beat(time.monotonic_ns(), now_ns))

    def close_stale(self, now_ns: int, silence_ns: int) -> None:
        """Close findings of earlier runs that did not come back."""

        def close() -> None:
            self.counters["findings_stale"] += len(self._ledger.close_stale(now_ns, silence_ns))

        self._try("close", close)

    def prune(self, now_ns: int) -> None:
        """Let go what is over its age or its number."""

        def prune() -> None:
            self.counters["ledger_pruned"] += self._ledger.prune(now_ns)

        self._try("prune", prune)

    def _try(self, step: str, do: Callable[[], object]) -> None:
        try:
            do()
        except LeaseLostError:
            raise
        except LedgerError as error:
            self._troubles[step] = str(error)
        else:
            self._troubles.pop(step, None)
