"""Work that is done when the console starts and once a day after that, in a thread of its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from sensor.ledger.store.beside import StoreError

DAY_S = 86_400.0
#: For how long the end of the console waits for work that is under way.
STOPPING_S = 5.0


class DailyWork:
    """Trouble is said on standard error, and tried again the next day."""

    def __init__(self, work: Callable[[], object], each_s: float = DAY_S) -> None:
        self._work, self._each_s = work, each_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="daily", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more of it."""
        self._stopped.set()
        self._thread.join(STOPPING_S)

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except StoreError as error:
                print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
            if self._stopped.wait(self._each_s):
                return
