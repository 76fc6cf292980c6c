"""What people write into cases besides moves: whose they are, due dates of their own, conclusions, files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and make the table of files."""
    for table, name, kind in (
        ("cases", "assignee", sa.Text),
        ("cases", "own_due_ns", sa.BigInteger),
        ("cases", "conclusion", sa.Text),
        ("changes", "kind", sa.Text),
        ("changes", "details", sa.Text),
    ):
        op.add_column(table, sa.Column(name, kind))
    op.create_index("cases_by_assignee", "cases", ["assignee"])
    op.create_table(
        "attachments",
        sa.Column("case_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "name")),
        sa.Column("added_ns", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("removed_ns", sa.BigInteger),
        *(sa.Column(name, sa.Text) for name in ("removed_by", "removed_why")),
    )
    op.create_index("attachments_by_hash", "attachments", ["sha256"])
