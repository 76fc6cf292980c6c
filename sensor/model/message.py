"""What messages between a sensor and a centre have in common: how a reader refuses one, and how large its numbers are.

Apart from `sensor/model/wire.py`, whose forms take a tenth of a second to import: a replay reads no message.
"""

from __future__ import annotations

#: Times and numbers are those of a database: 64 bits with a sign.
MOST_INTEGER = (1 << 63) - 1


class WireError(Exception):
    """A message cannot be read; one sentence."""


class NewerWireError(WireError):
    """A message was made by a newer release."""
