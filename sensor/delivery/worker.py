"""One destination's thread: reads from its cursor on, sends, moves the cursor. It ends only when it is stopped,
whatever a sender does.

At least once: the cursor moves after the destination has taken the events, so what a crash leaves undone is sent
again, under the same event_id. It knows senders by three methods and the ledger by its outbox; addresses, formats
and secrets are the sender's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from exporters.destination import Destination, Refused, ReportDestination
from sensor.delivery.backoff import Backoff
from sensor.delivery.feeds import Hiding, feed_of
from sensor.ledger import Backlog, Ledger, LedgerError
from sensor.model.time import SECOND_NS
from sensor.model.trouble import NOBODY, Speaker, TroubleState

#: How often an idle thread looks without having been woken, in seconds.
LOOK_S = 0.5
NOTHING = Backlog(0, 0, None, 0, 0)


@dataclass(frozen=True)
class DeliveryStatus:
    """The state of the delivery to one destination. Counts are since the start, `dropped` since the ledger began."""

    name: str
    kind: str
    delivered: int  # events the destination has taken
    refused: int  # events it will never take
    failed: int  # attempts that failed and are repeated
    repeated: int  # open findings that were sent again
    dropped: int  # events that went over the outbox's bound before they were delivered
    depth: int  # events that wait
    oldest_ns: int  # when the oldest of them was recorded; 0: none waits
    oldest_s: float  # how long that is ago
    trouble: str | None  # the last failure or refusal as a sentence; None once an attempt succeeded


class Worker:
    """The delivery to one destination."""

    def __init__(
        self,
        name: str,
        sender: Destination | ReportDestination,
        hiding: bool | Hiding,
        ledger: Ledger,
        clock: Callable[[], int] = time.time_ns,
        speaker: Speaker = NOBODY,
    ) -> None:
        hidden = hiding if isinstance(hiding, Hiding) else Hiding(redact=hiding)
        self._feed = feed_of(sender, hidden, ledger)
        self.name, self.kind = name, name.partition(".")[0]
        self._sender, self._clock = sender, clock
        self._position = (
            self._committed
        ) = -1  # not known before the thread runs: another one may still be at work for this cursor
        self._refused_uncommitted = 0
        self._delivered = self._refused = self._failed = self._repeated = 0
        self._trouble: str | None = None
        self._speaker, self._failing, self._refusing = speaker, TroubleState(), TroubleState()
        self._backoff = Backoff(Random(name))
        self._repeat_at = 0.0
        self.moved_s = time.monotonic()  # when it last began to look, to send or to wait
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._deadline = float("inf")
        self._last = NOTHING
        self.thread = threading.Thread(target=self._run, name=f"deliver-{name}", daemon=True)

    def wake(self) -> None:
        """Something was recorded."""
        self._wake.set()

    def stop(self, deadline: float) -> None:
        """Deliver what waits and end, at this monotonic time at the latest, and at once if the destination does not
        answer.
        """
        self._deadline = deadline
        self._stopping.set()
        self._wake.set()

    def reopen(self) -> None:
        """Files were rotated."""
        self._sender.reopen()

    def status(self) -> DeliveryStatus:
        """Its state; from any thread. If the ledger cannot be read, the depth is that of the last time."""
        try:
            self._last = self._feed.outbox.backlog(self.name)
        except LedgerError as error:
            self._trouble = str(error)
        last = self._last
        waited_s = 0.0 if last.oldest_ns is None else max(0.0, (self._clock() - last.oldest_ns) / SECOND_NS)
        counts = (self._delivered, self._refused, self._failed, self._repeated)
        return DeliveryStatus(
            self.name, self.kind, *counts, last.dropped, last.depth, last.oldest_ns or 0, waited_s, self._trouble
        )

    def _run(self) -> None:
        while (now_s := time.monotonic()) < self._deadline:
            self.moved_s = now_s
            stopping = (
                self._stopping.is_set()
            )  # asked before reading: what was recorded before the stop is read after it
            try:
                more = self._deliver()
                self._commit()
                if not more:
                    self._repeat()
            except Exception as error:  # whatever a sender or the ledger raises, the thread goes on
                self._failed += 1
                self._trouble = _error_text(error)
                if self._failing.begin(self._trouble):
                    self._speaker.warning(f"{self.name}: {self._trouble}; events wait, and are tried again")
                if self._stopping.is_set():
                    break
                self._stopping.wait(self._backoff.next())
                continue
            if not more:
                if stopping:
                    break
                self._wake.wait(LOOK_S)
                self._wake.clear()
        self._end()

    def _end(self) -> None:
        for step in (self._commit, self._sender.close):
            try:
                step()
            except Exception as error:
                self._trouble = _error_text(error)

    def _deliver(self) -> bool:
        """Send a page of events; whether there may be more."""
        if self._position < 0:
            self._position = self._committed = self._feed.outbox.backlog(self.name).position
        events = self._feed.read(self._position)
        try:
            for start in range(0, len(events), self._feed.most):
                if time.monotonic() >= self._deadline:
                    break
                part = events[start : start + self._feed.most]
                self._send(part)
                self._position = part[-1].sequence
        except Exception:
            self._commit_quietly()  # what was sent before the failure is done
            raise
        return bool(events)

    def _send(self, page: Sequence[Any]) -> None:
        """Send a page together; if it is refused, one by one, to find out which."""
        try:
            self._feed.send(page)
        except OSError:
            raise
        except Exception as error:  # Refused, or a mistake of the sender's: the same records would fail for ever
            if len(page) > 1:
                for queued in page:
                    self._send([queued])
                return
            self._refused += 1
            self._refused_uncommitted += 1
            self._trouble = _error_text(error)
            if self._refusing.begin(self._trouble):
                what = self._feed.name(page[0])
                self._speaker.warning(f"{self.name}: {what} is refused and left out: {self._trouble}")
            if self._failing.end():
                self._speaker.notice(f"{self.name}: answers again")
            return
        self._delivered += len(page)
        self._trouble = None
        self._say_recovered()
        self._backoff.reset()

    def _say_recovered(self) -> None:
        refused = self._refusing.failures
        if self._failing.end():
            self._speaker.notice(f"{self.name}: delivers again")
        if self._refusing.end():
            self._speaker.notice(
                f"{self.name}: takes events again; {refused} {'was' if refused == 1 else 'were'} refused"
            )

    def _commit(self) -> None:
        if self._position > self._committed:
            self._feed.outbox.commit(self.name, self._position, self._refused_uncommitted)
            self._committed, self._refused_uncommitted = self._position, 0

    def _commit_quietly(self) -> None:
        try:
            self._commit()
        except LedgerError as error:
            self._trouble = str(error)

    def _repeat(self) -> None:
        """Send again what is open, for destinations that forget."""
        every = self._feed.repeat_s
        if every is None or time.monotonic() < self._repeat_at or self._stopping.is_set():
            return
        self._repeated += self._feed.repeat(self._note)
        self._repeat_at = time.monotonic() + every

    def _note(self, error: Exception) -> None:
        self._trouble = _error_text(error)


def _error_text(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, OSError | Refused | LedgerError) and text else f"{type(error).__name__}: {text}"
