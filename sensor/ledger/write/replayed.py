"""From the configuration to a ledger: its bounds, and the findings of a replay kept in one."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sensor.ledger import Bounds, Ledger
from sensor.ledger.bounds import DAY_NS
from sensor.line.suppress import Policy
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.settings.sections import Findings, Keeping

#: Records in one transaction.
STEP = 500


def keeping(kept: Keeping) -> Bounds:
    """The bounds. Days begin at the zone's standard midnight."""
    offset = kept.zone.utcoffset(datetime.datetime(2000, 1, 1)) or datetime.timedelta()
    return Bounds(
        outbox_rows=kept.outbox_rows,
        outbox_bytes=kept.outbox_bytes,
        findings=kept.findings,
        nodes=kept.nodes,
        closed_ns=kept.keep_days * DAY_NS,
        hours_ns=kept.hours_days * DAY_NS,
        rollups_ns=kept.rollup_days * DAY_NS,
        day_offset_hours=round(offset.total_seconds() / 3_600),
    )


def keep(records: Sequence[Finding | Node], last_ns: int, kept: Keeping, told: Findings) -> None:
    """Put the records of a replay into a ledger, as a daemon would have at that time; done again, it adds nothing. Raises LedgerError.

    What is on the allow-list or too weak is muted by what is configured. The time from the first record to the capture's last
    packet was listened to, and cases that fell silent in it are closed.
    """
    policy = Policy(told)
    ledger = Ledger.open(kept.url, bounds=keeping(kept))
    try:
        for start in range(0, len(records), STEP):
            page = records[start : start + STEP]
            newest = max(one.last_ns for one in page)
            today = datetime.datetime.fromtimestamp(newest / 1e9, datetime.UTC).date()
            ledger.record(page, newest, policy.quiet([one for one in page if isinstance(one, Finding)], today))
        if records:
            ledger.watched(min(one.first_ns for one in records), last_ns, anew=False)
            ledger.review(last_ns)
    finally:
        ledger.close()
