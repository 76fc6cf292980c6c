"""Reads only the energy of a period, by place: what a chart of many days asks for. SQL in, plain data out."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from sensor.ledger.read.hours import HourRange
from sensor.ledger.store.schema import ROLLUPS, SERIES
from sensor.model.range import Range
from sensor.model.summary import Place


def energy_by_place(connection: Connection, from_ns: int, to_ns: int, level: float) -> dict[Place, Range]:
    """Kilowatt-hours of every place whose roll-ups begin in [from_ns, to_ns), false alarms included."""
    hours = HourRange.beginning_in(from_ns, to_ns)
    place = (SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.algorithm)
    sums = [func.sum(ROLLUPS.c[name]) for name in ("energy_low", "energy_best", "energy_high", "energy_variance")]
    query = select(*place, *sums).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
    within = (SERIES.c.muted == 0, SERIES.c.last_ns >= from_ns, *hours.contain(ROLLUPS.c.hour))
    rows = connection.execute(query.where(*within).group_by(*place)).all()
    return {
        Place(address, site_id, algorithm): Range(low, best, high, variance, level)
        for address, site_id, algorithm, low, best, high, variance in rows
    }
