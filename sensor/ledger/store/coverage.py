"""Coverage as it is read: how long sensors listened in a period. SQL within a transaction; changes nothing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from sensor.ledger.store.schema import COVERAGE
from sensor.model.time import SECOND_NS


class Listening(NamedTuple):
    """A stretch of time."""

    from_ns: int
    to_ns: int


def stretches(
    connection: Connection, from_ns: int, to_ns: int, sensor_ids: Collection[str] | None = None
) -> dict[str, list[Listening]]:
    """The stretches within [from_ns, to_ns) in which each sensor listened, in order; of all sensors unless some are
    named."""
    query = select(COVERAGE).where(COVERAGE.c.from_ns < to_ns, COVERAGE.c.to_ns > from_ns)
    if sensor_ids is not None:
        query = query.where(COVERAGE.c.sensor_id.in_(sensor_ids))
    found: dict[str, list[Listening]] = defaultdict(list)
    for row in connection.execute(query.order_by(COVERAGE.c.sensor_id, COVERAGE.c.from_ns)):
        found[row.sensor_id].append(Listening(max(from_ns, row.from_ns), min(to_ns, row.to_ns)))
    return dict(found)


def any_seconds(by_sensor: Mapping[str, list[Listening]]) -> float:
    """For how long at least one of the sensors listened."""
    total, end = 0, 0
    for from_ns, to_ns in sorted(stretch for some in by_sensor.values() for stretch in some):
        total += max(0, to_ns - max(from_ns, end))
        end = max(end, to_ns)
    return total / SECOND_NS


def united(by_sensor: Mapping[str, list[Listening]]) -> list[Listening]:
    """The stretches in which at least one of the sensors listened, in order, none of which meet."""
    joined: list[Listening] = []
    for from_ns, to_ns in sorted(stretch for some in by_sensor.values() for stretch in some):
        if joined and from_ns <= joined[-1].to_ns:
            joined[-1] = Listening(joined[-1].from_ns, max(joined[-1].to_ns, to_ns))
        else:
            joined.append(Listening(from_ns, to_ns))
    return joined


def all_seconds(by_sensor: Mapping[str, list[Listening]], sensor_ids: Collection[str]) -> float:
    """For how long all of these sensors listened at the same time; 0 for no sensors."""
    return sum(to_ns - from_ns for from_ns, to_ns in _together(by_sensor, sensor_ids)) / SECOND_NS


def all_heard_by(by_sensor: Mapping[str, list[Listening]], sensor_ids: Collection[str], seconds: float) -> int | None:
    """When all of these sensors had listened at the same time for so long; None: not yet."""
    if not math.isfinite(seconds):
        return None
    left_ns = math.ceil(seconds * SECOND_NS)
    for from_ns, to_ns in _together(by_sensor, sensor_ids):
        if to_ns - from_ns >= left_ns:
            return from_ns + left_ns
        left_ns -= to_ns - from_ns
    return None


def _together(by_sensor: Mapping[str, list[Listening]], sensor_ids: Collection[str]) -> Iterator[Listening]:
    """The stretches in which all of these sensors listened, in order."""
    changes = sorted(change for name in sensor_ids for a, b in by_sensor.get(name, []) for change in ((a, 1), (b, -1)))
    listening, since = 0, 0
    for at_ns, change in changes:
        if listening == len(sensor_ids) and at_ns > since:
            yield Listening(since, at_ns)
        listening, since = listening + change, at_ns
