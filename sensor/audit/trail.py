"""A process's way into the audit: a queue and one thread that writes it, many rows in one transaction.

Whoever has to be audited waits until the row is on the disk, for a bounded time, and is refused if it is not: a page
that shows a person is not shown, and a change is not tried.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLongError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from sensor.audit.entry import AuditActor, AuditEntry, Plain
from sensor.audit.store import AuditError

#: Entries that wait at most, those that one transaction takes, and seconds that somebody waits for his row.
MOST_WAITING, MOST_AT_ONCE, WAIT_S = 1_024, 64, 5.0


class RowWriter(Protocol):
    """What the thread writes with."""

    def append(self, entries: Sequence[AuditEntry], within_s: float) -> list[int]: ...
    def close(self) -> None: ...


class AuditTrail:
    """The queue of one process. Any thread may write; `close` writes what still waits."""

    def __init__(self, store: RowWriter, wait_s: float = WAIT_S, clock: Callable[[], int] = time.time_ns) -> None:
        """`clock` gives the time at which a change was done; that at which it was asked for is the entry's."""
        self._store, self._wait_s, self._clock = store, wait_s, clock
        self._queue: queue.Queue[tuple[AuditEntry, Future[int]] | None] = queue.Queue(MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def post(self, entry: AuditEntry) -> Future[int]:
        """Hand an entry over; the number of its row once it is on the disk. Cancelling it keeps it from being written
        if that has not begun. Raises AuditError if too many wait, or the trail is closed."""
        future: Future[int] = Future()
        with self._lock:
            if self._closed:
                raise AuditError("audit: it is closed")
            try:
                self._queue.put_nowait((entry, future))
            except queue.Full:
                raise AuditError(f"audit: {MOST_WAITING} entries wait to be written", "locked") from None
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
                self._thread.start()
        return future

    def record(self, entry: AuditEntry) -> int:
        """Write an entry and wait until it is on the disk; the number of its row. Raises AuditError: then nothing may
        be shown or changed."""
        future = self.post(entry)
        try:
            return future.result(self._wait_s)
        except WaitedTooLongError:
            future.cancel()
            raise AuditError(f"audit: no row could be written within {self._wait_s:g} s", "locked") from None

    @contextmanager
    def change(self, entry: AuditEntry) -> Iterator[PendingChange]:
        """Something is to be changed within: a row says that it was asked for, before; another one after it says what
        became of it, also where it failed. Raises AuditError before anything was changed, or after it: then the first
        row alone stands there, and says that it may have been."""
        asked = self.record(replace(entry, kind="change", phase="asked"))
        pending = PendingChange()
        try:
            yield pending
        except BaseException as error:
            failed = replace(
                entry, kind="change", phase="failed", of=asked, before=None, after=None, at_ns=self._clock()
            )
            with suppress(AuditError):  # the first row says that it was asked for
                self.record(replace(failed, query={**entry.query, "reason": f"{type(error).__name__}: {error}"}))
            raise
        done = replace(entry, kind="change", phase="done", of=asked, at_ns=self._clock())
        done = replace(done, objects=[*entry.objects, *pending.objects])
        self.record(replace(done, before=pending.before or entry.before, after=pending.after or entry.after))

    def close(self) -> None:
        """Write what waits, and give the store back."""
        with self._lock:
            if self._closed:
                return
            self._closed, thread = True, self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()
        self._store.close()

    def _write(self) -> None:
        while True:
            item = self._queue.get()
            batch = [] if item is None else [item]
            while batch and len(batch) < MOST_AT_ONCE:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    break
                batch.append(item)
            self._write_batch([(entry, future) for entry, future in batch if future.set_running_or_notify_cancel()])
            if item is None:
                return

    def _write_batch(self, batch: list[tuple[AuditEntry, Future[int]]]) -> None:
        """Write entries together; where that fails for what is in one of them, one by one."""
        if not batch:
            return
        try:
            numbers = self._store.append([entry for entry, _ in batch], self._wait_s)
        except AuditError as error:
            if error.fault == "other" and len(batch) > 1:
                for item in batch:
                    self._write_batch([item])
                return
            for _, future in batch:
                future.set_exception(error)
        except Exception as error:  # whatever it is, those who wait hear of it
            for _, future in batch:
                future.set_exception(AuditError(f"audit: {type(error).__name__}: {error}"))
        else:
            for (_, future), number in zip(batch, numbers, strict=True):
                future.set_result(number)


@dataclass(slots=True)
class PendingChange:
    """What is told of a change while it is made."""

    before: Mapping[str, Plain] | None = None
    after: Mapping[str, Plain] | None = None
    objects: list[str] = field(default_factory=list)


def account_actor(account: str, role: str, address: str) -> AuditActor:
    """An account of the console, from an address."""
    return AuditActor(account=account, role=role, address=address)
