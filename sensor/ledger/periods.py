"""Reads a period out of the ledger as a `Summary`. Knows SQL and plain data; formats nothing."""

from __future__ import annotations

from sensor.ledger.ledger import Ledger
from sensor.summary import Summary


def summary(ledger: Ledger, from_ns: int, to_ns: int) -> Summary:
    """What the ledger says of [from_ns, to_ns). Raises LedgerError."""
    raise NotImplementedError
