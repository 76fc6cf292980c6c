"""Findings as alerts of a Prometheus Alertmanager, by its API version 2 (`POST /api/v2/alerts`).

Alertmanager forgets alerts when it restarts, and resolves what is not sent again. So an open finding is sent with an
end four repetitions ahead and is repeated until it closes; if the sensor dies, its alerts resolve by themselves.
Labels identify an alert: a grade that rises makes another alert, and the one before it is ended in the same call.
Nodes and conditions of the sensor are no alerts.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from exporters.forms.alert import encode, time_text
from exporters.settings import PATH, ExporterSettings, Timeout, Tls, secret_of
from exporters.transports.http import Poster, Url
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.time import SECOND_NS

#: As Prometheus itself: an alert ends by itself after four repetitions that did not come.
MISSED_REPEATS = 4
#: Findings whose labels are remembered, to end an alert whose labels changed; one that is forgotten ends by itself.
REMEMBERED = 16_384
LabelName = Annotated[str, Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")]


class Config(ExporterSettings):
    """Alertmanager's address, labels to add to every alert, and how often open findings are sent again."""

    url: Url
    labels: dict[LabelName, str] = Field(default_factory=dict)
    resend_s: Annotated[float, Field(ge=1, le=3_600)] = 120.0
    authorization_file: str | None = Field(default=None, json_schema_extra=PATH)
    tls: Tls = Tls()
    timeout_s: Timeout = 5.0


class Sender:
    """Sends findings in batches, and remembers the labels they had."""

    most = 64

    def __init__(self, settings: Config, clock: Callable[[], float] = time.time) -> None:
        """Raises Unusable if a secret or a certificate cannot be read."""
        self.repeat_s: float | None = settings.resend_s
        self._clock = clock
        self._hold_ns = round(MISSED_REPEATS * settings.resend_s * SECOND_NS)
        self._fixed = settings.labels
        allowed = settings.authorization_file
        self._headers = {} if allowed is None else {"Authorization": secret_of("authorization_file", allowed)}
        self._poster = Poster(f"{settings.url.rstrip('/')}/api/v2/alerts", settings.tls, settings.timeout_s)
        self._alerts: OrderedDict[str, dict[str, object]] = OrderedDict()

    def send(self, records: Sequence[Record]) -> None:
        """Post the findings among the records as one list. Raises Refused or OSError."""
        now_ns = round(self._clock() * SECOND_NS)
        alerts: list[dict[str, object]] = []
        sent: dict[str, dict[str, object]] = {}
        for record in records:
            if isinstance(record, Finding):
                alert = encode(record, now_ns + self._hold_ns, self._fixed)
                before = sent.get(record.finding_id) or self._alerts.get(record.finding_id)
                if before is not None and before["labels"] != alert["labels"]:
                    alerts.append({**before, "endsAt": time_text(now_ns)})
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
        self._alerts.pop(finding.finding_id, None)
        if finding.state != "closed":
            self._alerts[finding.finding_id] = alert
            if len(self._alerts) > REMEMBERED:
                self._alerts.popitem(last=False)
