"""What delivery needs of a destination, and the ways in which one does not take what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from sensor.model.record import Record
    from sensor.model.wire import QueuedReport


class Refused(Exception):  # noqa: N818 (an answer, not an error of ours)
    """The destination will never take these records; sending them again is useless."""


class Unreachable(OSError):  # noqa: N818
    """The destination cannot take anything now; the same records are to be sent again later."""


class Unusable(Exception):  # noqa: N818
    """A sender cannot be made from its settings; the sentence names the key and what is wrong."""


class Destination(Protocol):
    """What delivery needs of a `Sender(settings)`; used by one thread, `reopen` by any."""

    most: int  # records in one call
    repeat_s: float | None  # how often what is open is to be sent again; None: never

    def send(self, records: Sequence[Record]) -> None:
        """Send all of them, in their order. Raises Refused, or an OSError if they are to be sent again later."""

    def reopen(self) -> None:
        """Open again what was rotated or replaced, at the next use."""

    def close(self) -> None:
        """Let go of the destination."""


@runtime_checkable
class ReportDestination(Protocol):
    """As a destination, of what the sensor reports to a central ledger."""

    most: int

    def send_reports(self, reports: Sequence[QueuedReport]) -> None:
        """Send all of them; those of one key stay in their order. Raises Refused, or an OSError if they are to be sent
        again later."""

    def reopen(self) -> None:
        """Open again what was rotated or replaced, at the next use."""

    def close(self) -> None:
        """Let go of the destination."""
