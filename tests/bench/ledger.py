"""What a year of mining weighs in a ledger, how quickly findings are recorded, and how quickly a period is read.

    python -m tests.bench.ledger [--addresses 20] [--days 365] [--url URL]

Each address mines all year at one pool and connects twice a day, so that its record holds as many connections as one
can; a record a day fills its 24 hours, as many records in an hour would. The size is scaled up to 5,000 addresses.
To pass: 2 GB at most.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from sensor.ledger import Ledger
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import ROLLUPS
from sensor.line.join import MAX_FLOWS
from sensor.model.finding import Finding
from tests.ledger.made import SECOND, flow
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

WANTED, LIMIT_BYTES = 5_000, 2_000_000_000


def year(ledger: Ledger, addresses: int, days: int) -> float:
    """Fill a ledger; seconds that it took."""
    began = time.perf_counter()
    for day in range(1, days + 1):
        now_ns = MONDAY + day * DAY
        ledger.record([_finding(number, day) for number in range(addresses)], now_ns)
        ledger.add_coverage(now_ns - DAY, now_ns)
        if day % 30 == 0 or day == days:
            ledger.prune(now_ns)
    return time.perf_counter() - began


def _finding(number: int, day: int) -> Finding:
    made = mined(
        number, MONDAY, MONDAY + day * DAY, 4_000 * day, attribution=owned(number // 3), active_seconds=86_400.0 * day
    )
    flows = [flow(2 * number + half, miner=made.miner_ip) for half in range(2 * max(0, day - MAX_FLOWS // 2), 2 * day)]
    for at, one in enumerate(flows, start=2 * day - len(flows)):
        one.first_ns, one.last_ns = MONDAY + at * DAY // 2, MONDAY + (at + 1) * DAY // 2 - SECOND
    made.flows, made.flow_count = flows, 2 * day
    return made


def speed(ledger: Ledger) -> None:
    """Findings recorded a second in steps of 500, when new and when updated."""
    for name, start in (("new", 0), ("updated", 1), ("updated again", 2)):
        found = [
            mined(100_000 + number, MONDAY, MONDAY + (start + 1) * HOUR // 12, 10 * (start + 1))
            for number in range(2_000)
        ]
        began = time.perf_counter()
        for page in range(0, len(found), 500):
            ledger.record(found[page : page + 500], MONDAY)
        print(f"{name}: {len(found) / (time.perf_counter() - began):,.0f} findings a second")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addresses", type=int, default=20)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--url", help="a database; without it, a fresh file of SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        ledger = Ledger.open(arguments.url or f"sqlite:///{path}")
        taken = year(ledger, arguments.addresses, arguments.days)
        with reading(ledger.engine) as connection:
            rows = connection.scalar(select(func.count()).select_from(ROLLUPS))
            if connection.dialect.name == "sqlite":
                used = connection.exec_driver_sql(
                    "SELECT (SELECT * FROM pragma_page_count()) - (SELECT * FROM pragma_freelist_count())"
                )
                size = int(used.scalar_one()) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
            else:
                size = int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
        scaled = size * WANTED / arguments.addresses
        print(
            f"{arguments.addresses} addresses, {arguments.days} days: {size / 1e6:.1f} MB, {rows:,} roll-ups, "
            f"written in {taken:.0f} s"
        )
        print(f"{WANTED:,} addresses: {scaled / 1e9:.2f} GB")
        began = time.perf_counter()
        told = ledger.reader.summary(MONDAY + (arguments.days - 7) * DAY, MONDAY + arguments.days * DAY)
        print(f"a week of {told.addresses} addresses read in {time.perf_counter() - began:.2f} s")
        speed(ledger)
        ledger.close()
    return 0 if scaled <= LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
