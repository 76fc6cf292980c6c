"""Something that fails and is tried again: when that is worth a sentence. Once when it begins or is for another reason,
once when it ends. Plain state; knows no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

#: Parts of a reason that differ each time, though it is the same: numbers, addresses of objects.
_VARYING = re.compile(r"0x[0-9a-f]+|\d+")
#: Reasons that are remembered while the trouble lasts; with more of them, the oldest may be said again.
MAX_REASONS = 8


class Speaker(Protocol):
    """Who says what has begun and what is over (`sensor/daemon/journal.py`). From any thread."""

    def warning(self, sentence: str) -> None:
        """Trouble has begun."""

    def notice(self, sentence: str) -> None:
        """Trouble is over."""


class SilentSpeaker:
    """Says nothing."""

    def warning(self, sentence: str) -> None:
        """Nobody hears."""

    def notice(self, sentence: str) -> None:
        """Nobody hears."""


NOBODY = SilentSpeaker()


@dataclass(slots=True)
class TroubleState:
    """Whether there is trouble, and what was said of it."""

    reason: str | None = None  # the newest; None: there is none
    failures: int = 0  # since it began
    begun: int = 0  # how often there was any, since the process started
    _seen: list[str] = field(default_factory=list)

    def begin(self, reason: str) -> bool:
        """It failed; whether that is new: there was no trouble before, or for other reasons."""
        self.begun += self.reason is None
        self.reason = reason
        self.failures += 1
        same = _VARYING.sub("#", reason)
        if same in self._seen:
            return False
        self._seen = [*self._seen, same][-MAX_REASONS:]
        return True

    def end(self) -> bool:
        """It works; whether it failed before."""
        failed = self.reason is not None
        self.reason, self.failures, self._seen = None, 0, []
        return failed
