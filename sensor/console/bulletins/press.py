"""The bulletins of this run of the console: in memory, bounded in number, bytes and time, each its own account's alone.

Each is made in a thread of its own: one for each account and two in all. They end with the console.
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from exporters.forms.documents.labels import N_
from sensor.console.bulletins.making import Advance, BulletinOrder, BulletinTooLargeError
from sensor.ledger.store.errors import LedgerError
from sensor.model.scope import Scope, Viewer
from sensor.model.time import HOUR_NS

#: Bulletins that are there at once, of one account and of all, and how many of them are made at once.
MOST_OF_ONE, MOST_OF_ALL, MOST_AT_ONCE = 8, 32, 2
#: Bytes of all that are there: the oldest go.
MOST_BYTES_HELD = 96 << 20
#: How long one is there once it has ended, and seconds for which the end of the console waits for those being made.
STAYS_NS, STOPPING_S = HOUR_NS, 5.0

OWN_BEING_MADE = N_("A bulletin is being made for you: wait until it has ended.")
TOO_MANY_BEING_MADE = N_("Two bulletins are being made for others: try again in a moment.")
STOPPING = N_("The console was stopped before it was made.")
TOO_LARGE = N_("It would be larger than 16 MiB: ask for fewer days.")
NOT_READ = N_("The ledger could not be read. Try again in a moment.")
WENT_WRONG = N_("It could not be made. What went wrong stands in the journal of the console.")

BulletinState = Literal["waiting", "making", "done", "failed"]
#: Makes the files of an order.
FileMaker = Callable[[BulletinOrder, Advance], dict[str, bytes]]


class PressBusyError(Exception):
    """None is begun now; the sentence says why."""


class PressStoppedError(Exception):
    """The console ends."""


@dataclass(frozen=True)
class BulletinProgress:
    """How far one is."""

    state: BulletinState = "waiting"
    steps_done: int = 0
    steps: int = 0
    sentence: str = ""  # why it failed


@dataclass
class OrderedBulletin:
    """One, whatever has become of it."""

    key: str
    order: BulletinOrder
    asked_ns: int
    progress: BulletinProgress = field(default_factory=BulletinProgress)
    ended_ns: int | None = None
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(map(len, self.files.values()))

    def is_of(self, viewer: Viewer, scope: Scope) -> bool:
        """Whether it was made for this account, as its rights are now."""
        its = self.order.viewer
        mine = (viewer.login, viewer.role, viewer.divisions)
        return (its.login, its.role, its.divisions) == mine and self.order.reader.scope == scope


class BulletinPress:
    """Any thread may ask."""

    def __init__(self, make: FileMaker, clock: Callable[[], int] = time.time_ns) -> None:
        self._make, self._clock = make, clock
        self._lock = threading.Lock()
        self._all: dict[str, OrderedBulletin] = {}  # in the order in which they were asked for
        self._threads: dict[str, threading.Thread] = {}
        self._stopped = threading.Event()

    def of(self, viewer: Viewer, scope: Scope) -> list[OrderedBulletin]:
        """Those of a viewer, the newest first."""
        self.sweep()
        with self._lock:
            return [each for each in reversed(self._all.values()) if each.is_of(viewer, scope)]

    def find(self, key: str, viewer: Viewer, scope: Scope) -> OrderedBulletin | None:
        """One of a viewer's; None where there is none, or it is another's."""
        return next((each for each in self.of(viewer, scope) if each.key == key), None)

    def begin(self, order: BulletinOrder, witness: Callable[[OrderedBulletin], None]) -> OrderedBulletin:
        """Begin one, after `witness` has noted it. Raises PressBusyError, and what `witness` raises: then there is
        none."""
        self.sweep()
        begun = OrderedBulletin(secrets.token_hex(16), order, self._clock())
        thread = threading.Thread(target=self._run, args=(begun,), name="bulletin", daemon=True)
        with self._lock:
            self._admit(order.viewer.login)
            self._all[begun.key] = begun
        try:
            witness(begun)
            with self._lock:
                self._threads[begun.key] = thread
                thread.start()
        except BaseException:
            with self._lock:
                self._threads.pop(begun.key, None)
                self._all.pop(begun.key, None)
            raise
        return begun

    def sweep(self) -> None:
        """Forget those whose time is over."""
        with self._lock:
            since_ns = self._clock() - STAYS_NS
            for each in self._ended():
                if each.ended_ns is not None and each.ended_ns <= since_ns:
                    del self._all[each.key]

    def stop(self) -> None:
        """End those that are being made, and forget all."""
        self._stopped.set()
        until_s = time.monotonic() + STOPPING_S
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        with self._lock:
            self._all.clear()

    def _ended(self) -> list[OrderedBulletin]:
        """The oldest first; with the lock held."""
        return [each for each in self._all.values() if each.ended_ns is not None]

    def _admit(self, login: str) -> None:
        """Make room for one more. Raises PressBusyError; with the lock held."""
        if self._stopped.is_set():
            raise PressBusyError(STOPPING)
        under_way = [each for each in self._all.values() if each.ended_ns is None]
        if any(each.order.viewer.login == login for each in under_way):
            raise PressBusyError(OWN_BEING_MADE)
        if len(under_way) >= MOST_AT_ONCE:
            raise PressBusyError(TOO_MANY_BEING_MADE)
        own = [each for each in self._ended() if each.order.viewer.login == login]
        for each in own[: max(0, len(own) + 1 - MOST_OF_ONE)]:
            del self._all[each.key]
        for each in self._ended()[: max(0, len(self._all) + 1 - MOST_OF_ALL)]:
            del self._all[each.key]

    def _run(self, its: OrderedBulletin) -> None:
        files, sentence = {}, ""
        try:
            files = self._make(its.order, lambda done, steps: self._advance(its, done, steps))
        except PressStoppedError:
            sentence = STOPPING
        except BulletinTooLargeError:
            sentence = TOO_LARGE
        except LedgerError as error:
            print(f"minewatch: console: bulletin: {error}", file=sys.stderr, flush=True)
            sentence = NOT_READ
        except Exception:  # whoever waits hears of it, and the journal has its trace
            traceback.print_exc()
            sentence = WENT_WRONG
        self._end(its, files, sentence)

    def _advance(self, its: OrderedBulletin, done: int, steps: int) -> None:
        if self._stopped.is_set():
            raise PressStoppedError
        its.progress = BulletinProgress("making", done, steps)

    def _end(self, its: OrderedBulletin, files: dict[str, bytes], sentence: str) -> None:
        with self._lock:
            before = its.progress
            state: BulletinState = "failed" if sentence else "done"
            its.files, its.ended_ns = files, self._clock()
            its.progress = BulletinProgress(state, before.steps_done, before.steps, sentence)
            self._threads.pop(its.key, None)
            held = sum(each.size for each in self._all.values())
            for each in self._ended():
                if held > MOST_BYTES_HELD and each is not its:
                    held -= each.size
                    del self._all[each.key]
