"""Which sensors listened when: what figures of a period rest on. Plain data and sums over stretches of time.

Time without coverage was not observed. It is neither silence nor a zero, and nothing follows from it. Times are
nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sensor.model.chance import LEVEL
from sensor.model.time import SECOND_NS


class ListeningSpan(NamedTuple):
    """A stretch of time."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """What figures must rest on, how far they go beyond what was seen, and how sure their bounds are."""

    least_watched: float = 0.8  # part of a period that must have been watched for anything to follow from it
    most_projection: float = 2.0  # times what was seen, at most
    level: float = LEVEL


DEFAULT_GROUNDS = Grounds()


@dataclass(frozen=True, slots=True)
class SensorCoverage:
    """When one sensor listened within a period."""

    sensor_id: str
    stretches: tuple[ListeningSpan, ...]  # in order, apart from each other
    live: bool = True  # False: replays alone
    retired: bool = False  # its silence says nothing any more

    def within(self, from_ns: int, to_ns: int) -> SensorCoverage:
        """What lies in [from_ns, to_ns)."""
        return SensorCoverage(self.sensor_id, clipped(self.stretches, from_ns, to_ns), self.live, self.retired)

    @property
    def seconds(self) -> float:
        """How long it listened."""
        return sum(to_ns - from_ns for from_ns, to_ns in self.stretches) / SECOND_NS


@dataclass(frozen=True, slots=True)
class Coverage:
    """A period [from_ns, to_ns), and the sensors that should have listened in it."""

    from_ns: int
    to_ns: int
    sensors: tuple[SensorCoverage, ...] = ()  # by their ids

    @property
    def period_seconds(self) -> float:
        """Length of the period."""
        return (self.to_ns - self.from_ns) / SECOND_NS

    @property
    def seconds(self) -> float:
        """How long at least one sensor listened."""
        return self.seconds_of(None)

    @property
    def part(self) -> float:
        """Of the hours in which the sensors should have listened, the part in which they did, 0 to 1. Replays count
        only where there is no live sensor, and all as one."""
        live = [sensor for sensor in self.sensors if sensor.live]
        if not self.sensors or self.to_ns <= self.from_ns:
            return 0.0
        seconds = sum(sensor.seconds for sensor in live) / len(live) if live else self.seconds
        return min(1.0, seconds / self.period_seconds)

    def within(self, from_ns: int, to_ns: int) -> Coverage:
        """The same of a part of the period."""
        return Coverage(from_ns, to_ns, tuple(sensor.within(from_ns, to_ns) for sensor in self.sensors))

    def seconds_of(self, sensor_ids: Collection[str] | None) -> float:
        """How long at least one of these sensors listened; None: of all."""
        its = (sensor for sensor in self.sensors if sensor_ids is None or sensor.sensor_id in sensor_ids)
        return sum(end - start for start, end in union(stretch for sensor in its for stretch in sensor.stretches)) / (
            SECOND_NS
        )

    def least_part(self, sensor_ids: Collection[str]) -> float:
        """The part of the period in which that one of these sensors listened that listened least, 0 to 1; none named:
        of all sensors. Those that are retired say nothing, and replays only where no live sensor does; 0 for nobody.
        """
        its = [
            sensor
            for sensor in self.sensors
            if not sensor.retired and (not sensor_ids or sensor.sensor_id in sensor_ids)
        ]
        live = [sensor for sensor in its if sensor.live]
        if self.to_ns <= self.from_ns:
            return 0.0
        return min((sensor.seconds / self.period_seconds for sensor in live or its), default=0.0)


def union(stretches: Iterable[tuple[int, int]]) -> list[ListeningSpan]:
    """Stretches in order, those that meet joined."""
    joined: list[ListeningSpan] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1].to_ns:
            joined[-1] = ListeningSpan(joined[-1].from_ns, max(end, joined[-1].to_ns))
        elif end > start:
            joined.append(ListeningSpan(start, end))
    return joined


def clipped(stretches: Iterable[tuple[int, int]], from_ns: int, to_ns: int) -> tuple[ListeningSpan, ...]:
    """What of stretches lies in [from_ns, to_ns)."""
    cut = (ListeningSpan(max(start, from_ns), min(end, to_ns)) for start, end in stretches)
    return tuple(stretch for stretch in cut if stretch.to_ns > stretch.from_ns)
