"""What a conclusion rests on: the ladder of grades, and a piece of evidence. Plain data.

Times are nanoseconds of the packet clock since the epoch; `None` means not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal


class Grade(IntEnum):
    """The evidence ladder, weakest first. The event's name of a grade is `label`."""

    LOOKED_UP = 1
    CONTACTED = 2
    NAMED = 3
    BEHAVES = 4
    SPEAKS = 5
    ACCEPTED = 6
    VERIFIED = 7

    @property
    def label(self) -> str:
        """The name on the wire: "looked-up" ... "verified"."""
        return self.name.lower().replace("_", "-")


#: The least grade that figures and cases rest on, whatever is reported: what was spoken is certain, what is weaker is
#: probable at most, and to be checked.
LEAST_COUNTED = Grade.SPEAKS


@dataclass(slots=True)
class Evidence:
    """What a sighting rests on: where in which flow, and what stood there (secrets blanked)."""

    grade: Grade
    signature: str
    time_ns: int
    flow: str  # community id
    direction: Literal["miner", "pool", "originator", "responder"]  # who sent it; a node has no miner
    offset: int  # byte offset of the message in its direction's stream
    excerpt: str  # at most 160 characters, printable
    detail: dict[str, object] = field(default_factory=dict)
