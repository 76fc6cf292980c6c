"""The tables of this release. `migrations` brings a database of an earlier one here; a test compares both.

What is searched for is a column; the whole record stands beside it as JSON. Times are nanoseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text, and_, or_, text

from sensor.ledger.store.amounts import MEASURES, WHOLE
from sensor.model.evidence import LEAST_COUNTED

METADATA = MetaData()
#: SQLite numbers rows only in a column of the type INTEGER.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")


def _from_to() -> tuple[Column[int], ...]:
    """When something was seen first and last."""
    return tuple(Column(name, BigInteger, nullable=False) for name in ("first_ns", "last_ns"))


FINDINGS = Table(
    "findings",
    METADATA,
    Column("finding_id", Text, primary_key=True),
    Column("miner_ip", Text, nullable=False),
    Column("pool_ip", Text),
    Column("pool_port", Integer),
    Column("dialect", Text),  # NULL: nothing was spoken
    Column("coin", Text),
    Column("algorithm", Text),
    Column("grade", Integer, nullable=False),
    Column("state", Text, nullable=False),
    *_from_to(),
    Column("muted", Text),  # why it is suppressed
    Column("recorded_ns", BigInteger, nullable=False),
    Column("record", Text, nullable=False),  # of all parts together
    Column("overlaps", Text),  # what the parts counted more than once, by algorithm
    Column("rolled", Text),  # what of it is in the roll-ups; NULL: nothing yet
    Column("site_id", Integer),  # whose its address was; 0: nobody is named
    Column("case_id", Integer),
    Column("machines", Integer),  # at least so many; 0: a program's own donation, no other machine
    Column("wallet", Text),  # who is paid: wallet or account, without the rig's name
    Column("aggregator", Text),  # what speaks for many machines
    Column("activity", Text),  # mining, attempt, observer, probe; NULL: nothing was spoken, or it is not known
    Column("pool", Text),  # what it is called: by the catalogue, else host and port, else address and port
    Column("workers", Text),  # names of rigs, as an array of JSON; NULL: none was named
    Column("work_unit", Text),
    # Hashrate, as the record has it; NULL: not known.
    *(Column(name, Double) for name in ("rate_low", "rate_best", "rate_high")),
    Index("findings_by_miner", "miner_ip"),
    Index("findings_by_state", "state", "last_ns"),
    Index("findings_by_site", "site_id"),
    Index("findings_by_time", "last_ns", "finding_id"),
    Index("findings_by_wallet", "wallet", "site_id"),
    Index(
        "findings_not_rolled",
        "finding_id",
        sqlite_where=text("rolled IS NULL"),
        postgresql_where=text("rolled IS NULL"),
    ),
)

#: What each run of a sensor counted of a finding. Run "" has what the sensor's earlier runs did; sensor "" what was
#: recorded before sensors were told apart.
PARTS = Table(
    "parts",
    METADATA,
    Column("finding_id", Text, primary_key=True),
    Column("sensor_id", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("muted", Text),
    Column("record", Text),  # NULL: it is in run ""
    Index("parts_by_sensor", "sensor_id", "last_ns"),
)

#: Connections as each run saw them, by which one that was seen twice is counted once. In PostgreSQL cut by the month of
#: `first_ns`, which is in the key there (`months.py`).
CONNECTIONS = Table(
    "connections",
    METADATA,
    Column("finding_id", Text, primary_key=True),
    Column("sensor_id", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("flow_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ends", Text, nullable=False),  # community id
    *_from_to(),
    Column("record", Text, nullable=False),
    Index("connections_by_ends", "ends"),
    Index("connections_by_time", "last_ns"),
)

#: Every sensor that told this ledger anything.
SENSORS = Table(
    "sensors",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # "live", or "replay"
    *_from_to(),  # wall clock of its first and its last report
    Column("clock_offset_ns", BigInteger, nullable=False),  # as it states it: its clock less the true time
    Column("clock_note", Text),  # why connections that another sensor saw are not joined with its own
    Column("retired_ns", BigInteger),
)

#: What became of the newest parcels of a centre at each sensor, as it last said.
SENSOR_POLICIES = Table(
    "sensor_policies",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("state", Text, primary_key=True),  # "in_use", "withdrawn", "refused"
    Column("version", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("reason", Text),
    Column("at_ns", BigInteger, nullable=False),  # the sensor's clock
)

#: Findings that are no attempt, observer or probe.
MINING = or_(FINDINGS.c.activity.is_(None), FINDINGS.c.activity == "mining")
#: Those that figures rest on: they are reported, and certain.
COUNTED = and_(MINING, FINDINGS.c.muted.is_(None), FINDINGS.c.grade >= int(LEAST_COUNTED))

NODES = Table(
    "nodes",
    METADATA,
    Column("node_id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    *_from_to(),
    Column("recorded_ns", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("nodes_by_address", "address"),
    Index("nodes_by_time", "last_ns"),
)

#: What sensors said of themselves, as it stands: after a restart a sensor goes on from here.
CONDITIONS = Table(
    "conditions",
    METADATA,
    Column("condition_id", Text, primary_key=True),
    Column("sensor_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    *_from_to(),
    Column("recorded_ns", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("conditions_by_sensor", "sensor_id", "last_ns"),
)

#: Numbers are never used twice, also not after all rows were deleted: a cursor is a number.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    # Text of all events before this one, counted from when the outbox was last empty.
    Column("begin_bytes", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    Index("outbox_by_bytes", "begin_bytes"),
    sqlite_autoincrement=True,
)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("exporter", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),  # the last sequence that is done with
    # Events that went over the outbox's bound before they were delivered.
    Column("dropped", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),  # events the destination will never take
)

#: What the sensor reported, as it was recorded and in the wire form, for a central ledger. Numbered as the outbox is.
REPORTS = Table(
    "reports",
    METADATA,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("begin_bytes", BigInteger, nullable=False),
    Column("key", Text, nullable=False),  # those of one key are to keep their order
    Column("record", Text, nullable=False),
    Index("reports_by_bytes", "begin_bytes"),
    sqlite_autoincrement=True,
)

#: As the cursors of the outbox: how far the reports were delivered.
REPORT_CURSORS = Table(
    "report_cursors",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("exporter", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
)

#: Of a central ledger: up to where each partition of a topic was taken, in the transaction that took it.
POSITIONS = Table(
    "collect_positions",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),  # the next one
    Column("taken_ns", BigInteger, nullable=False),
)

#: The last number that was taken of each run of a sensor in a partition: what a sensor sends again is left out by it.
COLLECTED_RUNS = Table(
    "collect_runs",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("sensor_id", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("taken_ns", BigInteger, nullable=False),
)

#: Messages that could not be taken, and why; the oldest go over a bound.
DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("letter_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("taken_ns", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # its beginning, up to a bound
    Index("dead_letters_by_place", "topic", "partition", "position", unique=True),
    sqlite_autoincrement=True,
)

ENTERPRISES = Table(
    "enterprises",
    METADATA,
    Column("enterprise_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("record", Text, nullable=False),  # the whole of it
)

#: Premises of an enterprise, or a place of which nobody is named. Row 0 is neither.
SITES = Table(
    "sites",
    METADATA,
    Column("site_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("site_key", Text, nullable=False),  # hash of the next four: equal ones are one site
    Column("enterprise_id", Text),
    Column("address", Text),
    Column("division", Text),
    Column("division_name", Text),
    Index("sites_by_key", "site_key", unique=True),
    Index("sites_by_enterprise", "enterprise_id"),
)

#: Whose an address was, and when: between first and last it may have been others' as well.
ADDRESSES = Table(
    "addresses",
    METADATA,
    Column("address", Text, primary_key=True),
    Column("site_id", BigInteger, primary_key=True, autoincrement=False),
    Column("result", Text, nullable=False),
    Column("allocation", Text),  # prefix or range that the answer speaks of
    *_from_to(),
    Column("record", Text),  # the attribution with its claims
    Index("addresses_by_site", "site_id"),
)

#: What is rolled up together; "" is not known, muted is 1 for what is in no figure: on the allow-list, or too weak.
SERIES = Table(
    "series",
    METADATA,
    Column("series_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("miner_ip", Text, nullable=False),
    Column("site_id", BigInteger, nullable=False),
    Column("pool", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("coin", Text, nullable=False),
    Column("muted", Integer, nullable=False),
    Column("pool_name", Text),
    Column("work_unit", Text, nullable=False),
    Column("grade", Integer, nullable=False),  # the best seen
    Column("machines", Integer, nullable=False),  # the most seen
    *_from_to(),
    Index("series_by_key", "miner_ip", "site_id", "pool", "dialect", "algorithm", "coin", "muted", unique=True),
    Index("series_by_site", "site_id"),
    Index("series_by_time", "last_ns"),
)

#: The series that figures rest on. What is too weak has series of its own; a release before put it into others.
COUNTED_SERIES = and_(SERIES.c.muted == 0, SERIES.c.grade >= int(LEAST_COUNTED))

#: Sums over `hours` hours from `hour` (since the epoch): 1, or 24 when they are old. In PostgreSQL cut by the month of
#: the hour (`months.py`).
ROLLUPS = Table(
    "rollups",
    METADATA,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("hours", Integer, nullable=False),
    *(Column(name, BigInteger if at < WHOLE else Double, nullable=False) for at, name in enumerate(MEASURES)),
    sqlite_with_rowid=False,
)

MACHINES = Table(
    "machines",
    METADATA,
    Column("miner_ip", Text, primary_key=True),
    Column("name", Text, primary_key=True),  # of the rig, as its login has it
    Column("site_id", BigInteger, nullable=False),
    Column("algorithm", Text),
    Column("device", Text),
    Column("device_class", Text),
    Column("agent", Text),
    *_from_to(),
    Index("machines_by_site", "site_id"),
)

#: Coverage: the stretches in which a sensor listened, apart from one another. Silence counts only there.
COVERAGE = Table(
    "coverage",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("from_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("to_ns", BigInteger, nullable=False),
    Index("coverage_by_end", "to_ns"),
)

CASES = Table(
    "cases",
    METADATA,
    Column("case_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("site_id", BigInteger, nullable=False),  # 0: nobody is named, the case is of the address
    Column("address", Text, nullable=False),  # "" where there is a site
    Column("state", Text, nullable=False),
    Column("since_ns", BigInteger, nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    *_from_to(),
    # As the history has them, for lists.
    Column("assignee", Text),  # login of an account
    Column("own_due_ns", BigInteger),  # of the present step; NULL: as its state has it
    Column("conclusion", Text),
    Index("cases_by_subject", "site_id", "address", unique=True),
    Index("cases_by_state", "state", "last_ns"),
    Index("cases_by_assignee", "assignee"),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("change_id", SEQUENCE, primary_key=True, autoincrement=True),
    Column("case_id", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", Text),  # what the step did; NULL: a move or a note, of before they were told apart
    Column("details", Text),  # what it wrote beside its sentence
    Index("changes_by_case", "case_id", "change_id"),
)

#: Files of cases, by their hash in a folder beside the ledger (`sensor/ledger/store/attachments.py`). The row of one
#: that was removed stays.
ATTACHMENTS = Table(
    "attachments",
    METADATA,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # within its case
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("added_ns", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("removed_ns", BigInteger),
    Column("removed_by", Text),
    Column("removed_why", Text),
    Index("attachments_by_hash", "sha256"),
)

#: Which process a sensor is, by the sensor's id; a row that is not there is free.
LEASES = Table(
    "leases",
    METADATA,
    Column("sensor_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid_namespace", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started_ticks", BigInteger, nullable=False),
    Column("beat_ns", BigInteger, nullable=False),
)
