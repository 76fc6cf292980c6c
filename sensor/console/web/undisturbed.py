"""A ledger that nobody writes is read as it stands: where a form was written meanwhile, once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sensor.ledger.store.errors import LedgerError

#: Seconds until what was disturbed by a write is read once more.
AGAIN_S = 0.1
Result = TypeVar("Result")


def undisturbed(attempt: Callable[[], Result]) -> Result:
    """What an attempt comes to, the first or the second. Raises LedgerError."""
    try:
        return attempt()
    except LedgerError as error:
        if error.fault != "locked":
            raise
    time.sleep(AGAIN_S)
    return attempt()
