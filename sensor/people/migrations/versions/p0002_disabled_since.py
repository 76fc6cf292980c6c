"""Since when an account is disabled: it goes after its time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "p0002"
down_revision = "p0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of accounts that are disabled already it is not known, and counted from the first look on."""
    op.add_column("accounts", sa.Column("disabled_ns", sa.BigInteger, nullable=True))
