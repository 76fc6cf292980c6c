"""Findings as alerts of a Prometheus Alertmanager (API version 2). Pure.

Labels identify an alert: they hold nothing that changes with every update of a finding.
"""

from __future__ import annotations

from collections.abc import Mapping

from exporters.forms import cells
from exporters.forms.amounts import AT_LEAST, quantity, rate_unit
from exporters.forms.event import CERTAIN, PROBABLE, severity
from sensor.model.finding import Finding
from sensor.model.text import valid_utf8
from sensor.model.time import event_text, rfc3339_text
from sensor.model.work import has_unknown_work

ALERT = "CryptocurrencyMining"
SEVERITIES = {CERTAIN: "critical", PROBABLE: "warning"}
UNKNOWN = "unknown"
#: What somebody does who mines, and who does not.
DOES: dict[str, str] = {
    "mining": "mines",
    "attempt": "tried to sign in",
    "observer": "only observes",
    "probe": "only looked",
}


def encode(finding: Finding, until_ns: int, labels: Mapping[str, str]) -> dict[str, object]:
    """The alert of a finding, with these labels added.

    It ends at `until_ns` unless it is sent again; that of a closed finding ends with its last packet.
    """
    return {
        "labels": {**labels, **_labels(finding)},
        "annotations": _annotations(finding),
        "startsAt": time_text(finding.first_ns),
        "endsAt": time_text(finding.last_ns if finding.state == "closed" or not finding.mines else until_ns),
    }


def time_text(ns: int) -> str:
    """`2026-01-02T03:04:05.678Z`."""
    return rfc3339_text(ns, digits=3)


def _labels(finding: Finding) -> dict[str, str]:
    """What tells the alert from others: nothing that changes with an update, nothing the network chooses freely."""
    return {
        "alertname": ALERT,
        "finding_id": finding.finding_id,
        "miner": finding.miner_ip,
        "dialect": finding.dialect or UNKNOWN,
        "grade": finding.grade.label,
        "severity": SEVERITIES.get(severity(finding.grade), "info"),
    }


def _annotations(finding: Finding) -> dict[str, str]:
    money = " ".join(part for part in (finding.coin, finding.algorithm) if part)
    pool = finding.pool_host or finding.pool.host or _end(finding)
    shares = finding.shares
    rate, watts = finding.hashrate_hps, finding.power_watts
    least = AT_LEAST if has_unknown_work(finding) else ""
    annotations = {
        "summary": _summary(finding, money, pool),
        "description": "; ".join(finding.reasons),
        "pool": pool,
        "coin": finding.coin,
        "algorithm": finding.algorithm,
        "algorithm_basis": finding.algorithm_basis,
        "withdrawn": None if finding.corrects is None else ", ".join(text for text in finding.corrects if text),
        "login": finding.login,
        "confidence": f"{finding.confidence:.3f}",
        "shares": f"{shares.submitted} submitted, {shares.accepted} accepted, {shares.verified} verified"
        if cells.is_read(finding)
        else cells.NOT_READ,
        "hashrate": None if rate is None else least + quantity(rate.best, rate_unit(finding.work_unit)),
        "power": None if watts is None else least + quantity(watts.best, "W"),
        "last_seen": event_text(finding.last_ns),
    }
    return {name: valid_utf8(text) for name, text in annotations.items() if text}


def _summary(finding: Finding, money: str, pool: str | None) -> str:
    place = f"at {pool}" if pool else "at a pool whose address is not known"
    if finding.dialect is None:
        return f"{finding.miner_ip} was not heard to mine; {finding.grade.label} {place}"
    if not finding.mines:
        return f"{finding.miner_ip} {DOES[finding.activity or 'mining']} {place}"
    return f"{finding.miner_ip} mines {money or 'a cryptocurrency'} {place}"


def _end(finding: Finding) -> str | None:
    """The pool's address and port, as far as they are known."""
    return finding.pool_ip if finding.pool_port is None else f"{finding.pool_ip}:{finding.pool_port}"
