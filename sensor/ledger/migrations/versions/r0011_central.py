"""For a central ledger: what findings of several sensors have in common, as columns, and in PostgreSQL roll-ups and
connections cut by the month."""

from __future__ import annotations

import json
import math
import zlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from sensor.ledger.store.records import column_text, unpacked

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: Months of before are in no partition of their own, and no more than so many ahead of the clock.
FIRST_YEAR, MONTHS_AHEAD, HOUR_NS = 2009, 2, 3_600_000_000_000
#: Records that are held in memory at once.
PAGE = 500
TEXTS, RATES = ("pool", "workers", "work_unit"), ("rate_low", "rate_best", "rate_high")


def upgrade() -> None:
    """Add the columns, and take what they have out of the records."""
    for name in TEXTS:
        op.add_column("findings", sa.Column(name, sa.Text))
    for name in RATES:
        op.add_column("findings", sa.Column(name, sa.Double))
    _fill(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        _cut("rollups", "hour", 1, ("series_id", "hour"), {})
        indexes = {"connections_by_ends": "ends", "connections_by_time": "last_ns"}
        key = ("finding_id", "sensor_id", "run_id", "flow_id", "first_ns")
        _cut("connections", "first_ns", HOUR_NS, key, indexes)


def _cut(table: str, column: str, units_per_hour: int, key: tuple[str, ...], indexes: dict[str, str]) -> None:
    """Make a table anew, cut by the month of a column, and bring its rows and whoever may read them."""
    former = f"{table}_before"
    op.execute(f"ALTER TABLE {table} RENAME TO {former}")
    op.execute(f"ALTER TABLE {former} RENAME CONSTRAINT {table}_pkey TO {former}_pkey")
    for name in indexes:
        op.execute(f"DROP INDEX {name}")
    op.execute(f"CREATE TABLE {table} (LIKE {former}) PARTITION BY RANGE ({column})")
    op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({', '.join(key)})")
    for name, of in indexes.items():
        op.execute(f"CREATE INDEX {name} ON {table} ({of})")
    op.execute(f"CREATE TABLE {table}_other PARTITION OF {table} DEFAULT")
    for month in _months(former, column, units_per_hour):
        first, end = (_first_hour(each) * units_per_hour for each in (month, month + 1))
        name = f"{table}_{month // 12:04}_{month % 12 + 1:02}"
        op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({end})")
    op.execute(f"INSERT INTO {table} SELECT * FROM {former}")
    _grant_again(table, former)
    op.execute(f"DROP TABLE {former}")


def _months(table: str, column: str, units_per_hour: int) -> list[int]:
    """The months that rows are of: twelve times the year, and the months before it. Others are in the rest."""
    now = datetime.now(UTC)
    first, end = FIRST_YEAR * 12, now.year * 12 + now.month - 1 + MONTHS_AHEAD + 1
    within = f"{column} >= {_first_hour(first) * units_per_hour} AND {column} < {_first_hour(end) * units_per_hour}"
    query = f"SELECT DISTINCT {column} / {24 * units_per_hour} FROM {table} WHERE {within}"
    days = (datetime.fromtimestamp(day * 86_400, UTC) for day in op.get_bind().scalars(sa.text(query)))
    return sorted({day.year * 12 + day.month - 1 for day in days})


def _first_hour(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) // 3_600


def _grant_again(table: str, former: str) -> None:
    """Whoever had rights on the former table has them on this one."""
    query = sa.text(
        "SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type "
        "FROM pg_class, aclexplode(relacl) WHERE oid = CAST(:t AS regclass)"
    )
    for role, right in op.get_bind().execute(query, {"t": former}).all():
        op.execute(f"GRANT {right} ON {table} TO {role}")


def _fill(connection: sa.Connection) -> None:
    names = (*TEXTS, *RATES)
    columns = [sa.column("finding_id", sa.Text), sa.column("record", sa.Text)]
    findings = sa.table("findings", *columns, *(sa.column(name) for name in names))
    values: dict[str, Any] = {name: sa.bindparam(name) for name in names}
    put = sa.update(findings).where(findings.c.finding_id == sa.bindparam("identity")).values(values)
    after = ""
    while True:
        page = sa.select(*columns).where(findings.c.finding_id > after).order_by(findings.c.finding_id).limit(PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        connection.execute(put, [{"identity": row.finding_id, **_columns(row.record)} for row in rows])
        after = rows[-1].finding_id


def _columns(text: str) -> dict[str, Any]:
    """The columns of a record; nothing of one that is damaged."""
    try:
        record = json.loads(unpacked(text))
        return {**_texts(record), **_rates(record)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error):
        return dict.fromkeys((*TEXTS, *RATES))


def _texts(record: dict[str, Any]) -> dict[str, Any]:
    ip, port = record.get("pool_ip"), record.get("pool_port") or 0
    end = None if not ip else f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    pool = (record.get("pool") or {}).get("name") or record.get("pool_host") or end
    workers = sorted({column_text(name) for name in record.get("workers") or () if name})
    return {
        "pool": column_text(pool) if pool else None,
        "workers": json.dumps(workers) if workers else None,
        "work_unit": record.get("work_unit", "hashes"),
    }


def _rates(record: dict[str, Any]) -> dict[str, Any]:
    """The hashrate; nothing of one that no column holds."""
    rate = record.get("hashrate_hps")
    try:
        values = [float(rate[name]) for name in ("low", "best", "high")] if rate else [math.nan]
    except (TypeError, OverflowError):
        values = [math.nan]
    return dict(zip(RATES, values if all(map(math.isfinite, values)) else [None] * 3, strict=True))
