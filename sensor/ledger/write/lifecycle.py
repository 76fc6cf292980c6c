"""The lifecycle of a finding: what a record makes of it. Merged or replaced; opened, updated or closed; reported or
suppressed. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sensor.ledger.write.merge import merge_findings
from sensor.model.finding import Finding


@dataclass(frozen=True)
class HeldFinding:
    """What the ledger holds of one finding."""

    finding: Finding
    run_id: str  # of the process that recorded it last
    earlier: Finding | None  # as it was before that process began to follow it
    suppressed: str | None  # why it is not reported


def advance(
    before: HeldFinding | None, record: Finding, run_id: str, suppressed: str | None
) -> tuple[HeldFinding, bool]:
    """What the ledger holds after a record, and whether that is an event.

    Within one run a record replaces the one before it, since both carry the totals of the run. It is merged with the
    ledger's if that was of an earlier run, or was closed and forgotten by the process: then its totals began again,
    after the last packet of the closed one.
    """
    earlier = None
    if before is not None:
        closed_before = before.finding.state == "closed" and record.first_ns > before.finding.last_ns
        earlier = before.finding if before.run_id != run_id or closed_before else before.earlier
    merged = merge_findings(earlier, record) if earlier is not None else record
    if record.state != "closed":
        first_report = before is None or before.suppressed is not None or before.finding.state == "closed"
        merged = dataclasses.replace(merged, state="opened" if first_report else "updated")
    if before is not None and _unchanged(before, merged, run_id, suppressed):
        return before, False
    return HeldFinding(merged, run_id, earlier, suppressed), suppressed is None


def _unchanged(before: HeldFinding, merged: Finding, run_id: str, suppressed: str | None) -> bool:
    """Whether a record brings nothing new: a step that is tried again is no second event."""
    finding = before.finding
    if before.run_id != run_id or before.suppressed != suppressed:
        return False
    if (finding.state == "closed") != (merged.state == "closed"):
        return False
    return finding == dataclasses.replace(merged, state=finding.state)
