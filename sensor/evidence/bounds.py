"""How much evidence is kept. Plain figures; knows no files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvidenceBounds:
    """What is over a bound is not written, or goes first, and is counted."""

    flow_bytes: int = 16_384  # of one connection, both directions together
    payload_bytes: int = 65_535  # of one packet
    finding_bytes: int = 1_048_576  # of one finding's file
    total_bytes: int = 1_073_741_824  # of all files
    memory_bytes: int = 67_108_864  # of flows that may become findings
    keep_days: float = 90.0
