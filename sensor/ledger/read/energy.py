"""Reads only the energy of a period: by place, which a chart of many days asks for, or of sites by the hour, beside
which a meter stands. SQL in, plain data out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from sensor.ledger.read.hours import HourRange
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.store.schema import COUNTED_SERIES, ROLLUPS, SERIES
from sensor.model.range import Range
from sensor.model.summary import Place
from sensor.model.time import HOUR_NS

#: Sites asked for in one query.
PAGE = 500


class EnergyPiece(NamedTuple):
    """Kilowatt-hours in [from_ns, to_ns): an hour, or the day that old hours became."""

    from_ns: int
    to_ns: int
    kwh: Range


def energy_by_place(
    connection: Connection, from_ns: int, to_ns: int, level: float, chosen: Selection = ALL
) -> dict[Place, Range]:
    """Kilowatt-hours of every chosen place whose roll-ups begin in [from_ns, to_ns), false alarms included."""
    hours = HourRange.beginning_in(from_ns, to_ns)
    place = (SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.algorithm)
    sums = [func.sum(ROLLUPS.c[name]) for name in ("energy_low", "energy_best", "energy_high", "energy_variance")]
    query = select(*place, *sums).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
    within = (COUNTED_SERIES, chosen.series, SERIES.c.last_ns >= from_ns, *hours.contain(ROLLUPS.c.hour))
    rows = connection.execute(query.where(*within).group_by(*place)).all()
    return {
        Place(address, site_id, algorithm): Range(low, best, high, variance, level)
        for address, site_id, algorithm, low, best, high, variance in rows
    }


def site_energy(
    connection: Connection, site_ids: Iterable[int], from_ns: int, to_ns: int
) -> dict[int, tuple[EnergyPiece, ...]]:
    """The energy of each of these sites in the pieces that begin in [from_ns, to_ns), in order of time; what is
    suppressed is left out."""
    hours = HourRange.beginning_in(from_ns, to_ns)
    sums = [func.sum(ROLLUPS.c[name]) for name in ("energy_low", "energy_best", "energy_high", "energy_variance")]
    keys = (SERIES.c.site_id, ROLLUPS.c.hour, ROLLUPS.c.hours)
    wanted = sorted(set(site_ids))
    found: dict[int, list[EnergyPiece]] = defaultdict(list)
    for start in range(0, len(wanted), PAGE):
        its = (COUNTED_SERIES, SERIES.c.site_id.in_(wanted[start : start + PAGE]))
        query = select(*keys, *sums).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
        query = query.where(*its, *hours.contain(ROLLUPS.c.hour)).group_by(*keys).order_by(*keys)
        for site_id, hour, length, low, best, high, variance in connection.execute(query):
            piece = EnergyPiece(hour * HOUR_NS, (hour + length) * HOUR_NS, Range(low, best, high, variance))
            found[site_id].append(piece)
    return {site_id: tuple(pieces) for site_id, pieces in found.items()}
