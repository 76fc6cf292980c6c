"""Reads only the energy of a period out of the ledger, by place: what a chart of many days asks for. Knows SQL; makes no lines."""

from __future__ import annotations

from sqlalchemy import func, select

from sensor.ledger.amounts import HOUR_NS
from sensor.ledger.database import reading
from sensor.ledger.ledger import Ledger
from sensor.ledger.schema import ROLLUPS, SERIES
from sensor.model.summary import Range

#: Address, site (0: nobody is named) and algorithm (empty: not known), as a line of a summary has them.
Place = tuple[str, int, str]


def energies(ledger: Ledger, from_ns: int, to_ns: int) -> dict[Place, Range]:
    """Kilowatt-hours of every place whose roll-ups begin in [from_ns, to_ns), false alarms included. Raises LedgerError."""
    first, last = -(-from_ns // HOUR_NS), -(-to_ns // HOUR_NS)
    place = (SERIES.c.miner_ip, SERIES.c.site_id, SERIES.c.algorithm)
    sums = [func.sum(ROLLUPS.c[name]) for name in ("energy_low", "energy_best", "energy_high")]
    query = select(*place, *sums).join(ROLLUPS, ROLLUPS.c.series_id == SERIES.c.series_id)
    within = (SERIES.c.muted == 0, SERIES.c.last_ns >= from_ns, ROLLUPS.c.hour >= first, ROLLUPS.c.hour < last)
    with reading(ledger.engine) as connection:
        rows = connection.execute(query.where(*within).group_by(*place)).all()
    return {(address, site, algorithm): Range(low, best, high) for address, site, algorithm, low, best, high in rows}
