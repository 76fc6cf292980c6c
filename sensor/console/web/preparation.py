"""Makes the first figures of those who will ask, before they do: on a large ledger a first overview takes seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable

from sensor.console.address_bar import AskedValues
from sensor.console.desk import Desk, Visit
from sensor.console.pages.overview import overview
from sensor.console.refusal import RefusalError
from sensor.ledger.store.errors import LedgerError
from sensor.model.scope import Viewer

#: Viewers whose figures are made at the beginning; the others' are made when they ask.
MOST_PREPARED = 64


def prepare(desk: Desk, viewers: Iterable[Viewer]) -> threading.Thread:
    """Make the overview of each of these viewers, one after the other, in a thread that rests as long as it works."""
    its = list(viewers)[:MOST_PREPARED]
    thread = threading.Thread(target=_prepare, args=(desk, its), name="preparation", daemon=True)
    thread.start()
    return thread


def _prepare(desk: Desk, viewers: list[Viewer]) -> None:
    for viewer in viewers:
        began_s = time.monotonic()
        try:
            overview(Visit(desk, viewer, "/overview", AskedValues(), viewer.language))
        except RefusalError:  # his divisions are none: his page says so
            continue
        except LedgerError as error:
            print(f"minewatch: console: {error}", file=sys.stderr, flush=True)
            return
        time.sleep(time.monotonic() - began_s)
