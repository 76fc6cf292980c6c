"""Delivery at the centre: of the collectors of a group one at a time runs the exporters, by a lease in the ledger. One
that is killed is replaced within half a minute; the next goes on from the cursors in the ledger.

An event that was sent and not noted is sent again, under the same event_id. It knows no destination by name.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sensor.delivery.delivery import AnyDestination, Delivery
from sensor.delivery.feeds import Hiding
from sensor.delivery.worker import DeliveryStatus
from sensor.ledger import Ledger, LedgerError
from sensor.ledger.lease import LeaseHolder, LeaseLostError, LedgerLease
from sensor.model.sensor import ProcessIdentity
from sensor.model.time import SECOND_NS
from sensor.model.trouble import NOBODY, Speaker, TroubleState

#: A lease whose beat did not change for so long is over. It beats every 5 s.
HOLD_NS = 20 * SECOND_NS
#: How often the lease is looked at, and how long what waits is delivered when the collector ends.
LOOK_S, FLUSH_S = 2.0, 5.0
#: Begins the name under which the cursors and the lease of a group stand: no sensor's id has a colon.
GROUP_PREFIX = "collect:"
#: The destinations by name, and what keeps some from being used.
MakeDestinations = Callable[[], tuple[Mapping[str, tuple[AnyDestination, Hiding]], list[str]]]


def delivery_name(group: str) -> str:
    """What the cursors and the lease of a group's exporters stand under."""
    return GROUP_PREFIX + group


@dataclass(frozen=True)
class HostClock:
    """What a process knows of time and of others: monotonic and wall clock, and whether a process of this kernel
    runs."""

    monotonic_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    is_running: Callable[[ProcessIdentity], bool]


class GroupDelivery:
    """The part of one collector in it. Any thread may ask what it is at; `step` is called by one."""

    def __init__(
        self,
        ledger: Ledger,
        process: ProcessIdentity,
        make: MakeDestinations,
        clock: HostClock,
        speaker: Speaker = NOBODY,
    ) -> None:
        """`ledger` is this part's own, opened under `delivery_name`."""
        self._ledger, self._make, self._clock, self._speaker = ledger, make, clock, speaker
        self._process = process
        self._lease = LedgerLease(ledger.engine, ledger.reporter.sensor_id, ledger.reporter.run_id, process)
        self._seen: tuple[LeaseHolder, int] | None = None  # another holder as it was seen first, and when
        self._beat_ns = 0  # of the last beat that was written
        self._delivery: Delivery | None = None
        self._former: Counter[tuple[str, str]] = Counter()  # counts of deliveries that ended, by name and result
        self._counters: Counter[str] = Counter(takeovers=0, losses=0, failures=0)
        self._failing, self._lock = TroubleState(), threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="group-delivery", daemon=True)

    @property
    def counters(self) -> dict[str, int]:
        """How often this collector began to deliver, lost that to another one, and could not ask the ledger."""
        return dict(self._counters)

    @property
    def delivers(self) -> bool:
        """Whether it is this collector that runs the exporters."""
        return self._delivery is not None

    @property
    def trouble(self) -> str | None:
        """Why nothing is delivered from here that should be; None while all is well, here or at another one."""
        return self._failing.reason

    def statuses(self) -> list[DeliveryStatus]:
        """The status of each delivery while it is this collector's; none else."""
        delivery = self._delivery
        return [] if delivery is None else delivery.statuses()

    def counted(self) -> dict[tuple[str, str], int]:
        """Deliveries by exporter and result, since this process began."""
        with self._lock:
            found, delivery = Counter(self._former), self._delivery
        if delivery is not None:
            found.update(_results(delivery.statuses()))  # a sum of counters leaves out what is 0
        return dict(found)

    def start(self) -> None:
        """Look at the lease from now on."""
        self._thread.start()

    def wake(self) -> None:
        """Something was written; without this it is noticed half a second later."""
        if (delivery := self._delivery) is not None:
            delivery.wake()

    def stop(self) -> None:
        """Deliver what waits for a few seconds, and leave the lease to the others."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(LOOK_S + FLUSH_S)
        if self._delivery is not None:
            self._end(FLUSH_S)
            try:
                self._lease.release()
            except LedgerError as error:
                self._speaker.warning(f"exporters: the lease cannot be given up: {error}; it expires by itself")

    def step(self) -> None:
        """Take the lease where nobody holds it, or say that it is held. Never raises."""
        now_ns = self._clock.monotonic_ns()
        try:
            if self._delivery is None:
                self._try(now_ns)
            elif self._lease.beat(now_ns, self._clock.wall_ns()):
                self._beat_ns = now_ns
        except LeaseLostError as error:
            self._counters["losses"] += 1
            self._end(0.0)
            self._speaker.warning(f"exporters: {error}; another collector delivers")
        except Exception as error:  # whatever the ledger or a destination raises, another look is taken
            self._counters["failures"] += 1
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            if self._failing.begin(reason):
                self._speaker.warning(f"exporters: {reason}; tried again")
            waited_ns = self._clock.monotonic_ns() - self._beat_ns  # the ledger may have let us wait
            if self._delivery is not None and waited_ns >= HOLD_NS:
                self._end(0.0)  # by now it may be another one's
        else:
            if self._failing.end():
                self._speaker.notice("exporters: all is well again")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.step()
            self._stopping.wait(LOOK_S)

    def _try(self, now_ns: int) -> None:
        seen = self._seen
        expired = seen[0] if seen is not None and now_ns - seen[1] >= HOLD_NS else None
        holder = self._lease.take_if_free(self._clock.wall_ns(), self._clock.is_running, expired)
        if holder is not None and holder.run_id != self._ledger.reporter.run_id:
            if seen is None or seen[0] != holder:
                self._seen = (holder, now_ns)
            return
        self._seen, self._beat_ns = None, now_ns
        try:
            destinations, problems = self._make()
            if problems:
                raise OSError("; ".join(problems))
            self._delivery = Delivery(self._ledger, destinations, self._speaker)
        except Exception:
            self._lease.release()  # another one may be able to
            raise
        self._delivery.start()
        self._counters["takeovers"] += 1
        self._speaker.notice("exporters: this collector delivers from now on")

    def _end(self, seconds: float) -> None:
        delivery = self._delivery
        if delivery is None:
            return
        delivery.stop(seconds)
        results = _results(delivery.statuses())
        with self._lock:  # who counts meanwhile sees them once
            self._former.update(results)
            self._delivery = None


def _results(statuses: list[DeliveryStatus]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for status in statuses:
        results: dict[str, Any] = {"delivered": status.delivered, "failed": status.failed, "refused": status.refused}
        found.update({(status.name, result): count for result, count in results.items()})
    return found
