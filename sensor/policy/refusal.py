"""Why a parcel is not taken: a cause of a closed set, and a sentence. Knows no parcel."""

from __future__ import annotations

from typing import Literal, get_args

#: unreadable: not a parcel; newer: of a later form; key: signed by nobody who is trusted; signature: not what was
#: signed; header: signed, and against the rules all the same; size: over a bound; kind: not accepted here, or not the
#: message's; version: not above the one that is in use; content: files that this kind cannot have; load: the sensor's
#: own check refused what is in it; storage: it could not be stored.
Cause = Literal[
    "unreadable", "newer", "key", "signature", "header", "size", "kind", "version", "content", "load", "storage"
]
CAUSES: tuple[Cause, ...] = get_args(Cause)


class ParcelError(Exception):
    """A parcel is refused; one sentence."""

    def __init__(self, cause: Cause, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause
