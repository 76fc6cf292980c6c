"""Findings by when they were seen last: what a list of them begins with."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("findings_by_time", "findings", ["last_ns", "finding_id"])
