"""Findings, nodes and conditions of the sensor as EVE JSON, one object a line.

Field names are Suricata's where they mean the same; `mining`, `node` and `condition` are of our own.
`encode` is pure: a record in, a dict out, keys always in the same order, nothing asked of clock or file. Its schema,
eve.schema.json, stands beside this file.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from exporters.forms.amounts import significant
from exporters.forms.claims import encode_attribution
from sensor.model.condition import Condition
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding, Wallet
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.node import Node
from sensor.model.observation import Observation
from sensor.model.quantities import Interval, Power, Shares
from sensor.model.record import Record, event_id
from sensor.model.text import file_name
from sensor.model.time import event_text

CATEGORY = "Crypto Currency Mining Activity Detected"
GID = 1
#: What a source begins with that is an interface, not a capture.
INTERFACE = "iface:"

#: Suricata's severities, 1 the highest: what is certain, what is probable, what is a suspicion.
CERTAIN, PROBABLE, SUSPICION = 1, 2, 3


def encode(record: Record) -> dict[str, object]:
    """The event of a record."""
    if isinstance(record, Condition):
        return _condition(record)
    return _node(record) if isinstance(record, Node) else _mining(record)


def event_type(record: Record) -> str:
    """What kind of event that of a record is."""
    if isinstance(record, Condition):
        return "condition"
    return "node" if isinstance(record, Node) else "mining"


def encode_stats(counters: Mapping[str, int], last_packet_ns: int, engine: str) -> dict[str, object]:
    """The event of the counters; its time is that of the last packet, so that replays are alike."""
    return {
        "timestamp": event_text(last_packet_ns),
        "event_type": "stats",
        "stats": {"engine": engine, "counters": {name: counters[name] for name in sorted(counters)}},
    }


def dumps(event: Mapping[str, object]) -> str:
    """One line, ASCII only, without the line feed."""
    return json.dumps(event, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def severity(grade: Grade) -> int:
    """How urgent a grade is."""
    if grade >= Grade.SPEAKS:
        return CERTAIN
    return PROBABLE if grade >= Grade.BEHAVES else SUSPICION


def _source(source: str) -> dict[str, object]:
    """Where packets were captured, under the name that EVE has for it."""
    if source.startswith(INTERFACE):
        return {"in_iface": source.removeprefix(INTERFACE)}
    return {"pcap_filename": file_name(source)}


def _ends(key: FlowKey) -> dict[str, object]:
    return {"src_ip": key.src_ip, "src_port": key.src_port, "dest_ip": key.dest_ip, "dest_port": key.dest_port}


def _head(
    event_type: str, record: Finding | Node, key: FlowKey | None, source: str | None, vlans: tuple[int, ...]
) -> dict[str, object]:
    """What every event begins with; a finding without a connection has only the ends that are known."""
    head: dict[str, object] = {
        "timestamp": event_text(record.last_ns),
        "event_type": event_type,
        "event_id": event_id(record),
        **({} if key is None else {"flow_id": key.flow_id, "community_id": key.community_id}),
        **({} if source is None else _source(source)),
    }
    if vlans:
        head["vlan"] = list(vlans)
    if key is not None:
        return {**head, **_ends(key), "proto": key.proto}
    assert isinstance(record, Finding), "a node is a connection's"
    ends = {"src_ip": record.miner_ip, "dest_ip": record.pool_ip, "dest_port": record.pool_port}
    return {**head, **{name: end for name, end in ends.items() if end is not None}}


def _shares(shares: Shares) -> dict[str, object]:
    return {
        "submitted": shares.submitted,
        "accepted": shares.accepted,
        "rejected": shares.rejected,
        "unanswered": max(0, shares.unanswered),  # an answer to a share of another capture makes it fewer
        "verified": shares.verified,
    }


def _evidence(piece: Evidence) -> dict[str, object]:
    return {
        "grade": piece.grade.label,
        "signature": piece.signature,
        "time": event_text(piece.time_ns),
        "flow": piece.flow,
        "direction": piece.direction,
        "offset": piece.offset,
        "excerpt": piece.excerpt,
        "detail": dict(piece.detail),
    }


def _flow(flow: FlowSummary) -> dict[str, object]:
    return {
        **_ends(flow.key),
        "proto": flow.key.proto,
        "flow_id": flow.key.flow_id,
        "community_id": flow.key.community_id,
        "first_seen": event_text(flow.first_ns),
        "last_seen": event_text(flow.last_ns),
        "dialect": flow.dialect,
        "login": flow.login,
        "worker": flow.worker,
        "agent": flow.agent,
        "shares": _shares(flow.shares),
        "vlan": list(flow.vlans),
        "midstream": flow.midstream,
        "direction_basis": flow.basis,
        **_source(flow.source),
        "transport": flow.transport,
        "pool_host": flow.pool_host,
        "proxy": flow.proxy,
        "client": flow.client,
    }


def _mining(finding: Finding) -> dict[str, object]:
    newest = finding.flows[-1] if finding.flows else None
    if newest is not None:
        head = _head("mining", finding, newest.key, newest.source, newest.vlans)
    elif finding.point is not None:
        head = _head("mining", finding, None, finding.point.source, finding.point.vlans)
    else:
        head = _head("mining", finding, None, None, ())
    moved: dict[str, object] = {} if finding.merged_into is None else {"merged_into": finding.merged_into}
    if finding.corrects is not None:
        moved["corrects"] = {name: text for name, text in finding.corrects._asdict().items() if text is not None}
    if finding.attempts is not None:
        moved["attempts"] = dataclasses.asdict(finding.attempts)
    if finding.seen_by:
        moved["seen_by"] = list(finding.seen_by)
    return {
        **head,
        "alert": {
            "action": "allowed",
            "gid": GID,
            "signature_id": finding.signature_id,
            "rev": finding.signature_rev,
            "signature": finding.signature,
            "category": CATEGORY,
            "severity": severity(finding.grade),
        },
        "mining": {
            "finding_id": finding.finding_id,
            "state": finding.state,
            "activity": finding.activity,
            "grade": finding.grade.label,
            "confidence": finding.confidence,
            "reasons": list(finding.reasons),
            **_what(finding),
            **_work(finding),
            "first_seen": event_text(finding.first_ns),
            "last_seen": event_text(finding.last_ns),
            "active_seconds": finding.active_seconds,
            "jobs": finding.jobs,
            "flows": [_flow(flow) for flow in finding.flows],
            "flow_count": finding.flow_count,
            "evidence": [_evidence(piece) for piece in finding.evidence],
            "capture_loss": finding.capture_loss,
            "midstream": finding.midstream,
            "direction_basis": None if newest is None else newest.basis,
            "observations": [_observation(part) for part in finding.observations],
            **moved,
        },
        "attribution": None if finding.attribution is None else encode_attribution(finding.attribution),
    }


def _observation(part: Observation) -> dict[str, object]:
    return {
        "kind": part.kind,
        "grade": part.grade.label,
        "signature": part.signature,
        "bits": part.bits,
        "p": part.p,
        "time": event_text(part.time_ns),
        "detail": part.detail,
    }


def _what(finding: Finding) -> dict[str, object]:
    return {
        "dialect": finding.dialect,
        "framing": finding.framing,
        "transport": finding.transport,
        "coin": finding.coin,
        "algorithm": finding.algorithm,
        "algorithm_basis": finding.algorithm_basis,
        "login": finding.login,
        "wallet": _wallet(finding.wallet),
        "donation": finding.donation,
        "worker": finding.worker,
        "workers": list(finding.workers),
        "worker_count": finding.worker_count,
        "machines_seen": finding.machines_seen,
        "aggregator": finding.aggregator,
        "agent": finding.agent,
        "software": finding.software,
        "software_version": finding.software_version,
        "device": finding.device,
        "device_class": finding.device_class,
        "agent_role": finding.agent_role,
        "pool": {
            "name": finding.pool.name,
            "operator": finding.pool.operator,
            "host": finding.pool.host,
            "listed": finding.pool.listed,
        },
        "proxy": finding.proxy,
    }


def _wallet(wallet: Wallet | None) -> dict[str, object] | None:
    if wallet is None:
        return None
    return {
        "address": wallet.address,
        "verdict": wallet.verdict,
        "checksum": wallet.checksum,
        "form": wallet.form,
        "coins": list(wallet.coins),
        "payout": wallet.payout,
    }


def _work(finding: Finding) -> dict[str, object]:
    return {
        "shares": None if finding.dialect is None else _shares(finding.shares),
        "hashes_per_share": finding.hashes_per_share,
        "work_hashes": finding.work_hashes,
        "work_unit": finding.work_unit,
        "hashrate_hps": _interval(finding.hashrate_hps),
        "spent_hashrate_hps": _interval(finding.spent_hashrate_hps),
        "power_watts": _range(finding.power_watts),
        "energy_kwh": _range(finding.energy_kwh),
        "unknown_shares": finding.unknown_shares,
        "unknown_seconds": finding.unknown_seconds,
        "assumed_seconds": finding.assumed_seconds,
        "estimate_notes": list(finding.estimate_notes),
        "nominal_hashrate_hps": finding.nominal_hashrate_hps,
        "claimed_hashrate_hps": finding.claimed_hashrate_hps,
    }


def _interval(interval: Interval | None) -> dict[str, object] | None:
    if interval is None:
        return None
    return {
        "low": significant(interval.low),
        "best": significant(interval.best),
        "high": significant(interval.high),
        "level": interval.level,
    }


def _range(power: Power | None) -> dict[str, object] | None:
    if power is None:
        return None
    return {
        "low": significant(power.low),
        "best": significant(power.best),
        "high": significant(power.high),
        "basis": power.basis,
    }


def _node(node: Node) -> dict[str, object]:
    return {
        **_head("node", node, node.key, node.source, node.vlans),
        "node": {
            "node_id": node.node_id,
            "protocol": node.protocol,
            "network": node.network,
            "coin": node.coin,
            "agent": node.agent,
            "transport": node.transport,
            "host": node.host,
            "proxy": node.proxy,
            "confidence": node.confidence,
            "signature_id": node.signature_id,
            "rev": node.signature_rev,
            "signature": node.signature,
            "first_seen": event_text(node.first_ns),
            "last_seen": event_text(node.last_ns),
            "evidence": [_evidence(piece) for piece in node.evidence],
        },
        "attribution": None,
    }


def _condition(condition: Condition) -> dict[str, object]:
    """Of no connection: no ends, and nobody's."""
    return {
        "timestamp": event_text(condition.last_ns),
        "event_type": "condition",
        "event_id": event_id(condition),
        "condition": {
            "condition_id": condition.condition_id,
            "name": condition.name,
            "state": condition.state,
            "sensor_id": condition.sensor_id,
            "first_seen": event_text(condition.first_ns),
            "last_seen": event_text(condition.last_ns),
            "causes": dict(condition.causes),
        },
    }
