"""Coverage as it is read: how long sensors listened in a period. SQL within a transaction; changes nothing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, select

from sensor.ledger.store.schema import COVERAGE
from sensor.model.coverage import ListeningSpan
from sensor.model.time import SECOND_NS


def stretches(
    connection: Connection, from_ns: int, to_ns: int, sensor_ids: Collection[str] | None = None
) -> dict[str, list[ListeningSpan]]:
    """The stretches within [from_ns, to_ns) in which each sensor listened, in order; of all sensors unless some are
    named."""
    query = select(COVERAGE).where(COVERAGE.c.from_ns < to_ns, COVERAGE.c.to_ns > from_ns)
    if sensor_ids is not None:
        query = query.where(COVERAGE.c.sensor_id.in_(sensor_ids))
    found: dict[str, list[ListeningSpan]] = defaultdict(list)
    for row in connection.execute(query.order_by(COVERAGE.c.sensor_id, COVERAGE.c.from_ns)):
        found[row.sensor_id].append(ListeningSpan(max(from_ns, row.from_ns), min(to_ns, row.to_ns)))
    return dict(found)


def all_heard_by(
    by_sensor: Mapping[str, list[ListeningSpan]], sensor_ids: Collection[str], seconds: float
) -> int | None:
    """When all of these sensors had listened at the same time for so long; None: not yet."""
    if not math.isfinite(seconds):
        return None
    left_ns = math.ceil(seconds * SECOND_NS)
    for from_ns, to_ns in _together(by_sensor, sensor_ids):
        if to_ns - from_ns >= left_ns:
            return from_ns + left_ns
        left_ns -= to_ns - from_ns
    return None


def _together(by_sensor: Mapping[str, list[ListeningSpan]], sensor_ids: Collection[str]) -> Iterator[ListeningSpan]:
    """The stretches in which all of these sensors listened, in order."""
    changes = sorted(change for name in sensor_ids for a, b in by_sensor.get(name, []) for change in ((a, 1), (b, -1)))
    listening, since = 0, 0
    for at_ns, change in changes:
        if listening == len(sensor_ids) and at_ns > since:
            yield ListeningSpan(since, at_ns)
        listening, since = listening + change, at_ns
