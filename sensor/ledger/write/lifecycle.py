"""The lifecycle of a finding: what a record makes of it. Opened, updated or closed; reported or suppressed. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sensor.model.finding import Finding
from sensor.model.naming import Correction, MinedName, correction


@dataclass(frozen=True)
class HeldFinding:
    """What the ledger holds of one finding."""

    finding: Finding
    suppressed: str | None  # why it is not reported


@dataclass(frozen=True)
class Part:
    """What one run of a sensor counted of a finding; the run "" is what that sensor's earlier runs did."""

    sensor_id: str
    run_id: str
    finding: Finding | None  # its connections without their traces; None: it is among what the run "" counted
    suppressed: str | None

    @property
    def is_open(self) -> bool:
        """Whether the run still follows it."""
        return self.finding is not None and self.finding.state != "closed"


def advance(
    before: HeldFinding | None, merged: Finding, *, is_open: bool, suppressed: str | None
) -> tuple[HeldFinding, bool]:
    """What the ledger holds after a record, and whether that is an event: also the one that says that what was
    reported as mining is none. `merged` is the finding of all its parts;
    `is_open`: some run follows it."""
    if is_open:
        first_report = before is None or before.suppressed is not None or before.finding.state == "closed"
        merged = dataclasses.replace(merged, state="opened" if first_report else "updated", merged_into=None)
    else:
        merged = dataclasses.replace(merged, state="closed")
    merged = dataclasses.replace(merged, corrects=_withdrawn(before, merged))
    if before is not None and _unchanged(before, merged, suppressed):
        return before, False
    mended = before is not None and before.suppressed is None and before.finding.mines and not merged.mines
    return HeldFinding(merged, suppressed), suppressed is None or mended


def _unchanged(before: HeldFinding, merged: Finding, suppressed: str | None) -> bool:
    """Whether a record brings nothing new: a step that is tried again is no second event."""
    finding = before.finding
    if before.suppressed != suppressed or (finding.state == "closed") != (merged.state == "closed"):
        return False
    return finding == dataclasses.replace(merged, state=finding.state, corrects=finding.corrects)


def _withdrawn(before: HeldFinding | None, merged: Finding) -> Correction | None:
    """What the latest event of a finding said and no longer holds; nothing where nobody was told, or where it has
    become another finding."""
    if before is None or before.suppressed is not None or merged.merged_into is not None:
        return None
    return correction(_named(before.finding), _named(merged))


def _named(finding: Finding) -> MinedName:
    return MinedName(finding.dialect, finding.coin, finding.algorithm, finding.algorithm_basis)
