"""All destinations together: made from the settings, started, woken, looked at and stopped. Knows no destination by
name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from exporters.destination import Destination, ReportDestination, Unusable
from exporters.kinds import kinds
from sensor.delivery.feeds import Hiding
from sensor.delivery.worker import DeliveryStatus, Worker
from sensor.ledger import Ledger
from sensor.model.trouble import NOBODY, Speaker

#: Of events, or of reports.
AnyDestination = Destination | ReportDestination


def build_senders(
    settings: Mapping[str, Sequence[Any]], name_persons: bool = False
) -> tuple[dict[str, tuple[AnyDestination, Hiding]], list[str]]:
    """A sender and whether to redact, by the name of each instance, from the section `exporters`; and what is wrong, a
    sentence each.

    Kinds that are not fed from the outbox are left out. Nothing is connected yet; files of secrets and certificates
    are read.
    """
    senders: dict[str, tuple[AnyDestination, Hiding]] = {}
    problems: list[str] = []
    modules = kinds()
    for kind, instances in settings.items():
        sender_class = getattr(modules[kind], "Sender", None)
        if sender_class is None:
            continue
        for instance in instances:
            name = f"{kind}.{instance.name}" if instance.name else kind
            try:
                senders[name] = (sender_class(instance), Hiding(instance.redact, name_persons))
            except Unusable as error:
                problems.append(f"exporters.{name}: {error}")
    return senders, problems


class Delivery:
    """The threads that deliver."""

    def __init__(
        self,
        ledger: Ledger,
        destinations: Mapping[str, tuple[AnyDestination, bool | Hiding]],
        speaker: Speaker = NOBODY,
    ) -> None:
        """Register the destinations in the ledger: from now on events and reports are stored for these and no others.
        `speaker` says when a delivery begins to fail or refuse, and when it works again. Raises LedgerError.
        """
        reported = {name for name, (sender, _) in destinations.items() if isinstance(sender, ReportDestination)}
        ledger.outbox.subscribe(name for name in destinations if name not in reported)
        ledger.reports.subscribe(reported)
        self._workers = [
            Worker(name, sender, hiding, ledger, speaker=speaker) for name, (sender, hiding) in destinations.items()
        ]

    def start(self) -> None:
        """Begin delivering what waits."""
        for worker in self._workers:
            worker.thread.start()

    def wake(self) -> None:
        """Something was recorded; without this it is noticed half a second later."""
        for worker in self._workers:
            worker.wake()

    def reopen(self) -> None:
        """Files were rotated (SIGHUP)."""
        for worker in self._workers:
            worker.reopen()

    def statuses(self) -> list[DeliveryStatus]:
        """The status of each delivery; from any thread."""
        return [worker.status() for worker in self._workers]

    def longest_idle_s(self) -> float:
        """For how many seconds the slowest worker has not moved; a pause after a failure is up to half a minute."""
        now_s = time.monotonic()
        alive = [
            now_s - worker.moved_s if worker.thread.is_alive() else float("inf")
            for worker in self._workers
            if worker.thread.ident
        ]
        return max(alive, default=0.0)

    def stop(self, seconds: float) -> bool:
        """Deliver what waits for so long at most, then end.

        Whether every thread ended: one that hangs in its sender is left behind, its cursor unmoved.
        """
        deadline = time.monotonic() + seconds
        for worker in self._workers:
            worker.stop(deadline)
        for worker in self._workers:
            if worker.thread.ident is not None:
                worker.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.thread.is_alive() for worker in self._workers)
