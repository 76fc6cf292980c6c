"""How the daemon stands: heartbeats of its stages, lag, and the status that metrics, health and watchdog are read from.

It only gathers; every count is kept by whoever counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from sensor.daemon.parts import Parts
from sensor.daemon.tally import Tally
from sensor.delivery import Delivery
from sensor.intake.engine import PacketCore
from sensor.ledger import Recorder
from sensor.model.events import Event
from sensor.model.status import STAGES, OutboxStatus, Reload, Status
from sensor.model.version import VERSION

#: A stage that has not moved for so long holds the watchdog back; less where the service manager is less patient.
PATIENCE_S = 20.0


class Standing:
    """Written by the line's thread; `newest` is read by any."""

    def __init__(self, engine: str, core: PacketCore, recorder: Recorder) -> None:
        self._engine, self._core, self._recorder = engine, core, recorder
        self._start_ns = time.time_ns()
        self._beats = dict.fromkeys(STAGES, self._start_ns)
        self._ticks: int | None = None
        self._behind_s = 0.0
        self.tally = Tally()
        self._status = Status(version=VERSION, engine=engine, start_ns=self._start_ns, unready=("starting",))

    def newest(self) -> Status:
        """The newest status."""
        return self._status

    def beat(self, stage: str, now_ns: int) -> None:
        """A stage has moved, or had nothing to do."""
        self._beats[stage] = now_ns

    def beat_of_core(self, now_ns: int, live: bool) -> None:
        """Threads that listen move as long as their rounds are counted; what reads files moves when it is polled."""
        ticks = self._core.stats().get("ticks")
        if not live or ticks is None or ticks != self._ticks:
            self.beat("capture", now_ns)
        self._ticks = ticks

    def saw(self, events: Sequence[Event], now_ns: int) -> None:
        """How far the line is behind the events it was given."""
        latest = max((getattr(event, "ts_ns", 0) for event in events), default=0)
        self._behind_s = (now_ns - latest) / 1e9 if latest else 0.0

    def moves(self, now_ns: int, watchdog_s: float | None) -> bool:
        """Whether every stage has moved lately."""
        patience_s = min(PATIENCE_S, watchdog_s / 2) if watchdog_s else PATIENCE_S
        return all(now_ns - beat <= patience_s * 1e9 for beat in self._beats.values())

    def publish(
        self,
        parts: Parts,
        line: Mapping[str, int],
        delivery: Delivery,
        reloads: Mapping[str, Reload],
        evidence: Mapping[str, int],
        counters: Mapping[str, int],
        unready: tuple[str, ...],
    ) -> None:
        """Make a new status of all that is known."""
        interfaces = self._core.interfaces()
        lags = [
            (one["last_handled_ns"] - one["last_packet_ns"]) / 1e9
            for one in interfaces.values()
            if one.get("last_packet_ns")
        ]
        hashrate, power = self.tally.sums()
        self._status = Status(
            version=VERSION,
            engine=self._engine,
            start_ns=self._start_ns,
            unready=unready,
            heartbeats_ns=dict(self._beats),
            core=self._core.stats(),
            interfaces=interfaces,
            lag_seconds=max(0.0, self._behind_s if interfaces else 0.0, *lags),
            line=line,
            dialects=tuple(one.name for one in parts.signatures.dialects),
            signatures_changed_ns=parts.signatures_changed_ns,
            findings_reached=dict(self.tally.reached),
            findings_open=self.tally.open_by_grade,
            findings_suppressed=self.tally.muted,
            hashrate_hps=hashrate,
            power_watts=power,
            energy_joules=self.tally.energy_joules,
            attribution=parts.attribution.stats() if parts.attribution is not None else {},
            ledger=self._recorder.counters,
            evidence=evidence,
            outboxes={one.name: _outbox(one) for one in delivery.standings()},
            reloads=dict(reloads),
            daemon=counters,
        )


def _outbox(one: object) -> OutboxStatus:
    """A delivery's standing as metrics tell it."""
    from sensor.delivery import Standing as Delivered

    assert isinstance(one, Delivered)
    deliveries = {"delivered": one.delivered, "failed": one.failed, "refused": one.refused, "repeated": one.repeated}
    return OutboxStatus(depth=one.depth, oldest_ns=one.oldest_ns, deliveries=deliveries, dropped=one.dropped)
