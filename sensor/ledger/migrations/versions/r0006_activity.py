"""What a finding's miner does: mines, tries to, watches, or looks whether a pool is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there was taken for mining, and says so by saying nothing."""
    op.add_column("findings", sa.Column("activity", sa.Text))
