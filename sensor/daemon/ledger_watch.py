"""Whether the ledger can be written and is sound: said when trouble begins and when it ends, and kept for health and
metrics. It is told of errors; it opens nothing but the file it checks at the start.

A disk that was full or a lock end by themselves. Damage does not: it stays until the sensor is started again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sensor.ledger.store.errors import FAULTS, LedgerError, LedgerFault
from sensor.ledger.store.integrity import check_file
from sensor.model.time import SECOND_NS
from sensor.model.trouble import Speaker, TroubleState

#: Seconds that the check at the start may take: a ledger of a gigabyte takes about as long.
CHECK_S = 5.0
MEND = "stop the sensor and restore a copy (minewatch ledger restore), or move the file away"


class LedgerWatch:
    """Used by the line's thread alone."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._state = TroubleState()
        self._fault: LedgerFault = "other"
        self._since_ns = 0
        self._damage: LedgerError | None = None
        self._noted: dict[LedgerFault, LedgerError] = {}  # since the last look, the newest of each kind

    @property
    def trouble(self) -> str | None:
        """What is wrong now, as a sentence; None while all is well."""
        return self._state.reason

    @property
    def faults(self) -> dict[str, int]:
        """By kind of fault: 1 for the one there is, else 0."""
        return {fault: int(self.trouble is not None and fault == self._fault) for fault in FAULTS}

    def check(self, path: Path | None, seconds: float = CHECK_S) -> None:
        """Check a ledger's file before anything is written to it; None: it has none."""
        if path is None:
            return
        found = check_file(path, seconds)
        if found.faults:
            more = f" (and {len(found.faults) - 1} more)" if len(found.faults) > 1 else ""
            self.note(LedgerError(f"ledger {path}: the database is damaged: {found.faults[0]}{more}", "damaged"))
        elif found.unchecked:
            self._speaker.notice(
                f"ledger {path}: {', '.join(found.unchecked)} not checked: it took longer than {seconds:g} s; "
                "minewatch ledger check does it beside a running sensor"
            )

    def note(self, error: LedgerError) -> None:
        """Something could not be written or read; said at the next look."""
        self._noted[error.fault] = error

    def look(self, errors: Iterable[LedgerError | None], now_ns: int, waiting: int) -> None:
        """What is wrong by now: the errors of those who write, None for who wrote; `waiting` records wait."""
        current = [*self._noted.values(), *(error for error in errors if error is not None)]
        self._noted.clear()
        self._damage = self._damage or next((error for error in current if error.fault == "damaged"), None)
        worst = self._damage or next(iter(current), None)
        if worst is None:
            lasted_s = max(0, now_ns - self._since_ns) / SECOND_NS
            if self._state.end():
                self._speaker.notice(f"ledger: is written again after {lasted_s:.0f} s; {waiting} records still wait")
            return
        if self._state.reason is None:
            self._since_ns = now_ns
        self._fault = worst.fault
        if self._state.begin(str(worst)):
            self._speaker.warning(
                f"{worst}; " + (MEND if worst.fault == "damaged" else "records wait, and are tried again")
            )
