"""Statuses to make metrics of: a quiet one, and one of a sensor in which everything is filled and everything has
happened.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import cache

from exporters.forms.metrics import DIALECT_GRADES, GRADES
from exporters.forms.series import EVIDENCE, INTERFACE, LEDGER, LINE, MALFORMED
from sensor.behaviour.calibration import Calibration
from sensor.model.policy import KINDS, STATES, PolicyState
from sensor.model.status import RELOAD_KINDS, STAGES, OutboxStatus, Reload, Status, TableAge
from sensor.model.summary import Range
from sensor.policy.refusal import CAUSES
from sensor.reference.counters import new_counters
from sensor.signatures import load

NS = 1_000_000_000


@cache
def shipped_dialects() -> tuple[str, ...]:
    return tuple(sorted(one.name for one in load().dialects))


@cache
def verifying_dialects() -> tuple[str, ...]:
    return tuple(sorted(one.name for one in load().dialects if one.verify))


@cache
def shipped_tables() -> tuple[TableAge, ...]:
    return tuple(TableAge(table.name, table.rows, table.dated) for table in load().tables)


def quiet() -> Status:
    """Just started: nothing has happened."""
    now_ns = time.time_ns()
    return Status(
        version="0.1.0",
        engine="compiled",
        start_ns=now_ns,
        heartbeats_ns=dict.fromkeys(STAGES, now_ns),
        core=new_counters(),
        line=Calibration().counters(),
        dialects=shipped_dialects(),
        verifying=verifying_dialects(),
        tables=shipped_tables(),
        watched_today_seconds=0.0,
        interfaces={"mirror0": {**dict.fromkeys(INTERFACE, 0), "up": 1}},
        outboxes={"eve": OutboxStatus()},
    )


def busy(enterprises: int = 10_000) -> Status:
    """Months later, with so many enterprises seen: they are behind the sums, never in a label."""
    now_ns = time.time_ns()
    dialects = shipped_dialects()
    core = {name: number * 1_000_003 + enterprises for number, name in enumerate(new_counters(), 1)}
    core["last_packet_ns"] = now_ns
    line = Counter({name: number * 10_007 for number, name in enumerate(LINE, 1)})
    line.update({f"messages_{name}": enterprises for name in dialects})
    line.update({f"malformed_{reason}": 7 for reason in MALFORMED})
    line.update(dict.fromkeys(Calibration().counters(), enterprises))
    algorithms = [f"algorithm-{number}" for number in range(20)]
    interface = {
        "packets": 8_999_983,
        "received": 9_000_000,
        "dropped": 17,
        "freezes": 1,
        "up": 1,
        "last_packet_ns": now_ns,
    }
    return Status(
        version="0.1.0",
        engine="compiled",
        start_ns=now_ns - 86_400 * NS,
        heartbeats_ns=dict.fromkeys(STAGES, now_ns),
        core=core,
        interfaces=dict.fromkeys(("mirror0", "mirror1", "mirror2", "mirror3"), interface),
        lag_seconds=0.25,
        line=line,
        dialects=dialects,
        verifying=verifying_dialects(),
        signatures_changed_ns=now_ns - 3_600 * NS,
        tables=shipped_tables(),
        limits={"flows": 1 << 20, "candidates": 1 << 14},
        ledger_url="sqlite:////var/lib/minewatch/ledger.db",
        today_ns=now_ns - 3_600 * NS,
        watched_today_seconds=3_000.0,
        certificate_until_ns=now_ns + 90 * 86_400 * NS,
        findings_reached={
            (dialect, grade): enterprises
            for dialect in dialects
            for grade in DIALECT_GRADES
            if grade != "verified" or dialect in verifying_dialects()  # nothing else can be recomputed
        },
        findings_open=dict.fromkeys(GRADES, enterprises),
        findings_suppressed=3,
        hashrate_hps={name: Range(1e12, 2e12, 3e12) for name in algorithms},
        power_watts={name: Range(1e3, 2e3, 3e3) for name in algorithms},
        energy_joules=8.64e10,
        attribution={
            "books": 4,
            "rows": 1_000_000,
            "enterprises": enterprises,
            "lookups_named": enterprises,
            "lookups_unknown": 12,
        },
        ledger=dict.fromkeys(LEDGER, 1_000),
        evidence=dict.fromkeys(EVIDENCE, 100),
        outboxes={
            name: OutboxStatus(depth=5, oldest_ns=now_ns, dropped=1)
            for name in ("eve", "syslog", "webhook", "alertmanager")
        },
        reloads={kind: Reload(succeeded=12, refused=1, last_success_ns=now_ns) for kind in RELOAD_KINDS},
        daemon={"reconnections": 1, "events_ignored": 2},
        policies=tuple(PolicyState(kind, 7, "", state, None, now_ns) for kind in KINDS for state in STATES),
        policy_messages=dict.fromkeys(["taken", *(f"refused_{cause}" for cause in CAUSES)], enterprises),
        policy_refused=dict.fromkeys((*KINDS, "unknown"), enterprises),
    )
