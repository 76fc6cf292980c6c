"""Reports for a central ledger, and of a central ledger how far it has come and what it could not take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    numbered = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "reports",
        sa.Column("sequence", numbered, primary_key=True, autoincrement=True),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("begin_bytes", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("key", "record")),
        sqlite_autoincrement=True,
    )
    op.create_index("reports_by_bytes", "reports", ["begin_bytes"])
    op.create_table(
        "report_cursors",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("sensor_id", "exporter")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("position", "dropped", "refused")),
    )
    op.create_table(
        "collect_positions",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("position", "taken_ns")),
    )
    op.create_table(
        "collect_runs",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("sensor_id", "run_id")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("number", "taken_ns")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("letter_id", numbered, primary_key=True, autoincrement=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("position", "taken_ns")),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("dead_letters_by_place", "dead_letters", ["topic", "partition", "position"], unique=True)
