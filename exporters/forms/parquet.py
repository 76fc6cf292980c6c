"""Events as a table of Parquet: a typed column for each thing that is filtered by, and the whole event as JSON.

The columns are a table, `COLUMNS`, of names, kinds and places in an event; the last column is the line that EVE has of
the same event. What an event does not say is null, also an amount: never 0. `write` puts rows into a file that it is
given. The same events give the same bytes, with the same version of the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import IO, Any, Literal, NamedTuple

from exporters.forms.event import dumps
from sensor.model.text import valid_utf8

#: The version of the columns, in the file's own metadata: columns may be added, and never change what they mean.
SCHEMA_VERSION = "1"
#: Rows that are held as columns at once, and make a row group.
GROUP_ROWS = 10_000
#: How the JSON, of which much repeats, is packed.
COMPRESSION = "zstd"
#: What a whole number of a column can hold.
LEAST_WHOLE, MOST_WHOLE = -(1 << 63), (1 << 63) - 1
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
TIME_FORM = "%Y-%m-%dT%H:%M:%S.%f%z"

Kind = Literal["text", "texts", "whole", "wholes", "number", "truth", "time"]
Event = Mapping[str, object]


class ParquetError(Exception):
    """Parquet cannot be written here, for the library is not installed; the text is one sentence."""


class EventColumn(NamedTuple):
    """One column: its name, its kind, and where an event has it, the first place that has it."""

    name: str
    kind: Kind
    places: tuple[str, ...]


def _same(kind: Kind, *names: str, of: str = "") -> list[EventColumn]:
    """Columns that are called as in the event."""
    return [EventColumn(name, kind, (of + name,)) for name in names]


def _either(kind: Kind, *names: str) -> list[EventColumn]:
    """Columns that findings and nodes have."""
    return [EventColumn(name, kind, (f"mining.{name}", f"node.{name}")) for name in names]


def _renamed(kind: Kind, of: str, prefix: str, *names: str) -> list[EventColumn]:
    """Columns that are called as in an inner object, behind a prefix."""
    return [EventColumn(prefix + name, kind, (of + name,)) for name in names]


COLUMNS: tuple[EventColumn, ...] = (
    *_same("text", "event_id", "event_type"),
    *_same("time", "timestamp"),
    EventColumn("record_id", "text", ("mining.finding_id", "node.node_id", "condition.condition_id")),
    EventColumn("state", "text", ("mining.state", "condition.state")),
    EventColumn("first_seen", "time", ("mining.first_seen", "node.first_seen", "condition.first_seen")),
    EventColumn("last_seen", "time", ("mining.last_seen", "node.last_seen", "condition.last_seen")),
    *_same("text", "src_ip"),
    *_same("whole", "src_port"),
    *_same("text", "dest_ip"),
    *_same("whole", "dest_port"),
    *_same("text", "proto", "community_id"),
    *_same("whole", "flow_id"),
    *_same("wholes", "vlan"),
    *_same("text", "in_iface", "pcap_filename"),
    EventColumn("signature_id", "whole", ("alert.signature_id", "node.signature_id")),
    EventColumn("severity", "whole", ("alert.severity",)),
    *_same("text", "activity", "grade", of="mining."),
    *_either("number", "confidence"),
    *_same("text", "dialect", "framing", of="mining."),
    *_either("text", "transport", "coin", "agent", "proxy"),
    *_same("text", "algorithm", "algorithm_basis", "login", of="mining."),
    *_renamed("text", "mining.wallet.", "wallet_", "address", "verdict"),
    *_same("truth", "donation", of="mining."),
    *_same("text", "worker", of="mining."),
    *_same("texts", "workers", of="mining."),
    *_same("whole", "machines_seen", of="mining."),
    *_same("text", "aggregator", "software", "device", "device_class", "agent_role", of="mining."),
    *_renamed("text", "mining.pool.", "pool_", "name", "operator"),
    EventColumn("pool_host", "text", ("mining.pool.host", "node.host")),
    *_renamed("truth", "mining.pool.", "pool_", "listed"),
    *_renamed("text", "node.", "node_", "protocol", "network"),
    *_renamed("whole", "mining.shares.", "shares_", "submitted", "accepted", "rejected", "unanswered", "verified"),
    *_same("number", "work_hashes", of="mining."),
    *_same("text", "work_unit", of="mining."),
    *(
        column
        for amount in ("hashrate_hps", "spent_hashrate_hps", "power_watts", "energy_kwh")
        for column in _renamed("number", f"mining.{amount}.", f"{amount}_", "low", "best", "high")
    ),
    *_same("number", "claimed_hashrate_hps", "nominal_hashrate_hps", "active_seconds", "capture_loss", of="mining."),
    *_same("whole", "flow_count", of="mining."),
    *_same("truth", "midstream", of="mining."),
    *_same("text", "merged_into", of="mining."),
    EventColumn("attribution_result", "text", ("attribution.result",)),
    EventColumn("enterprise_id", "text", ("attribution.enterprise.enterprise_id",)),
    EventColumn("enterprise", "text", ("attribution.enterprise.name",)),
    EventColumn("enterprise_uscc", "text", ("attribution.enterprise.uscc",)),
    EventColumn("division", "text", ("attribution.site.division",)),
    EventColumn("site_address", "text", ("attribution.site.address",)),
)
#: The column of the whole event.
WHOLE_EVENT = "event"


def require_library() -> tuple[Any, Any]:
    """The library and its part for Parquet. Raises ParquetError."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ParquetError("pyarrow is not installed: pip install 'minewatch[parquet]'") from None
    return pyarrow, parquet


