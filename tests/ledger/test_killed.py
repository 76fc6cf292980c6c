"""Killed in the middle of writing, again and again: nothing committed is lost, nothing is doubled.

Fifty times, with the time that a start takes: `python -m tests.bench.killed`.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.ledger.servers import postgresql
from tests.ledger.writer import check, killed

SQLITE_KILLS, POSTGRESQL_KILLS = 8, 4


def test_sqlite_survives_kills_while_writing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    generator = random.Random(9)
    check(url, [killed(url, run, generator)[0] for run in range(SQLITE_KILLS)])


def test_postgresql_survives_kills_of_its_client() -> None:
    generator = random.Random(10)
    with postgresql() as url:
        check(url, [killed(url, run, generator)[0] for run in range(POSTGRESQL_KILLS)])
