"""Several sensors: what each run of each counted, its connections, cursors, coverage and lease. What was recorded until
then is of the sensor "", run "before", until a live sensor goes on with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

HOUR_NS = 3_600_000_000_000


def upgrade() -> None:
    """Make the tables, and take along what is there."""
    _parts()
    _findings()
    _connections()
    _cursors()
    _coverage()
    op.create_table(
        "sensors",
        sa.Column("sensor_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_ns", "last_ns", "clock_offset_ns")),
        sa.Column("clock_note", sa.Text),
        sa.Column("retired_ns", sa.BigInteger),
    )
    _leases()


def _leases() -> None:
    """The lease was of the whole ledger; now each sensor has its own."""
    op.drop_table("leases")
    texts = ("run_id", "host", "boot_id", "pid_namespace")
    numbers = ("pid", "started_ticks", "beat_ns")
    op.create_table(
        "leases",
        sa.Column("sensor_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in numbers),
    )


def _parts() -> None:
    op.create_table(
        "parts",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("finding_id", "sensor_id", "run_id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("muted", sa.Text),
        sa.Column("record", sa.Text),
    )
    op.create_index("parts_by_sensor", "parts", ["sensor_id", "last_ns"])
    op.execute(
        "INSERT INTO parts (finding_id, sensor_id, run_id, state, last_ns, muted, record) "
        "SELECT finding_id, '', 'before', state, last_ns, muted, record FROM findings"
    )


def _findings() -> None:
    with op.batch_alter_table("findings") as table:
        table.drop_column("run_id")
        table.drop_column("earlier")
        table.add_column(sa.Column("overlaps", sa.Text))
        table.alter_column("dialect", existing_type=sa.Text, nullable=True)
        table.alter_column("pool_ip", existing_type=sa.Text, nullable=True)
        table.alter_column("pool_port", existing_type=sa.Integer, nullable=True)


def _connections() -> None:
    op.create_table(
        "connections",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("finding_id", "sensor_id", "run_id")),
        sa.Column("flow_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ends", sa.Text, nullable=False),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("connections_by_ends", "connections", ["ends"])
    op.create_index("connections_by_time", "connections", ["last_ns"])


def _cursors() -> None:
    op.rename_table("cursors", "cursors_before")
    op.create_table(
        "cursors",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("sensor_id", "exporter")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("position", "dropped", "refused")),
    )
    op.execute(
        "INSERT INTO cursors (sensor_id, exporter, position, dropped, refused) "
        "SELECT '', exporter, position, dropped, refused FROM cursors_before"
    )
    op.drop_table("cursors_before")


def _coverage() -> None:
    op.create_table(
        "coverage",
        sa.Column("sensor_id", sa.Text, primary_key=True),
        sa.Column("from_ns", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("to_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("coverage_by_end", "coverage", ["to_ns"])
    hour = f"CAST(hour AS BIGINT) * {HOUR_NS}"
    op.execute(
        "INSERT INTO coverage (sensor_id, from_ns, to_ns) "
        f"SELECT '', {hour}, {hour} + CAST(seconds * 1000000000 AS BIGINT) FROM watched WHERE seconds > 0"
    )
    op.drop_table("watched")
