"""Figures that hold in service: roll-ups know chance apart from the rest, and what was of unknown work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FIGURES = ("unknown_seconds", "assumed_seconds", "hashes_variance", "energy_variance")


def upgrade() -> None:
    """Add the columns; of what is there, bounds hold chance too, and unknown work was not counted."""
    op.add_column("rollups", sa.Column("unknown_shares", sa.BigInteger, nullable=False, server_default="0"))
    for name in FIGURES:
        op.add_column("rollups", sa.Column(name, sa.Double, nullable=False, server_default="0"))
