"""How much a ledger keeps, and for how long. Plain figures; knows no database."""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.time import DAY_NS


@dataclass(frozen=True)
class LedgerBounds:
    """What is over a bound is dropped, oldest first, and counted."""

    outbox_rows: int = 200_000  # events that wait for delivery
    outbox_bytes: int = 1_073_741_824  # of their text
    findings: int = 1_000_000  # closed ones go first when there are more
    nodes: int = 200_000
    connections: int = 500_000  # kept so that one that is seen again is counted once; some 2 kB each
    closed_ns: int = 400 * DAY_NS  # how long after its last packet a closed finding is kept
    nodes_ns: int | None = None  # and a node; None: as long as a finding
    connections_ns: int = 400 * DAY_NS  # and a connection
    events_ns: int = 365 * DAY_NS  # an event that was not delivered
    owners_ns: int = 3_650 * DAY_NS  # whose an address was, since it last was
    persons_ns: int = 400 * DAY_NS  # what leads to a person, since anything was last seen of them
    hours_ns: int = 62 * DAY_NS  # roll-ups older than this are merged to days
    rollups_ns: int = 3_650 * DAY_NS  # and kept for so long
    day_offset_hours: int = 8  # days begin at midnight of this offset from UTC: China's, whose weeks the bulletins have
