"""Sites, roll-ups by the hour, machines and cases. Findings of before are rolled up when the ledger is opened, not
here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WHOLE = ("sessions", "shares", "accepted", "stream_bytes")
FLOATS = (
    "seconds",
    "lost_seconds",
    "work_hashes",
    "hashes_low",
    "hashes_best",
    "hashes_high",
    "energy_low",
    "energy_best",
    "energy_high",
)


def upgrade() -> None:
    """Make the tables, and the columns that findings get."""
    for name in ("rolled", "wallet", "aggregator"):
        op.add_column("findings", sa.Column(name, sa.Text))
    for name in ("site_id", "case_id", "machines"):
        op.add_column("findings", sa.Column(name, sa.Integer))
    op.create_index("findings_by_site", "findings", ["site_id"])
    op.create_index("findings_by_wallet", "findings", ["wallet", "site_id"])
    missing = sa.text("rolled IS NULL")
    op.create_index("findings_not_rolled", "findings", ["finding_id"], sqlite_where=missing, postgresql_where=missing)
    _owners()
    _rollups()
    _cases()


def _owners() -> None:
    op.create_table(
        "enterprises",
        sa.Column("enterprise_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_table(
        "sites",
        sa.Column("site_id", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("site_key", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("enterprise_id", "address", "division", "division_name")),
    )
    op.create_index("sites_by_key", "sites", ["site_key"], unique=True)
    op.create_index("sites_by_enterprise", "sites", ["enterprise_id"])
    op.create_table(
        "addresses",
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("site_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("allocation", sa.Text),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("record", sa.Text),
    )
    op.create_index("addresses_by_site", "addresses", ["site_id"])


def _rollups() -> None:
    key = ("pool", "dialect", "algorithm", "coin")
    op.create_table(
        "series",
        sa.Column("series_id", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("miner_ip", sa.Text, nullable=False),
        sa.Column("site_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in key),
        sa.Column("muted", sa.Integer, nullable=False),
        sa.Column("pool_name", sa.Text),
        sa.Column("work_unit", sa.Text, nullable=False),
        sa.Column("grade", sa.Integer, nullable=False),
        sa.Column("machines", sa.Integer, nullable=False),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("series_by_key", "series", ["miner_ip", "site_id", *key, "muted"], unique=True)
    op.create_index("series_by_site", "series", ["site_id"])
    op.create_index("series_by_time", "series", ["last_ns"])
    op.create_table(
        "rollups",
        sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hours", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in WHOLE),
        *(sa.Column(name, sa.Double, nullable=False) for name in FLOATS),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "machines",
        sa.Column("miner_ip", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("site_id", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("algorithm", "device", "device_class", "agent")),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("machines_by_site", "machines", ["site_id"])
    op.create_table(
        "watched",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seconds", sa.Double, nullable=False),
    )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("site_id", sa.BigInteger, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("since_ns", "opened_ns", "first_ns", "last_ns")),
    )
    op.create_index("cases_by_subject", "cases", ["site_id", "address"], unique=True)
    op.create_index("cases_by_state", "cases", ["state", "last_ns"])
    op.create_table(
        "changes",
        sa.Column("change_id", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("case_id", sa.BigInteger, nullable=False),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("state", "who", "why")),
    )
    op.create_index("changes_by_case", "changes", ["case_id", "change_id"])
