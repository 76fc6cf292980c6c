"""What became of parcels of a centre at each sensor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sensor_policies",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("sensor_id", "kind", "state")),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("at_ns", sa.BigInteger, nullable=False),
    )
