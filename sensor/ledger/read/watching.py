"""Reads what figures of a period rest on: when sensors listened, who saw a miner, when it was watched mining. SQL in,
plain data out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection, select

from sensor.ledger.read.finding_times import TimesMemory
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.store.amounts import Amounts
from sensor.ledger.store.coverage import stretches
from sensor.ledger.store.schema import COUNTED, FINDINGS, PARTS, SENSORS
from sensor.model.coverage import Coverage, Grounds, ListeningSpan, SensorCoverage
from sensor.model.quantities import WatchedStretch
from sensor.model.rates import AssumedParts, MiningTimes, projection
from sensor.model.summary import Place
from sensor.model.work import WithAssumed, assumed_parts, mining_seconds

Kind = TypeVar("Kind")


def coverage(connection: Connection, from_ns: int, to_ns: int) -> Coverage:
    """When each sensor listened in [from_ns, to_ns): those that did, and those that should have.

    Every live sensor should, from its first report until it is retired. Replays should only where there is no live
    sensor: nobody replays a place for ever.
    """
    heard = stretches(connection, from_ns, to_ns)
    rows = connection.execute(select(SENSORS).order_by(SENSORS.c.sensor_id)).all()
    present = [row for row in rows if row.retired_ns is None or row.retired_ns > from_ns or row.sensor_id in heard]
    live = [row for row in present if row.kind == "live" and (row.sensor_id in heard or row.first_ns < to_ns)]
    expected = live or [row for row in present if row.sensor_id in heard] or present
    found = {
        row.sensor_id: SensorCoverage(
            row.sensor_id, _of(heard.get(row.sensor_id, ())), row.kind == "live", row.retired_ns is not None
        )
        for row in (*expected, *(row for row in present if row.sensor_id in heard))
    }
    for sensor_id in heard.keys() - found.keys():  # of before sensors were listed
        found[sensor_id] = SensorCoverage(sensor_id, _of(heard[sensor_id]))
    return Coverage(from_ns, to_ns, tuple(found[sensor_id] for sensor_id in sorted(found)))


@dataclass
class MiningTime:
    """When miners were watched mining, and which sensors saw them, by place. Findings are forgotten before roll-ups:
    of what is gone nothing is known here."""

    stretches: dict[Place, list[WatchedStretch]] = field(default_factory=lambda: defaultdict(list))  # at known work
    unrated: dict[Place, list[WatchedStretch]] = field(default_factory=lambda: defaultdict(list))  # at unknown work
    priced: dict[Place, list[WatchedStretch]] = field(default_factory=lambda: defaultdict(list))  # at known energy
    unpriced: dict[Place, list[WatchedStretch]] = field(
        default_factory=lambda: defaultdict(list)
    )  # at known work alone
    works: dict[Place, list[WithAssumed]] = field(default_factory=lambda: defaultdict(list))
    sensors: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))

    def seconds(self, place: Place, from_ns: int, to_ns: int) -> float | None:
        """How long a place was watched mining within a period: at work that is in its figures, else at all; None: not
        known."""
        found = self._its(self.stretches, place) or self.unrated.get(place)
        return mining_seconds(found, from_ns, to_ns) if found else None

    def without_energy(self, place: Place, from_ns: int, to_ns: int) -> tuple[float | None, float]:
        """How much of that was at known energy (None: all of it, as far as is known), and how much at known work but
        unknown energy. There may be both at once."""
        unpriced = mining_seconds(self._its(self.unpriced, place), from_ns, to_ns)
        return (mining_seconds(self._its(self.priced, place), from_ns, to_ns) if unpriced else None), unpriced

    def sensors_of(self, place: Place) -> tuple[str, ...]:
        """The sensors that saw a place; of one whose owner changed meanwhile those that saw the address."""
        found = self.sensors.get(place) or self._seen_at(place.address)
        return tuple(sorted(found))

    def assumed(self, place: Place) -> AssumedParts:
        """How far the time at an assumed rate leaves the work of a place open."""
        return assumed_parts(self._its(self.works, place))

    def _its(self, kind: Mapping[Place, list[Kind]], place: Place) -> list[Kind]:
        """What there is of a place; of one whose owner changed meanwhile that of the address whoever held it, for
        findings have their newest holder alone."""
        if place in self.stretches or place in self.unrated:
            return kind.get(place, [])
        its = (other for other in self._places[place.address] if other.algorithm == place.algorithm)
        return [each for other in its for each in kind.get(other, ())]

    def _seen_at(self, address: str) -> set[str]:
        return {sensor for place in self._places[address] for sensor in self.sensors.get(place, ())}

    @cached_property
    def _places(self) -> dict[str, set[Place]]:
        """The places of each address."""
        found: dict[str, set[Place]] = defaultdict(set)
        for place in (*self.stretches, *self.unrated, *self.sensors):
            found[place.address].add(place)
        return found


@dataclass(frozen=True)
class Watching:
    """When miners of a period were watched mining, and when sensors listened."""

    mining: MiningTime
    coverage: Coverage
    grounds: Grounds
    _listened: dict[tuple[str, ...], float] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def watched_part(self) -> float:
        """The part of the sensors' hours that was watched."""
        return self.coverage.part

    def listened_seconds(self, sensors: tuple[str, ...]) -> float:
        """How long at least one of these sensors listened, of all where none is named. Few sets of sensors see the
        thousands of miners of a province."""
        if sensors not in self._listened:
            self._listened[sensors] = self.coverage.seconds_of(sensors or None)
        return self._listened[sensors]

    def times(self, place: Place, amounts: Amounts) -> MiningTimes:
        """Of a line. Where its findings are forgotten, its connections' time is the time it was watched mining. Time at
        unknown work that was taken to be at a rate of other times is in the figures, and so it is here."""
        coverage = self.coverage
        mining = self.mining.seconds(place, coverage.from_ns, coverage.to_ns) or float(amounts.seconds)
        mining = min(mining, coverage.period_seconds)
        energy = (*self.mining.without_energy(place, coverage.from_ns, coverage.to_ns), self.mining.assumed(place))
        observed = max(mining, self.listened_seconds(self.mining.sensors_of(place)))
        if self.watched_part <= 0.0 or self.watched_part < self.grounds.least_watched:
            return MiningTimes(mining, observed, None, *energy)
        factor = projection(coverage.period_seconds, observed, self.grounds.most_projection)
        return MiningTimes(mining, observed, factor, *energy)


