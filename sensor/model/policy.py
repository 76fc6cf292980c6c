"""What a centre gives to sensors: the kinds of parcels, and what became of one at a sensor. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

#: What a parcel may hold: rules; tables beside the rules; attribution books; part of the configuration.
ParcelKind = Literal["signatures", "tables", "books", "policy"]
KINDS: tuple[ParcelKind, ...] = get_args(ParcelKind)
#: What becomes of a parcel at a sensor. Withdrawn: it has no files, so what the sensor's own installation has counts.
PolicyStateName = Literal["in_use", "withdrawn", "refused"]
STATES: tuple[PolicyStateName, ...] = get_args(PolicyStateName)
#: Characters of a reason that are kept.
REASON_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What became of a parcel at one sensor."""

    kind: str
    version: int  # 0: the parcel could not be read so far
    sha256: str  # of what was signed; "": the same
    state: PolicyStateName
    reason: str | None  # why it was refused
    at_ns: int  # the sensor's clock
