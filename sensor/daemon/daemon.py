"""The loop of the daemon: events in, findings recorded, deliveries woken; signals, reloads and the watchdog between two batches.

One thread is the line. Others deliver, serve metrics or build what a reload asked for; none of them is waited for while it runs.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sensor.daemon.intake import Folder, Intake, Interfaces, Stdin
from sensor.daemon.listening import Listening
from sensor.daemon.metrics_server import MetricsServer
from sensor.daemon.notify import Notifier
from sensor.daemon.parts import Parts
from sensor.daemon.reload import Outcome, Reloads
from sensor.daemon.standing import Standing
from sensor.delivery import Delivery
from sensor.evidence import EvidenceBounds, EvidenceFiles
from sensor.intake.engine import Core, Engine, SourceError
from sensor.ledger import Ledger, LedgerError, Recorder
from sensor.ledger.replay import bounds_of
from sensor.line.pipeline import Pipeline
from sensor.model.events import End, Event
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.serve.access import ServeError

#: Events taken at once, and how long an idle poll waits: signals, ticks and retries come between two of them.
BATCH_EVENTS, WAIT_MS = 1_024, 100
#: Seconds between two looks at everything that is not urgent.
LOOK_S, TIDY_S = 1.0, 600.0
#: Seconds for the flows' ends and what they mean, and for the last deliveries: together under the five that an end may take.
DRAIN_S, FLUSH_S = 1.5, 2.0
#: For tests of the watchdog: "line-hangs", "delivery-hangs"; the core has one of its own, "worker-hangs".
FAULT = "MINEWATCH_FAULT"

Say = Callable[[str], None]


class Daemon:
    """A running sensor. Made whole or not at all; `run` returns when it was told to stop."""

    def __init__(self, engine: Engine, parts: Parts, reloads: Reloads, say: Say) -> None:
        """Open what can fail. Raises LedgerError, ServeError, OSError, WatchError or SourceError."""
        settings = parts.config
        self._engine, self._parts, self._reloads, self._say = engine, parts, reloads, say
        self._ledger = Ledger.open(settings.ledger.url, bounds=bounds_of(settings.ledger))
        self._recorder = Recorder(self._ledger, time.monotonic_ns)
        self._delivery = Delivery(self._ledger, parts.destinations)
        self._replacing: threading.Thread | None = None
        self._pipeline = Pipeline(
            parts.signatures, assumptions=parts.assumptions, sampling=parts.sampling, reporting=parts.reporting
        )
        self._evidence = _evidence(parts)
        self._core = _core(engine, parts)
        self._standing = Standing(engine.name, self._core, self._recorder)
        self._server = MetricsServer(parts.metrics, self._standing.newest) if parts.metrics is not None else None
        self._listening = Listening(self._ledger, say)
        self._intake = _intake(engine, self._core, parts, say)
        self._live = isinstance(self._intake, Interfaces)
        self._notifier = Notifier()
        self._counters: Counter[str] = Counter()
        self._stops = 0
        self._look_s = self._tidy_s = 0.0

    def stop(self) -> None:
        """Told to end; told again, at once. Called by a signal's handler."""
        self._stops += 1
        if self._stops > 1:
            os._exit(1)

    def run(self) -> None:
        """Watch until told to stop, or until the input is over. Raises RuntimeError if a capture thread died."""
        self._delivery.start()
        if self._server is not None:
            self._server.start()
        self._close_stale(time.time_ns())
        self._publish()
        self._notifier.ready(self._words())
        while not self._stops and not self._intake.over:
            self._take(self._core.poll(BATCH_EVENTS, WAIT_MS))
            outcome = self._reloads.step(self._parts)
            if outcome is not None:
                self._reloaded(outcome)
            if time.monotonic() >= self._look_s:
                self._look()
            if os.environ.get(FAULT) == "line-hangs" and self._counters["batches"] > 20:
                time.sleep(3_600)
        self._end()

    def want_reload(self) -> None:
        """SIGHUP: reopen files, and reload everything. Called by a signal's handler."""
        self._reloads.want("all")

    def want_signatures(self) -> None:
        """SIGUSR2: reload the signatures. Called by a signal's handler."""
        self._reloads.want("signatures")

    def _take(self, events: Sequence[Event]) -> None:
        """One step of the line."""
        self._counters["batches"] += 1
        now_ns = time.time_ns()
        if self._evidence is not None:
            self._evidence.add(events)
        idle = self._live and not events
        self._standing.saw(events, now_ns)
        self._record(self._pipeline.step(events, now_ns if idle else None), now_ns)
        for event in events:  # a capture is remembered as read after what it told was recorded, not before
            if isinstance(event, End):
                self._intake.ended(event, now_ns)
        self._standing.beat("line", now_ns)

    def _record(self, records: Sequence[Finding | Node], now_ns: int) -> None:
        findings = [one for one in records if isinstance(one, Finding)]
        if self._parts.attribution is not None:
            for finding in findings:
                self._parts.attribution.attribute(finding, live=self._live)
        quiet = self._parts.suppression.reasons(findings, datetime.fromtimestamp(now_ns / 1e9, UTC).date())
        recorded = self._recorder.record(records, now_ns, quiet)
        self._standing.tally.take(records, quiet)
        self._standing.beat("record", now_ns)
        if recorded:
            if self._evidence is not None:
                self._evidence.keep(
                    [one for one in recorded if not (isinstance(one, Finding) and one.finding_id in quiet)]
                )
            self._delivery.wake()

    def _look(self) -> None:
        """What is done once a second: sources, files, status, watchdog."""
        now_s, now_ns = time.monotonic(), time.time_ns()
        self._look_s = now_s + LOOK_S
        self._intake.look(now_ns)
        self._standing.beat_of_core(now_ns, self._live)
        if self._delivery.still() < 120.0 and os.environ.get(FAULT) != "delivery-hangs":
            self._standing.beat("deliver", now_ns)
        if now_s >= self._tidy_s:
            self._tidy_s = now_s + TIDY_S
            self._tidy(now_ns)
        self._publish()
        if self._standing.moves(now_ns, self._notifier.watchdog_s):
            self._notifier.alive(self._words())

    def _tidy(self, now_ns: int) -> None:
        if self._evidence is not None:
            self._evidence.prune(now_ns)
        self._close_stale(now_ns)
        self._listening.tidy(
            now_ns if self._live else self._core.stats().get("last_packet_ns", 0), not self._intake.unready
        )
        try:
            self._counters["ledger_pruned"] += self._ledger.prune(now_ns)
        except LedgerError as error:
            self._say(f"ledger: {error}")

    def _close_stale(self, now_ns: int) -> None:
        """Findings of earlier runs that did not come back; by the wall clock, which is the packets' on a live link only."""
        if not self._live:
            return
        try:
            self._counters["findings_stale"] += len(self._ledger.close_stale(now_ns, self._parts.reporting.close_ns))
        except LedgerError as error:
            self._say(f"ledger: {error}")

    def _publish(self) -> None:
        """Make the status that metrics and health are read from."""
        evidence = self._evidence.counters if self._evidence is not None else {}
        counters = {**self._counters, **self._intake.counters}
        unready = tuple(self._intake.unready) + (
            (f"ledger: {self._recorder.trouble}",) if self._recorder.trouble else ()
        )
        self._standing.publish(
            self._parts, self._pipeline.counters, self._delivery, self._reloads.standing, evidence, counters, unready
        )

    def _words(self) -> str:
        counts = self._standing.tally.open_by_grade
        unready = self._intake.unready
        state = "; ".join(unready) if unready else "watching"
        return f"{state}: {sum(counts.values())} findings open, {self._core.stats().get('packets', 0)} packets"

    def _reloaded(self, outcome: Outcome) -> None:
        """Take up what was built, or say why it was refused and go on as before."""
        self._notifier.reloading()
        problems = list(outcome.problems)
        if outcome.parts is not None:
            problems += self._replace(outcome.parts)
        self._reloads.count(outcome.kind, not problems)
        for problem in problems:
            self._say(f"reload refused: {problem}")
        if not problems:
            self._say(f"reloaded: {outcome.kind}")
        if outcome.kind == "all":
            self._delivery.reopen()  # rotated files, whatever became of the rest
        self._publish()
        self._notifier.ready(self._words())

    def _replace(self, parts: Parts) -> list[str]:
        """Swap everything between two batches; what can be refused comes first."""
        try:
            if self._server is not None and parts.metrics is not None:
                self._server.reload(parts.metrics)
            elif parts.metrics is not self._parts.metrics and parts.metrics != self._parts.metrics:
                return ["exporters.prometheus: takes effect only after a restart"]
            self._intake.add(parts.captures)
        except ServeError as error:
            return [f"exporters.prometheus: {problem}" for problem in str(error).splitlines()]
        except SourceError as error:
            return [f"capture.interfaces: {error}"]
        known = parts.signatures
        self._core.replace(self._engine.tables(known.literals, known.openings, known.flights))
        self._core.exclude(*parts.excluded)
        self._pipeline.replace(known, parts.assumptions, parts.sampling, parts.reporting)
        if self._evidence is not None:
            self._evidence.replace(known)
        changed = parts.config.exporters != self._parts.config.exporters
        self._parts = parts
        if changed:
            self._redeliver(parts)
        return []

    def _redeliver(self, parts: Parts) -> None:
        """Other destinations: the old threads end, then new ones begin, beside the line."""
        old, before = self._delivery, self._replacing
        new = Delivery(self._ledger, parts.destinations)

        def swap() -> None:
            if before is not None:
                before.join()
            old.stop(FLUSH_S)
            new.start()

        self._delivery = new
        self._replacing = threading.Thread(target=swap, name="redeliver", daemon=True)
        self._replacing.start()

    def _end(self) -> None:
        """Stop listening, judge what is open, record, deliver what can be delivered in time."""
        self._notifier.stopping()
        self._core.finish()
        deadline = time.monotonic() + DRAIN_S
        while not self._core.finished and time.monotonic() < deadline:
            self._take(self._core.poll(BATCH_EVENTS, 20))
        self._core.close()
        now_ns = time.time_ns()
        self._record(self._pipeline.finish(), now_ns)
        self._recorder.flush(now_ns)
        self._delivery.wake()
        self._delivery.stop(FLUSH_S)
        if self._server is not None:
            self._server.close()
        waiting = self._recorder.counters["records_waiting"]
        if waiting:
            self._say(f"ledger: {waiting} records could not be written: {self._recorder.trouble}")
        self._ledger.close()


def _core(engine: Engine, parts: Parts) -> Core:
    known, settings = parts.signatures, parts.config
    limits = {"workers": settings.workers, **settings.limits.model_dump()}
    core = engine.core(known.literals, known.openings, limits, known.flights)
    core.exclude(*parts.excluded)
    return core


def _intake(engine: Engine, core: Core, parts: Parts, say: Say) -> Intake:
    capture = parts.config.capture
    if capture.stdin:
        return Stdin(engine, core, say)
    if capture.folder is not None:
        return Folder(engine, core, capture, say)
    return Interfaces(engine, core, parts.captures, say)


def _evidence(parts: Parts) -> EvidenceFiles | None:
    settings = parts.config.evidence
    if settings.folder is None:
        return None
    bounds = EvidenceBounds(**settings.model_dump(exclude={"folder"}))
    return EvidenceFiles(Path(settings.folder), parts.signatures, bounds)
