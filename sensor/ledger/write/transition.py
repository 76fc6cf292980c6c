"""What a finding becomes when a record of it arrives: continued or replaced, opened, updated or closed, told or not. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sensor.ledger.write.continued import continued
from sensor.model.finding import Finding


@dataclass(frozen=True)
class Known:
    """What the ledger holds of one finding."""

    finding: Finding
    run_id: str  # of the process that recorded it last
    earlier: Finding | None  # as it was before that process began to follow it
    muted: str | None  # why nothing is said about it


def follow(known: Known | None, now: Finding, run_id: str, muted: str | None) -> tuple[Known, bool]:
    """What is held from now on, and whether it is an event.

    Within one run a record replaces the one before it, since both carry the totals of the run. It goes on from the ledger's if that was of
    an earlier run, or was closed and forgotten by the process: then its totals began anew, after the last packet of the closed one.
    """
    earlier = None
    if known is not None:
        anew = known.run_id != run_id or (known.finding.state == "closed" and now.first_ns > known.finding.last_ns)
        earlier = known.finding if anew else known.earlier
    joined = continued(earlier, now) if earlier is not None else now
    if now.state != "closed":
        untold = known is None or known.muted is not None or known.finding.state == "closed"
        joined = dataclasses.replace(joined, state="opened" if untold else "updated")
    if known is not None and _same(known, joined, run_id, muted):
        return known, False
    return Known(joined, run_id, earlier, muted), muted is None


def _same(known: Known, joined: Finding, run_id: str, muted: str | None) -> bool:
    """Whether a record says what is held already: a step that is tried again is no second event."""
    before = known.finding
    if known.run_id != run_id or known.muted != muted or (before.state == "closed") != (joined.state == "closed"):
        return False
    return before == dataclasses.replace(joined, state=before.state)
