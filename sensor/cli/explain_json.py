"""The answer of `minewatch explain --json`: what was found about an address, whose it was, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.answers.finding_object import finding_object, node_object
from sensor.answers.owner_object import answer_object, claim_object
from sensor.answers.values import instant
from sensor.model.attribution import Attribution, Claim
from sensor.model.node import Node
from sensor.model.text import N_
from sensor.model.time import day_of

if TYPE_CHECKING:
    from sensor.ledger import StoredFinding
    from sensor.settings.sections import AllowEntry

NO_BOOKS = N_("no books are configured (attribution.sources)")
#: Address, port, and time in nanoseconds since the epoch.
Question = tuple[str, int | None, int]


@dataclass(frozen=True)
class LedgerEntries:
    """What a ledger has of an address, newest first."""

    findings: Sequence[StoredFinding]
    nodes: Sequence[Node]
    unknown: str | None = None  # why nothing is known of it; None: it was looked up


def explain_object(
    question: Question,
    found: LedgerEntries,
    allowed: Sequence[AllowEntry],
    answered: tuple[Attribution, list[tuple[Claim, str]]] | None,
    persons: bool,
) -> dict[str, object]:
    """The whole answer; findings are null where the ledger could not be asked, the attribution without books."""
    address, port, at_ns = question
    looked_up, today = found.unknown is None, day_of(at_ns)
    return {
        "address": address,
        "port": port,
        "at": instant(at_ns),
        "findings": [finding_object(entry, persons) for entry in found.findings] if looked_up else None,
        "nodes": [node_object(node) for node in found.nodes] if looked_up else None,
        "findings_unknown": found.unknown,
        "allow_list": [
            {
                "network": entry.network,
                "reason": entry.reason,
                "last_day": None if entry.until is None else str(entry.until),
                "expired": entry.until is not None and today > entry.until,
            }
            for entry in allowed
        ],
        "attribution": None if answered is None else answer_object(answered[0], persons),
        "attribution_unknown": NO_BOOKS if answered is None else None,
        "claims_that_do_not_hold": (
            None
            if answered is None
            else [{**claim_object(claim, persons), "reason": why} for claim, why in answered[1]]
        ),
    }
