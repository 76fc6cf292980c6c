"""What a central ledger of a simulated province takes and costs: its size by table, and pages of the console."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from sqlalchemy import Engine, text

from sensor.ledger import Ledger
from tests.console.province import client, desk_of, viewer

#: Pages of the desk, as `docs/console-load.md` has them.
PAGES = ("/overview", "/enterprises", "/sites", "/addresses", "/findings", "/cases", "/sensors", "/pools")
ROUNDS = 5


@dataclass(frozen=True)
class PageTime:
    """One page."""

    path: str
    first_s: float
    again_s: float  # the median of those after it


def sizes(engine: Engine) -> dict[str, int]:
    """Bytes by table, its indexes and long values with it, the largest first; PostgreSQL's own count."""
    query = text(
        "SELECT relname, pg_total_relation_size(oid) AS size FROM pg_class WHERE relkind IN ('r', 'p') "
        "AND relnamespace = 'public'::regnamespace ORDER BY size DESC"
    )
    with engine.connect() as connection:
        return {row.relname: int(row.size) for row in connection.execute(query)}


def whole_bytes(engine: Engine) -> int:
    """The whole database."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def page_times(ledger: Ledger, now_ns: int) -> list[PageTime]:
    """Pages as a leader of all divisions sees them, one after another. Raises AssertionError where one fails."""
    session = client(desk_of(ledger, now_ns), viewer("lead"))
    found = []
    for path in PAGES:
        times = []
        for _ in range(ROUNDS):
            begun = time.monotonic()
            answer = session.get(path)
            times.append(time.monotonic() - begun)
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
        found.append(PageTime(path, times[0], statistics.median(times[1:])))
    return found
