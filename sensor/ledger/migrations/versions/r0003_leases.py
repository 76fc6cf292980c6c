"""The lease: which process writes the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    texts = ("sensor_id", "run_id", "host", "boot_id", "pid_namespace")
    numbers = ("pid", "started_ticks", "beat_ns")
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in numbers),
    )