def mining_time(
    connection: Connection, from_ns: int, to_ns: int, chosen: Selection = ALL, memory: TimesMemory | None = None
) -> MiningTime:
    """Of all findings that were seen in [from_ns, to_ns) and that figures rest on."""
    found, memory = MiningTime(), memory or TimesMemory()
    within = (COUNTED, chosen.findings, FINDINGS.c.last_ns >= from_ns, FINDINGS.c.first_ns < to_ns)
    place = (FINDINGS.c.miner_ip, FINDINGS.c.site_id, FINDINGS.c.algorithm)
    records = select(*place, FINDINGS.c.finding_id, FINDINGS.c.record).where(*within)
    for address, site_id, algorithm, finding_id, record in connection.execute(records):
        times, its_place = memory.times(finding_id, record), Place(address, site_id or 0, algorithm or "")
        if times.work is None:
            found.unrated[its_place] += times.stretches
            continue
        found.stretches[its_place] += times.stretches
        found.works[its_place].append(times.work)
        (found.priced if times.has_energy else found.unpriced)[its_place] += times.stretches
    seen = select(*place, PARTS.c.sensor_id).join(PARTS, PARTS.c.finding_id == FINDINGS.c.finding_id)
    for address, site_id, algorithm, sensor_id in connection.execute(seen.where(*within).distinct()):
        found.sensors[Place(address, site_id or 0, algorithm or "")].add(sensor_id)
    return found


def _of(its: Iterable[tuple[int, int]]) -> tuple[ListeningSpan, ...]:
    return tuple(ListeningSpan(start, end) for start, end in its)
