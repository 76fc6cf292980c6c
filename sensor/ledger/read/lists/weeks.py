"""Energy and addresses of several periods of equal length in a row, for a chart. SQL in, plain data out."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, distinct, func, not_, select

from sensor.ledger.read.hours import HourRange
from sensor.ledger.read.lists.asked import FALSE_ALARM
from sensor.ledger.read.selection import Selection
from sensor.ledger.store.schema import COUNTED_SERIES, ROLLUPS, SERIES
from sensor.model.range import Range


class PeriodEnergy(NamedTuple):
    """What was seen in one of the periods; a range that is 0 throughout is not known."""

    addresses: int
    energy_kwh: Range


def energy_of_periods(
    connection: Connection, chosen: Selection, from_ns: int, length_ns: int, count: int, level: float
) -> list[PeriodEnergy]:
    """Of `count` periods that follow each other, the first beginning at `from_ns`; false alarms are in none."""
    found = []
    for number in range(count):
        began_ns = from_ns + number * length_ns
        hours = HourRange.beginning_in(began_ns, began_ns + length_ns)
        sums = [func.sum(ROLLUPS.c[name]) for name in ("energy_low", "energy_best", "energy_high", "energy_variance")]
        query = select(func.count(distinct(SERIES.c.miner_ip)), *sums)
        query = query.join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
        its = (COUNTED_SERIES, chosen.series, not_(FALSE_ALARM), SERIES.c.last_ns >= began_ns)
        row = connection.execute(query.where(*its, *hours.contain(ROLLUPS.c.hour))).one()
        low, best, high, variance = (float(value or 0.0) for value in row[1:])
        found.append(PeriodEnergy(row[0], Range(low, best, high, variance, level)))
    return found
