"""Findings as alerts of a Prometheus Alertmanager, by its API version 2 (`POST /api/v2/alerts`).

Alertmanager forgets alerts when it restarts, and resolves what is not sent again. So an open finding is sent with an end four repetitions
ahead and is repeated until it closes; if the sensor dies, its alerts resolve by themselves. An alert is told from others by its labels: a
grade that rises makes another alert, and the one before it is ended in the same call. Nodes are no alerts.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from exporters.forms.amounts import quantity
from exporters.forms.event import CERTAIN, PROBABLE, severity
from exporters.forms.moments import timestamp
from exporters.settings import PATH, Settings, Timeout, Tls, secret_of
from exporters.transports.http import Poster, Url
from sensor.model.finding import Finding
from sensor.model.node import Node

ALERT = "CryptocurrencyMining"
#: As Prometheus itself: an alert ends by itself after four repetitions that did not come.
MISSED_REPEATS = 4
#: Findings whose labels are remembered, to end an alert whose labels changed; one that is forgotten ends by itself.
REMEMBERED = 16_384
SEVERITIES = {CERTAIN: "critical", PROBABLE: "warning"}
LabelName = Annotated[str, Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")]


class Config(Settings):
    """Alertmanager's address, labels to add to every alert, and how often open findings are sent again."""

    url: Url
    labels: dict[LabelName, str] = Field(default_factory=dict)
    resend_s: Annotated[float, Field(ge=1, le=3_600)] = 120.0
    authorization_file: str | None = Field(default=None, json_schema_extra=PATH)
    tls: Tls = Tls()
    timeout_s: Timeout = 5.0


def encode(finding: Finding, until: float, labels: Mapping[str, str]) -> dict[str, object]:
    """The alert of a finding: it ends at `until` (seconds since the epoch) unless it is sent again, a closed one with its last packet."""
    ends = rfc3339(finding.last_ns / 1e9 if finding.state == "closed" else until)
    return {
        "labels": {**labels, **_labels(finding)},
        "annotations": _annotations(finding),
        "startsAt": rfc3339(finding.first_ns / 1e9),
        "endsAt": ends,
    }


def rfc3339(seconds: float) -> str:
    """`2026-01-02T03:04:05.678Z`, within what such a text can say."""
    return (
        datetime.fromtimestamp(min(max(0.0, seconds), 253_402_300_799.0), UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


class Sender:
    """Sends findings in batches, and remembers the labels they had."""

    most = 64

    def __init__(self, settings: Config, clock: Callable[[], float] = time.time) -> None:
        """Raises Unusable if a secret or a certificate cannot be read."""
        self.repeat_s: float | None = settings.resend_s
        self._clock = clock
        self._hold_s = MISSED_REPEATS * settings.resend_s
        self._fixed = settings.labels
        allowed = settings.authorization_file
        self._headers = {} if allowed is None else {"Authorization": secret_of("authorization_file", allowed)}
        self._poster = Poster(f"{settings.url.rstrip('/')}/api/v2/alerts", settings.tls, settings.timeout_s)
        self._known: OrderedDict[str, dict[str, object]] = OrderedDict()

    def send(self, records: Sequence[Finding | Node]) -> None:
        """Post the findings among the records as one list. Raises Refused or OSError."""
        now = self._clock()
        alerts: list[dict[str, object]] = []
        sent: dict[str, dict[str, object]] = {}
        for record in records:
            if isinstance(record, Finding):
                alert = encode(record, now + self._hold_s, self._fixed)
                before = sent.get(record.finding_id) or self._known.get(record.finding_id)
                if before is not None and before["labels"] != alert["labels"]:
                    alerts.append({**before, "endsAt": rfc3339(now)})
                alerts.append(alert)
                sent[record.finding_id] = alert
        if alerts:
            self._poster.post(json.dumps(alerts).encode(), self._headers)
        for record in records:
            if isinstance(record, Finding):
                self._remember(record, sent[record.finding_id])

    def reopen(self) -> None:
        """Nothing is held open that could be rotated."""

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _remember(self, finding: Finding, alert: dict[str, object]) -> None:
        self._known.pop(finding.finding_id, None)
        if finding.state != "closed":
            self._known[finding.finding_id] = alert
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


def _labels(finding: Finding) -> dict[str, str]:
    """What tells the alert from others: nothing that changes with every update, nothing the network can choose freely."""
    return {
        "alertname": ALERT,
        "finding_id": finding.finding_id,
        "miner": finding.miner_ip,
        "dialect": finding.dialect,
        "grade": finding.grade.label,
        "severity": SEVERITIES.get(severity(finding.grade), "info"),
    }


def _annotations(finding: Finding) -> dict[str, str]:
    money = " ".join(part for part in (finding.coin, finding.algorithm) if part)
    pool = finding.pool_host or finding.pool.host or f"{finding.pool_ip}:{finding.pool_port}"
    shares = finding.shares
    rate, watts = finding.hashrate_hps, finding.power_watts
    said = {
        "summary": f"{finding.miner_ip} mines {money or 'a cryptocurrency'} at {pool}",
        "description": "; ".join(finding.reasons),
        "pool": pool,
        "coin": finding.coin,
        "algorithm": finding.algorithm,
        "login": finding.login,
        "confidence": f"{finding.confidence:.3f}",
        "shares": f"{shares.submitted} submitted, {shares.accepted} accepted, {shares.verified} verified",
        "hashrate": None
        if rate is None
        else quantity(rate.best, "Sol/s" if finding.work_unit == "solutions" else "H/s"),
        "power": None if watts is None else quantity(watts.best, "W"),
        "last_seen": timestamp(finding.last_ns),
    }
    return {name: _clean(text) for name, text in said.items() if text}


def _clean(text: str) -> str:
    """Alertmanager takes valid UTF-8 only."""
    return text.encode("utf-8", "replace").decode()
