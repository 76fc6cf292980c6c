"""A running sensor's status as one JSON object: what the metrics say, and the sentences that metrics cannot carry.

Pure: a status in, plain data out. Times are RFC 3339 in UTC; what is not known is null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from exporters.forms.amounts import significant
from sensor.model.range import Range
from sensor.model.status import OutboxStatus, Reload, Status
from sensor.model.time import SECOND_NS, rfc3339_text

Json = dict[str, Any]
#: Figures of the core that are shown by interface.
INTERFACE_FIGURES = ("packets", "bytes", "received", "dropped", "freezes", "downs", "up")


def encode(status: Status, now_ns: int) -> Json:
    """The whole status, as `minewatch status --json` prints it."""
    return {
        "time": rfc3339_text(now_ns),
        "version": status.version,
        "engine": status.engine,
        "sensor_id": status.sensor_id,
        "started": rfc3339_text(status.start_ns),
        "uptime_seconds": (now_ns - status.start_ns) // SECOND_NS,
        "sandbox": status.sandbox,
        "simulated": list(status.simulated),
        "ready": not status.unready,
        "troubles": list(status.troubles),
        "emergency": [cause for cause, now in status.emergency.items() if now],
        "capture": _capture(status, now_ns),
        "flows": _flows(status),
        "findings": _findings(status),
        "coverage": _coverage(status, now_ns),
        "ledger": {"url": status.ledger_url, **status.ledger},
        "exporters": {name: _exporter(outbox, now_ns) for name, outbox in status.outboxes.items()},
        "reloads": {name: _reload(reload) for name, reload in status.reloads.items()},
        "books": dict(status.attribution),
        "signatures": {
            "dialects": len(status.dialects),
            "newest_file": _time(status.signatures_changed_ns),
            "tables": [
                {
                    "name": table.name,
                    "rows": table.rows,
                    "dated": None if table.dated is None else table.dated.isoformat(),
                    "age_days": None if table.dated is None else _days_since(table.dated.toordinal(), now_ns),
                }
                for table in status.tables
            ],
        },
        "policy": _policy(status),
        "certificate_until": _time(status.certificate_until_ns),
        "heartbeat_age_seconds": {
            stage: max(0, now_ns - beat_ns) // SECOND_NS for stage, beat_ns in status.heartbeats_ns.items()
        },
    }


def _policy(status: Status) -> Json | None:
    """What a centre gives to this sensor; None where it takes no parcels."""
    if not status.policy_messages:
        return None
    return {
        "parcels": [
            {
                "kind": state.kind,
                "version": state.version,
                "sha256": state.sha256,
                "state": state.state,
                "reason": state.reason,
                "at": rfc3339_text(state.at_ns),
            }
            for state in status.policies
        ],
        "messages": dict(status.policy_messages),
        "trouble": status.policy_trouble,
    }


def _capture(status: Status, now_ns: int) -> Json:
    core = status.core
    received, dropped = core.get("kernel_received", 0), core.get("kernel_dropped", 0)
    return {
        "packets": core.get("packets", 0),
        "bytes": core.get("bytes", 0),
        "received": received if status.interfaces else None,
        "dropped": dropped if status.interfaces else None,
        "loss": dropped / received if received else None,
        "events_dropped": core.get("events_dropped", 0),
        "lag_seconds": round(status.lag_seconds, 3),
        "last_packet": _time(core.get("last_packet_ns", 0)),
        "last_packet_age_seconds": _age_s(core.get("last_packet_ns", 0), now_ns),
        "interfaces": {
            name: {key: figures[key] for key in INTERFACE_FIGURES if key in figures}
            for name, figures in status.interfaces.items()
        },
        "captures_read": status.daemon.get("captures_read"),
    }


def _flows(status: Status) -> Json:
    core, line = status.core, status.line
    return {
        "now": core.get("flows", 0),
        "most": status.limits.get("flows"),
        "opened": core.get("flows_opened", 0),
        "evicted": core.get("flows_evicted", 0),
        "candidates": core.get("candidates", 0),
        "most_candidates": status.limits.get("candidates"),
        "candidates_refused": core.get("candidates_refused", 0),
        "sessions": line.get("flows_open", 0),
    }


def _findings(status: Status) -> Json:
    return {
        "open": sum(status.findings_open.values()),
        "by_grade": {grade: count for grade, count in status.findings_open.items() if count},
        "suppressed": status.findings_suppressed,
        "unknown_work": status.findings_unknown,
        "hashrate_hps": {name: _range(bounds) for name, bounds in status.hashrate_hps.items()},
        "power_watts": {name: _range(bounds) for name, bounds in status.power_watts.items()},
    }


def _coverage(status: Status, now_ns: int) -> Json:
    elapsed_s = (now_ns - status.today_ns) / SECOND_NS if status.today_ns else 0.0
    watched_s = status.watched_today_seconds
    return {
        "day_began": _time(status.today_ns),
        "day_seconds": round(elapsed_s),
        "watched_seconds": None if watched_s is None else round(watched_s),
        "part": min(1.0, watched_s / elapsed_s) if watched_s is not None and elapsed_s > 0 else None,
    }


def _exporter(outbox: OutboxStatus, now_ns: int) -> Json:
    return {
        "waiting": outbox.depth,
        "oldest_age_seconds": _age_s(outbox.oldest_ns, now_ns),
        **outbox.deliveries,
        "dropped": outbox.dropped,
        "trouble": outbox.trouble,
    }


def _reload(reload: Reload) -> Json:
    return {
        "succeeded": reload.succeeded,
        "refused": reload.refused,
        "last_succeeded": reload.last_succeeded,
        "last_success": _time(reload.last_success_ns),
    }


def _range(bounds: Range) -> Json:
    return {"low": significant(bounds.low), "best": significant(bounds.best), "high": significant(bounds.high)}


def _time(ns: int) -> str | None:
    return rfc3339_text(ns) if ns else None


def _age_s(ns: int, now_ns: int) -> int | None:
    return max(0, now_ns - ns) // SECOND_NS if ns else None


def _days_since(ordinal: int, now_ns: int) -> int:
    return datetime.fromtimestamp(now_ns // SECOND_NS, UTC).date().toordinal() - ordinal
