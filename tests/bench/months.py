"""What it takes to forget an old month of connections in PostgreSQL: dropped with its partition, or deleted row by row.

    python -m tests.bench.months [--rows 1000000] [--write]

Each in a database of its own, with the month before it and the one after it there too. `--write` puts the figures into
docs/ledger.md. Files are not synchronised to the disk (`fsync=off`), so the figures are of the processor.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, text

from sensor.ledger import Ledger
from sensor.ledger.store.database import writing
from sensor.ledger.store.months import make_months, partitions
from sensor.ledger.store.schema import CONNECTIONS
from sensor.ledger.write.retention import delete_old_connections
from sensor.model.time import DAY_NS, SECOND_NS
from tests.kafka.page import show_figures
from tests.ledger.servers import postgresql

MONTHS = ((2025, 1), (2025, 2), (2025, 3))
#: Characters of a connection's record, compressed: about what those of the demonstration have.
RECORD = 700


def _ns(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND_NS


def fill(connection: Connection, rows: int) -> None:
    """So many connections in the oldest month, a hundredth of them in each of the others."""
    starts = [_ns(*month) for month in MONTHS]
    make_months(connection, CONNECTIONS, starts)
    insertion = text(
        "INSERT INTO connections SELECT md5((n / 8)::text), 'edge-1', 'run', n + :base, '1:' || md5(n::text), "
        ":start + n * :step, :start + n * :step + 60000000000, "
        "repeat(md5(n::text), :record / 32) FROM generate_series(1, :rows) n"
    )
    for at, start in enumerate(starts):
        count = rows if at == 0 else max(1, rows // 100)
        values = {"base": at * rows, "start": start, "step": 27 * DAY_NS // count, "record": RECORD, "rows": count}
        connection.execute(insertion, values)


def seconds_of(rows: int, *, whole: bool) -> tuple[float, int]:
    """How long it takes until the oldest month is forgotten, committed; and what went."""
    before_ns = _ns(*MONTHS[1])
    with postgresql() as url:
        ledger = Ledger.open(url)
        with writing(ledger.engine) as connection:
            fill(connection, rows)
        with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
        began = time.perf_counter()
        with writing(ledger.engine) as connection:
            if whole:
                gone = delete_old_connections(connection, before_ns)
                assert len(partitions(connection, CONNECTIONS)) == len(MONTHS)
            else:
                gone = connection.execute(delete(CONNECTIONS).where(CONNECTIONS.c.last_ns < before_ns)).rowcount
        took = time.perf_counter() - began
        ledger.close()
    return took, gone


def main() -> int:
    """Measure both, and say so."""
    parser = argparse.ArgumentParser(description="What forgetting an old month of connections takes.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/ledger.md")
    options = parser.parse_args()
    (dropped, gone), (deleted, as_many) = (seconds_of(options.rows, whole=whole) for whole in (True, False))
    assert gone == as_many
    figures = {
        f"an old month of {gone:,} connections, dropped": f"{dropped:.2f} s",
        "the same deleted row by row, and left to vacuum": f"{deleted:.2f} s",
    }
    show_figures("months", figures, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
