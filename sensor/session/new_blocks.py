"""The blocks that a connection's jobs come to stand on, until they are taken. Bounded."""

from __future__ import annotations

from sensor.signatures.message_values import MessageValues, Taken

#: Blocks that wait, the newest.
MAX_WAITING = 8


class NewBlocks:
    """Those of one connection."""

    __slots__ = ("_latest", "_waiting")

    def __init__(self) -> None:
        self._latest: Taken | None = None
        self._waiting: tuple[tuple[int, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def note(self, values: MessageValues, ts_ns: int) -> None:
        """A job came. The first one's block is no news: it may have been found long before."""
        block = values.get("block")
        if block is None or block == self._latest:
            return
        if self._latest is not None:
            self._waiting = (*self._waiting[1 - MAX_WAITING :], (ts_ns, str(block)))
        self._latest = block

    def take(self) -> tuple[tuple[int, str], ...]:
        """Time and name of those that wait, each given once."""
        waiting, self._waiting = self._waiting, ()
        return waiting
