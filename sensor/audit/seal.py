"""Rows that are older than they are to be kept go, and the chain holds: a row says first up to which number, and with
which hash, so what is left still begins behind a row of which the hash is known. Pure.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from sensor.audit.chain import SEALED


class SealedRows(NamedTuple):
    """The rows that went."""

    rows: int  # the number of the last one
    digest: str
    removed: int  # how many went this time


def seal_in(record: object) -> SealedRows | None:
    """What a stored record says to have been removed; None for any other."""
    try:
        fields = json.loads(record) if isinstance(record, bytes) else record
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("action") != SEALED:
        return None
    after = fields.get("after")
    if not isinstance(after, dict):
        return None
    rows, digest, removed = after.get("rows"), after.get("digest"), after.get("removed")
    if type(rows) is not int or type(removed) is not int or not isinstance(digest, str):
        return None
    return SealedRows(rows, digest, removed)
