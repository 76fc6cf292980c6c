"""A state of the sensor itself that others are told of: that it began, and that it is over. Plain data.

Today there is one, the emergency: a bound was reached, and something was given up for want of room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sensor.model.time import SECOND_NS

#: What there may be no room for: flows, fragments, candidates and bytes held in the core, its queue of events;
#: sessions, bytes held of streams, and findings in the line.
CAUSES = ("flows", "fragments", "candidates", "held", "queue", "sessions", "streams", "findings")
#: So long nothing must be given up until an emergency is over.
CALM_NS = 60 * SECOND_NS


@dataclass(slots=True)
class Condition:
    """A state of one sensor. Its beginning and its end are an event each; in between the ledger has how it stands."""

    condition_id: str
    name: Literal["emergency"]
    state: Literal["begun", "over"]
    sensor_id: str
    first_ns: int  # when something was first given up, and when last
    last_ns: int
    causes: dict[str, int]  # what was given up since it began, by CAUSES; only what was
