"""What is recorded and told: a finding, a node, a condition of the sensor; and the name of what is said of it now."""

from __future__ import annotations

import hashlib

from sensor.model.condition import Condition
from sensor.model.finding import Finding
from sensor.model.node import Node

#: What leaves the line, and what is recorded besides.
LineRecord = Finding | Node
Record = LineRecord | Condition


def event_id(record: Record) -> str:
    """The name of what is said about a record now: the same at every retry and every replay of the packets, another
    when it changed.
    """
    if isinstance(record, Node):
        parts: tuple[object, ...] = (record.node_id, "closed", record.last_ns)
    elif isinstance(record, Condition):
        parts = (record.condition_id, record.state)
    else:
        counts = (record.shares.submitted, record.shares.accepted, record.shares.verified, record.flow_count)
        parts = (record.finding_id, record.state, record.last_ns, int(record.grade), *counts, *_unspoken(record))
    return hashlib.sha1(
        " ".join(map(str, parts)).encode("utf-8", "backslashreplace"), usedforsecurity=False
    ).hexdigest()[:20]


def _unspoken(finding: Finding) -> list[object]:
    """What makes an event another one that neither counts nor times show; nothing where only words were observed."""
    parts: list[object] = [] if finding.merged_into is None else [finding.merged_into]
    if finding.corrects is not None:
        parts.append(tuple(finding.corrects))
    for part in finding.observations:
        if part.kind != "spoken":
            parts += [part.kind, part.signature, part.bits, part.time_ns, sorted(part.detail.items())]
    return parts


def record_id(record: Record) -> str:
    """The identity of a record: the same at every replay of its packets."""
    if isinstance(record, Condition):
        return record.condition_id
    return record.node_id if isinstance(record, Node) else record.finding_id


def record_order(record: Record) -> tuple[int, str]:
    """The order in which records leave: by first packet, then by identity."""
    return record.first_ns, record_id(record)
