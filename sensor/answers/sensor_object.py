"""The sensors of a ledger as JSON."""

from __future__ import annotations

from sensor.answers.values import instant, rounded
from sensor.ledger.read.sensors import SensorSummary
from sensor.model.policy import PolicyState
from sensor.model.time import MILLISECOND_NS


def sensor_object(sensor: SensorSummary) -> dict[str, object]:
    """A sensor, as `ledger sensors` shows it."""
    return {
        "sensor_id": sensor.sensor_id,
        "kind": sensor.kind,
        "state": sensor_state(sensor),
        "running": sensor.running,
        "first_report": instant(sensor.first_ns),
        "last_report": instant(sensor.last_ns),
        "retired_at": instant(sensor.retired_ns),
        "findings": sensor.findings,
        "watched_seconds": rounded(sensor.watched_seconds),
        "exporters": list(sensor.exporters),
        "clock_offset_ms": rounded(sensor.clock_offset_ns / MILLISECOND_NS),
        "clock_note": sensor.clock_note,
        "policies": [policy_object(state) for state in sensor.policies],
    }


def policy_object(state: PolicyState) -> dict[str, object]:
    """What became of a parcel at a sensor."""
    return {
        "kind": state.kind,
        "version": state.version,
        "sha256": state.sha256,
        "state": state.state,
        "reason": state.reason,
        "at": instant(state.at_ns),
    }


def sensor_state(sensor: SensorSummary) -> str:
    """One word: `retired`, `running`, `replays` for what only captures told, or `stopped`."""
    if sensor.retired_ns is not None:
        return "retired"
    if sensor.running is not None:
        return "running"
    return "replays" if sensor.kind == "replay" else "stopped"
