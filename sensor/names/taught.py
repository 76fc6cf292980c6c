"""Addresses of pools that other sensors learnt from clear sessions on their links. A hint and no more: it weighs what a
look-up weighs, which anybody can forge as well, and fades as an address does that was learnt here. Bounded by sensor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sensor.model.shared_knowledge import SharedAddress
from sensor.model.time import DAY_NS, MINUTE_NS
from sensor.names.learnt import MOST_NS, WHOLE_NS

#: Sensors whose addresses are held; those that come later are refused, so that invented ones push nobody out. Whose
#: addresses are all forgotten has no place.
MOST_SENSORS = 512
#: How far a moment may be ahead of the clock here.
AHEAD_NS = 10 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class TaughtAddress:
    """An address, and who taught it."""

    sensor_id: str
    its: SharedAddress

    def lost_bits(self, at_ns: int) -> float | None:
        """As of one that was learnt here; None also before it was learnt."""
        late_ns = at_ns - self.its.last_ns - WHOLE_NS
        if at_ns < self.its.first_ns or late_ns > MOST_NS - WHOLE_NS:
            return None
        return max(0, late_ns) / DAY_NS


class TaughtAddresses:
    """By address, then by sensor."""

    def __init__(self, most_sensors: int = MOST_SENSORS) -> None:
        self._most_sensors = most_sensors
        self._of_sensor: dict[str, tuple[SharedAddress, ...]] = {}
        self._newest_ns: dict[str, int] = {}  # of each sensor's addresses
        self._found: defaultdict[str, dict[str, SharedAddress]] = defaultdict(dict)
        self.dropped = 0  # of sensors over the bound, or of a time that cannot be

    def __len__(self) -> int:
        return len(self._found)

    def replace(self, sensor_id: str, addresses: Sequence[SharedAddress], now_ns: int) -> list[str]:
        """What a sensor shares now, in place of what it did; the addresses that are new."""
        self._forget(sensor_id)
        held = tuple(its for its in addresses if now_ns - MOST_NS <= its.last_ns <= now_ns + AHEAD_NS)
        self.dropped += len(addresses) - len(held)
        if not held:
            return []
        if len(self._of_sensor) >= self._most_sensors:
            for name in [name for name, newest_ns in self._newest_ns.items() if newest_ns < now_ns - MOST_NS]:
                self._forget(name)
        if len(self._of_sensor) >= self._most_sensors:
            self.dropped += len(held)
            return []
        self._of_sensor[sensor_id], self._newest_ns[sensor_id] = held, max(its.last_ns for its in held)
        fresh = [its.address for its in held if its.address not in self._found]
        for its in held:
            self._found[its.address][sensor_id] = its
        return fresh

    def _forget(self, sensor_id: str) -> None:
        self._newest_ns.pop(sensor_id, None)
        for its in self._of_sensor.pop(sensor_id, ()):
            self._found[its.address].pop(sensor_id, None)
            if not self._found[its.address]:
                del self._found[its.address]

    def find(self, address: str, at_ns: int) -> TaughtAddress | None:
        """What was taught of an address and holds then: by whoever saw it last."""
        found = [TaughtAddress(sensor_id, its) for sensor_id, its in self._found.get(address, {}).items()]
        holding = [taught for taught in found if taught.lost_bits(at_ns) is not None]
        return max(holding, key=lambda taught: (taught.its.last_ns, taught.sensor_id), default=None)
