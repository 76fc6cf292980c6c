"""How quickly a ledger says what sensors, addresses and sites share.

    python -m tests.bench.shared [--findings 50000] [--write]

Findings of three sensors with half as many payees, two names of rigs each, 300 pools and 2,000 enterprises; a page of
50 rows of each kind, the second time it is asked. `--write` puts the figures into docs/ledger.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
import tempfile
import time

from sqlalchemy import Connection, insert, text

from sensor.ledger import Ledger
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.read.lists.shared import AskedShared, SharedKind
from sensor.ledger.store.database import writing
from sensor.ledger.store.records import dump_enterprise
from sensor.ledger.store.schema import ENTERPRISES, FINDINGS, PARTS, SITES
from sensor.ledger.write.finding_rows import FindingLinks, finding_row
from sensor.ledger.write.lifecycle import HeldFinding
from sensor.ledger.write.rollup_state import RollupState
from sensor.model.attribution import Enterprise
from sensor.model.finding import Pool, Wallet
from sensor.model.scope import EVERYWHERE
from tests.kafka.page import show_figures
from tests.ledger.mining import HOUR, MONDAY, mined
from tests.ledger.servers import postgresql

ENTERPRISE_COUNT, SITE_COUNT, POOL_COUNT, PAGE = 2_000, 4_000, 300, 50
KINDS: tuple[SharedKind, ...] = ("wallet", "pool", "worker", "enterprise")


def fill(connection: Connection, count: int) -> None:
    """So many findings, and which sensors saw each."""
    rng = random.Random(1)
    owners = [Enterprise(f"e{at}", f"Enterprise {at}", None, "enterprise") for at in range(ENTERPRISE_COUNT)]
    connection.execute(
        insert(ENTERPRISES),
        [{"enterprise_id": one.enterprise_id, "name": one.name, "record": dump_enterprise(one)} for one in owners],
    )
    sites = [{"site_id": at + 1, "site_key": f"{at}", "enterprise_id": f"e{at // 2}"} for at in range(SITE_COUNT)]
    connection.execute(insert(SITES), sites)
    findings, parts = [], []
    for number in range(count):
        began_ns = MONDAY + number % 1_000 * HOUR
        miner = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        finding = dataclasses.replace(
            mined(number, began_ns, began_ns + 20 * HOUR, 100, miner=miner),
            finding_id=f"{number:032x}",
            wallet=Wallet(f"payee-{rng.randrange(count // 2)}", "account"),
            pool=Pool(name=f"pool {rng.randrange(POOL_COUNT)}"),
            workers=tuple(sorted(f"hall-{rng.randrange(count)}-a" for _ in range(2))),
        )
        row = finding_row(
            HeldFinding(finding, None), FindingLinks(RollupState(), rng.randrange(SITE_COUNT + 1)), MONDAY
        )
        findings.append(row)
        for sensor_id in rng.sample(("east", "north", "west"), rng.choice((1, 1, 2, 3))):
            key = {"finding_id": finding.finding_id, "sensor_id": sensor_id, "run_id": "run"}
            parts.append({**key, "state": "closed", "last_ns": finding.last_ns, "record": row["record"]})
        if len(findings) == 1_000 or number == count - 1:
            connection.execute(insert(FINDINGS), findings)
            connection.execute(insert(PARTS), parts)
            findings, parts = [], []


def seconds_of(url: str, count: int) -> dict[str, float]:
    """How long a page of each kind takes."""
    ledger = Ledger.open(url)
    with writing(ledger.engine) as connection:
        fill(connection, count)
    with ledger.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    reader, found = DeskReader(ledger.engine, EVERYWHERE), {}
    for kind in KINDS * 2:
        began = time.perf_counter()
        assert len(reader.shared(AskedShared(kind), ListCut(None, PAGE))) == PAGE
        found[kind] = time.perf_counter() - began
    ledger.close()
    return found


def main() -> int:
    """Measure both databases, and say so."""
    parser = argparse.ArgumentParser(description="How quickly a ledger says what is shared.")
    parser.add_argument("--findings", type=int, default=50_000)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/ledger.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = seconds_of(f"sqlite:///{folder}/ledger.db", options.findings)
    with postgresql() as url:
        server = seconds_of(url, options.findings)
    figures = {
        f"{options.findings:,} findings, by {kind}": f"SQLite {file[kind]:.2f} s, PostgreSQL {server[kind]:.2f} s"
        for kind in KINDS
    }
    show_figures("shared", figures, write=options.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
