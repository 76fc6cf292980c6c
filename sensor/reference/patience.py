"""How long bytes are waited for that the other side has acknowledged and the capture has not shown.

Two ports of a tap show an acknowledgement before what it is of. Rules: docs/border.md, "Assembler".
"""

from __future__ import annotations

from sensor.model.time import SECOND_NS
from sensor.reference.assembler import sequence_distance

#: Packets of the flow, and packet time, after which such bytes are given up.
PATIENCE_PACKETS, PATIENCE_NS = 16, 10 * SECOND_NS


class Patience:
    """A direction is behind what was acknowledged of it."""

    __slots__ = ("_packets", "_since_ns", "ack", "first")

    def __init__(self, ack: int, ts_ns: int) -> None:
        self.ack = ack  # the highest number acknowledged
        self.renew(ts_ns)

    def renew(self, ts_ns: int) -> None:
        """What is waited for begins now; where its first has come, a port that lags all the time is waited for anew."""
        self.first = self.ack
        self._since_ns = ts_ns
        self._packets = 0  # of the flow since then

    def is_over(self, ts_ns: int) -> bool:
        """Another packet of the flow has come; whether it was the last to be waited for."""
        self._packets += 1
        return self._packets >= PATIENCE_PACKETS or ts_ns - self._since_ns >= PATIENCE_NS

    def extend(self, ack: int) -> None:
        """More was acknowledged."""
        if sequence_distance(ack, self.ack) > 0:
            self.ack = ack
