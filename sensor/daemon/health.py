"""The daemon's health: heartbeats of its stages, lag, and the status that metrics, health checks and watchdog read.

It only gathers; every count is kept by whoever counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sensor.daemon.journal import Journal
from sensor.daemon.ledger_day import LedgerDay
from sensor.daemon.ledger_watch import LedgerWatch
from sensor.daemon.policy_step import PolicyStep
from sensor.daemon.sandbox import Sandbox
from sensor.daemon.setup import Setup
from sensor.daemon.totals import FindingTotals
from sensor.daemon.troubles import TroubleWatch
from sensor.delivery.delivery import Delivery
from sensor.delivery.worker import DeliveryStatus
from sensor.intake.engine import PacketCore
from sensor.ledger import Recorder
from sensor.model.events import Event
from sensor.model.status import STAGES, OutboxStatus, Reload, Status, TableAge
from sensor.model.time import SECOND_NS
from sensor.model.version import VERSION

#: A stage that has not moved for so long holds the watchdog back; less where the service manager is less patient.
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class RunFigures:
    """What is gathered for a status, from whoever counts it."""

    line: Mapping[str, int]
    evidence: Mapping[str, int]
    counters: Mapping[str, int]
    emergency: Mapping[str, int]  # by cause: whether there was no room for it a moment ago
    reloads: Mapping[str, Reload]
    unready: tuple[str, ...]
    watch: LedgerWatch
    sandbox: Sandbox
    policy: PolicyStep
    simulated: tuple[str, ...]
    watched_today_seconds: float | None  # None: not known
    certificate_until_ns: int  # when the certificate of the metrics ends; 0: there is none


class Health:
    """Written by the line's thread; `status` is read by any."""

    def __init__(self, engine: str, core: PacketCore, recorder: Recorder, journal: Journal) -> None:
        self._engine, self._core, self._recorder = engine, core, recorder
        self._troubles = TroubleWatch(journal)
        self.day = LedgerDay()
        self._start_ns = time.time_ns()
        self._beats = dict.fromkeys(STAGES, self._start_ns)
        self._ticks: int | None = None
        self._lag_s = 0.0
        self.totals = FindingTotals()
        self._status = Status(version=VERSION, engine=engine, start_ns=self._start_ns, unready=("starting",))

    def status(self) -> Status:
        """The newest status."""
        return self._status

    def beat(self, stage: str, now_ns: int) -> None:
        """A stage has moved, or had nothing to do."""
        self._beats[stage] = now_ns

    def beat_capture(self, now_ns: int, live: bool) -> None:
        """Threads that listen move as long as their rounds are counted; what reads files moves when it is polled."""
        ticks = self._core.stats().get("ticks")
        if not live or ticks is None or ticks != self._ticks:
            self.beat("capture", now_ns)
        self._ticks = ticks

    def measure_lag(self, events: Sequence[Event], now_ns: int) -> None:
        """How far the line is behind the events it was given."""
        latest_ns = max((getattr(event, "ts_ns", 0) for event in events), default=0)
        self._lag_s = (now_ns - latest_ns) / SECOND_NS if latest_ns else 0.0

    def all_stages_move(self, now_ns: int, watchdog_s: float | None) -> bool:
        """Whether every stage has moved lately."""
        patience_s = min(PATIENCE_S, watchdog_s / 2) if watchdog_s else PATIENCE_S
        return all(now_ns - beat_ns <= patience_s * SECOND_NS for beat_ns in self._beats.values())

    def publish(self, setup: Setup, delivery: Delivery, figures: RunFigures) -> None:
        """Replace the status by one of everything as it is now."""
        now_ns = time.time_ns()
        interfaces = self._core.interfaces()
        hashrate_hps, power_watts = self.totals.sums()
        status = Status(
            version=VERSION,
            engine=self._engine,
            start_ns=self._start_ns,
            sensor_id=self.day.sensor_id,
            sandbox=figures.sandbox.state,
            simulated=figures.simulated,
            replaced=tuple(map(str, figures.sandbox.replaced())),
            unready=figures.unready,
            heartbeats_ns=dict(self._beats),
            core=self._core.stats(),
            interfaces=interfaces,
            lag_seconds=max(0.0, self._lag_s if interfaces else 0.0, *_interface_lags_s(interfaces)),
            line=figures.line,
            dialects=tuple(dialect.name for dialect in setup.signatures.dialects),
            verifying=tuple(dialect.name for dialect in setup.signatures.dialects if dialect.verify),
            signatures_changed_ns=setup.signatures_changed_ns,
            tables=tuple(TableAge(table.name, table.rows, table.dated) for table in setup.signatures.tables),
            emergency=dict(figures.emergency),
            limits={"flows": setup.config.limits.flows, "candidates": setup.config.limits.candidates},
            findings_reached=dict(self.totals.reached),
            findings_open=self.totals.open_by_grade,
            findings_suppressed=self.totals.suppressed,
            findings_unknown=self.totals.unknown,
            hashrate_hps=hashrate_hps,
            power_watts=power_watts,
            energy_joules=self.totals.energy_joules,
            attribution=setup.attribution.stats() if setup.attribution is not None else {},
            ledger=self._recorder.counters,
            ledger_url=self.day.ledger_url,
            today_ns=self.day.began_ns,
            watched_today_seconds=figures.watched_today_seconds,
            certificate_until_ns=figures.certificate_until_ns,
            ledger_faults=figures.watch.faults,
            ledger_trouble=figures.watch.trouble,
            evidence=figures.evidence,
            outboxes={status.name: _outbox(status) for status in delivery.statuses()},
            reloads=dict(figures.reloads),
            daemon=figures.counters,
            policies=tuple(figures.policy.states),
            policy_messages=figures.policy.counters,
            policy_refused=figures.policy.refused,
            policy_trouble=figures.policy.trouble,
        )
        self._status = replace(status, troubles=self._troubles.step(status, now_ns))


def _interface_lags_s(interfaces: Mapping[str, Mapping[str, int]]) -> list[float]:
    """For each interface that has packets, the seconds from its newest packet to that packet's handling."""
    return [
        (counts["last_handled_ns"] - counts["last_packet_ns"]) / SECOND_NS
        for counts in interfaces.values()
        if counts.get("last_packet_ns")
    ]


def _outbox(status: DeliveryStatus) -> OutboxStatus:
    """A delivery's status as metrics show it."""
    deliveries = {
        "delivered": status.delivered,
        "failed": status.failed,
        "refused": status.refused,
        "repeated": status.repeated,
    }
    return OutboxStatus(
        depth=status.depth,
        oldest_ns=status.oldest_ns,
        deliveries=deliveries,
        dropped=status.dropped,
        trouble=status.trouble,
    )
