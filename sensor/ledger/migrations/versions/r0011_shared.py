"""What findings of several sensors have in common, as columns: the pool's name, names of rigs, the hashrate."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

from sensor.ledger.store.records import column_text, unpacked

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

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
    rate = record.get("hashrate_hps")
    values = [None] * 3 if rate is None else [float(rate[name]) for name in ("low", "best", "high")]
    finite = all(value is not None and math.isfinite(value) for value in values)
    return dict(zip(RATES, values if finite else [None] * 3, strict=True))
