"""How a direction of a flow may begin, for the prefilter of a core: what signatures say, in the form that cores take.

Values only. What the fields mean: docs/border.md, "Prefilter" and "On trial".
"""

from __future__ import annotations

from typing import NamedTuple

#: From one byte to the next: the lowest and the highest that fit.
BytePattern = tuple[tuple[int, int], ...]


class GateOpening(NamedTuple):
    """One row of a core's tables (`Tables` of sensor/_core.pyi)."""

    proto: int
    at: int
    pattern: BytePattern
    budget_bytes: int
    most_bytes: int = 0  # that may have come by then; 0: any
    answers: tuple[BytePattern, ...] = ()  # the other side has to begin with one of these
    unless: bytes = b""  # the other side must not say this

    @property
    def waits(self) -> bool:
        """Whether the other side has to say something before the gate opens."""
        return bool(self.answers or self.unless)

    def fits(self, proto: int, stream: bytes) -> bool:
        """Whether a stream begins so, as far as its own bytes tell."""
        window = stream[self.at : self.at + len(self.pattern)]
        return (
            proto == self.proto
            and len(window) == len(self.pattern)
            and all(low <= byte <= high for byte, (low, high) in zip(window, self.pattern, strict=True))
        )
