"""The audit of a configuration, opened to be written."""

from __future__ import annotations

from sensor.audit.store import AuditStore, audit_place
from sensor.audit.trail import WAIT_S, AuditTrail
from sensor.settings.desk import AuditSettings


def open_trail(ledger_url: str, settings: AuditSettings, wait_s: float = WAIT_S) -> AuditTrail:
    """The way into the audit of a ledger; close it at the end. Raises AuditError."""
    return AuditTrail(AuditStore.open(audit_place(ledger_url, settings.url), settings.hash), wait_s)
