"""What sensors said of themselves: an emergency that began, and whether it is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "conditions",
        sa.Column("condition_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("sensor_id", "name", "state")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_ns", "last_ns", "recorded_ns")),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("conditions_by_sensor", "conditions", ["sensor_id", "last_ns"])
