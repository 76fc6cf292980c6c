"""The tables as they stand now. How a database of an earlier release becomes this is told by `migrations`; a test holds both to one text.

What is searched for is a column; the whole record stands beside it as JSON. Times are nanoseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

METADATA = MetaData()
#: SQLite numbers rows only in a column of the type INTEGER.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

FINDINGS = Table(
    "findings",
    METADATA,
    Column("finding_id", Text, primary_key=True),
    Column("miner_ip", Text, nullable=False),
    Column("pool_ip", Text, nullable=False),
    Column("pool_port", Integer, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("coin", Text),
    Column("algorithm", Text),
    Column("grade", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("muted", Text),  # why nothing is sent about it
    Column("run_id", Text, nullable=False),  # of the process that recorded it last
    Column("recorded_ns", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Column("earlier", Text),  # the record as it was before that process began to follow it
    Index("findings_by_miner", "miner_ip"),
    Index("findings_by_state", "state", "last_ns"),
)

NODES = Table(
    "nodes",
    METADATA,
    Column("node_id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("recorded_ns", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("nodes_by_address", "address"),
    Index("nodes_by_time", "last_ns"),
)

#: Numbers are never used twice, also not after all rows were deleted: a cursor is a number.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("begin_bytes", BigInteger, nullable=False),  # text of all events before this one, counted from when the outbox was last empty
    Column("record", Text, nullable=False),
    Index("outbox_by_bytes", "begin_bytes"),
    sqlite_autoincrement=True,
)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("exporter", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),  # the last sequence that is done with
    Column("dropped", BigInteger, nullable=False),  # events that went over the outbox's bound before they were delivered
    Column("refused", BigInteger, nullable=False),  # events the destination will never take
)
