"""Accounts, sessions, tokens, places of sign-in, and attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "p0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _whole(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("login", sa.Text, primary_key=True),
        *_text("name", "role", "divisions", "language"),
        *_text("password", null=True),
        *_whole("disabled", "must_change", "created_ns"),
        *_whole("password_ns", "signed_in_ns", null=True),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text, primary_key=True),
        *_text("login", "address"),
        *_whole("created_ns", "seen_ns"),
        *_whole("revoked_ns", null=True),
    )
    op.create_index("sessions_by_login", "sessions", ["login"])
    op.create_table(
        "places",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("network", sa.Text, primary_key=True),
        *_whole("last_ns"),
    )
    op.create_table(
        "attempts",
        sa.Column("subject", sa.Text, primary_key=True),
        *_whole("failures", "last_ns", "until_ns"),
    )
    op.create_index("attempts_by_time", "attempts", ["last_ns"])
    op.create_table(
        "flows",
        sa.Column("digest", sa.Text, primary_key=True),
        *_text("state", "nonce", "verifier"),
        *_whole("created_ns"),
    )
    op.create_index("flows_by_time", "flows", ["created_ns"])
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        *_text("login", "label", "scopes", "divisions"),
        *_whole("created_ns", "expires_ns"),
        *_whole("revoked_ns", "seen_ns", null=True),
    )
    op.create_index("tokens_by_login", "tokens", ["login"])