def write(file: IO[bytes], events: Iterable[Event]) -> None:
    """Write the events as one Parquet file, in their order. Raises ParquetError, and OSError of the file."""
    arrow, parquet = require_library()
    table_schema = schema()
    with parquet.ParquetWriter(file, table_schema, compression=COMPRESSION, write_statistics=True) as writer:
        for group in _groups(events):
            columns = [
                arrow.array([_value(event, column) for event in group], table_schema.field(column.name).type)
                for column in COLUMNS
            ]
            whole = arrow.array([dumps(event) for event in group], arrow.string())
            writer.write_table(
                arrow.Table.from_arrays([*columns, whole], schema=table_schema), row_group_size=GROUP_ROWS
            )


def schema() -> Any:
    """The columns as the library's schema. Raises ParquetError."""
    arrow, _ = require_library()
    types = {
        "text": arrow.string(),
        "texts": arrow.list_(arrow.string()),
        "whole": arrow.int64(),
        "wholes": arrow.list_(arrow.int64()),
        "number": arrow.float64(),
        "truth": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"),
    }
    fields = [arrow.field(column.name, types[column.kind]) for column in COLUMNS]
    whole = arrow.field(WHOLE_EVENT, arrow.string(), nullable=False)
    return arrow.schema([*fields, whole], metadata={"minewatch.schema": SCHEMA_VERSION})


def _groups(events: Iterable[Event]) -> Iterator[Sequence[Event]]:
    waiting = iter(events)
    while group := list(islice(waiting, GROUP_ROWS)):
        yield group


def _value(event: Event, column: EventColumn) -> object:
    """What a row has in a column; None where the event does not say it, or the column cannot hold it."""
    found = next((value for place in column.places if (value := _at(event, place)) is not None), None)
    return None if found is None else _fitted(found, column.kind)


def _at(event: object, place: str) -> object:
    for name in place.split("."):
        if not isinstance(event, Mapping):
            return None
        event = event.get(name)
    return event


def _fitted(value: object, kind: Kind) -> object:
    match kind, value:
        case "text", str():
            return valid_utf8(value)
        case "texts", list():
            return [valid_utf8(text) for text in value]
        case "whole", int():
            return value if LEAST_WHOLE <= value <= MOST_WHOLE else None
        case "wholes", list():
            return [number for number in value if LEAST_WHOLE <= number <= MOST_WHOLE]
        case "number", int() | float():
            return float(value)
        case "truth", bool():
            return value
        case "time", str():
            return (datetime.strptime(value, TIME_FORM) - EPOCH) // MICROSECOND
    raise TypeError(f"an event has no {type(value).__name__} for {kind}")
