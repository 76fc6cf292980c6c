"""The loop of the daemon: events in, findings recorded, deliveries woken.

Signals, reloads and the watchdog come between two batches. One thread is the line. Others deliver, serve metrics or
load what a reload asked for; none of them is waited for while it runs.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence

from sensor.daemon.coverage import CoverageRecorder
from sensor.daemon.emergency import EmergencyWatch
from sensor.daemon.free_memory import FreeMemory
from sensor.daemon.health import Health, RunFigures
from sensor.daemon.intake import Interfaces, limits_of, open_core, open_intake
from sensor.daemon.journal import Journal
from sensor.daemon.lease import identity_of, take_lease
from sensor.daemon.ledger_watch import LedgerWatch
from sensor.daemon.metrics_server import MetricsServer
from sensor.daemon.news import News, TerminalViewer
from sensor.daemon.notify import Notifier
from sensor.daemon.policy_step import PolicyStep
from sensor.daemon.reload import Reloader
from sensor.daemon.sandbox import enter
from sensor.daemon.sensor_id import state_folder
from sensor.daemon.setup import Setup, evidence_files
from sensor.daemon.simulate import Simulation
from sensor.daemon.start_block import end_line, start_lines
from sensor.daemon.status_server import open_status_socket
from sensor.daemon.steps import LineSteps
from sensor.daemon.upkeep import LedgerUpkeep
from sensor.delivery.delivery import Delivery
from sensor.intake.engine import Engine, SourceError, confiner
from sensor.ledger import Ledger, LedgerError, Recorder
from sensor.ledger.replay import bounds_of, files_of
from sensor.ledger.store.database import file_of_engine
from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.record import Record, record_id
from sensor.model.status import Status
from sensor.model.time import MILLISECOND_NS, day_of
from sensor.policy.inbox import PolicyInbox
from sensor.serve.access import ServeError

#: Events taken at once, and how long an idle poll waits: signals, ticks and retries come between two of them.
BATCH_EVENTS, WAIT_MS = 1_024, 100
#: Seconds between two looks at everything that is not urgent.
LOOK_S, MAINTENANCE_S = 1.0, 600.0
#: Seconds between two entries of what a link was listened to: a process that dies leaves no more than that unsaid.
COVERAGE_S = 60.0
#: Deliveries that have not moved for so long have no heartbeat any more; a pause after a failure is half a minute.
MAX_DELIVERY_IDLE_S = 120.0
#: Seconds for the flows' ends, for what they mean, and for the last deliveries: together under the five that an end may
#: take, with the ledger's part.
DRAIN_S, JUDGE_S, FLUSH_S = 1.0, 1.0, 2.0
#: What deliveries have at least, and what all of it together should take.
LEAST_FLUSH_S, END_S = 0.5, 4.0
#: For tests of the watchdog: "line-hangs", "delivery-hangs"; the core has one of its own, "worker-hangs".
FAULT = "MINEWATCH_FAULT"


class Daemon:
    """A running sensor. Built whole or not at all; `run` returns when it was stopped."""

    def __init__(
        self,
        engine: Engine,
        setup: Setup,
        reloader: Reloader,
        journal: Journal,
        viewer: TerminalViewer | None = None,
        simulation: Simulation | None = None,
        inbox: PolicyInbox | None = None,
    ) -> None:
        """Open what can fail. Waits where the ledger's lease has to expire first. `viewer`: who watches a terminal.
        `simulation`: faults on purpose. `inbox`: the parcels that are in force.

        Raises Unusable, SensorIdError, LeaseHeldError, LedgerError, ServeError, OSError, SpoolError or SourceError.
        """
        settings = setup.config
        self._simulation = simulation = simulation or Simulation()
        self._engine, self._setup, self._reloader, self._journal = engine, setup, reloader, journal
        self._ledger = Ledger.open(settings.ledger.url, bounds=bounds_of(settings.ledger))
        self._ledger.report_as(identity_of(settings), settings.clock_offset_ms * MILLISECOND_NS)
        self._lease = take_lease(self._ledger, journal)
        self._watch = LedgerWatch(journal)
        self._watch.check(file_of_engine(self._ledger.engine))
        sensor_id = self._ledger.reporter.sensor_id
        before = self._ledger.reader.begun_condition(sensor_id)
        self._emergency = EmergencyWatch(sensor_id, before, time.monotonic_ns())
        self._memory = FreeMemory()
        self._upkeep = LedgerUpkeep(self._ledger, self._lease, self._watch.note, files_of(settings.ledger))
        self._recorder = Recorder(self._ledger, time.monotonic_ns)
        self._delivery = Delivery(self._ledger, simulation.destinations(setup.destinations), journal)
        self._replacing: threading.Thread | None = None
        self._pipeline = Pipeline(
            setup.signatures,
            assumptions=setup.assumptions,
            sampling=setup.sampling,
            reporting=setup.reporting,
            resume=self._resume,
            watches=self._is_registered,
            behaviour=setup.behaviour,
        )
        self._policy = PolicyStep(settings.policy, inbox, reloader, self._ledger, journal, self._pipeline)
        self._evidence = evidence_files(setup)
        self._server = MetricsServer(setup.metrics, self._status) if setup.metrics is not None else None
        self._socket = open_status_socket(settings, sensor_id, self._status, journal)
        state = [state_folder(settings.ledger.url), *([] if self._socket is None else [self._socket.path.parent])]
        # All that listens does, and no thread has begun: those of the core are the first.
        self._sandbox = enter(settings, reloader.source.path, confiner(), state, journal)
        reloader.checks = (self._sandbox.mistakes,)
        simulation.begin(self._ledger.engine)
        self._core = simulation.core(open_core(engine, setup, simulation.limits(limits_of(settings))))
        self._health = Health(engine.name, self._core, self._recorder, journal)
        self._news = News(journal, viewer, name_persons=settings.output.name_persons)
        self._intake = open_intake(engine, self._core, settings.capture, setup.captures, settings.workers, journal)
        self._live = isinstance(self._intake, Interfaces)
        self._coverage = CoverageRecorder(self._ledger, journal, self._watch.note)
        self._steps = LineSteps(
            self._pipeline, self._record, self._recorder, self._coverage, self._intake, core=self._core, live=self._live
        )
        self._notifier = Notifier()
        self._counters: Counter[str] = Counter()
        self._stop_requests = 0
        self._look_s = self._maintenance_s = self._coverage_s = 0.0

    def stop(self) -> None:
        """End in good order; called a second time, at once. Called by a signal's handler."""
        self._stop_requests += 1
        if self._stop_requests > 1:
            os._exit(1)

    def run(self) -> None:
        """Watch until stopped, or until the input is over.

        Raises RuntimeError if a capture thread died, LeaseLostError if another process writes the ledger now.
        """
        self._start()
        while not self._stop_requests and not self._intake.over:
            self._step(self._core.poll(BATCH_EVENTS, WAIT_MS))
            self._reload_if_loaded()
            self._look_if_due()
        self._end()

    def request_reload(self) -> None:
        """SIGHUP: reopen files, and reload everything. Called by a signal's handler."""
        self._reloader.request("all")

    def request_signatures(self) -> None:
        """SIGUSR2: reload the signatures. Called by a signal's handler."""
        self._reloader.request("signatures")

    def _start(self) -> None:
        self._delivery.start()
        for server in (self._server, self._socket, self._policy):
            if server is not None:
                server.start()
        now_ns = time.time_ns()
        self._close_stale(now_ns)
        self._health.day.look(self._ledger, self._setup.config.ledger.timezone, now_ns)
        day = self._health.day
        for line in start_lines(self._setup, self._engine.name, day.sensor_id, day.ledger_url):
            self._journal.info(line)
        self._publish()
        self._notifier.ready(self._status_line())

    def _step(self, events: Sequence[Event]) -> None:
        """One batch of events through the line."""
        now_ns = time.time_ns()
        self._counters["batches"] += 1
        self._health.measure_lag(events, now_ns)
        if self._evidence is not None:
            self._evidence.add(events)
        self._steps.take(events, now_ns)
        self._health.beat("line", now_ns)
        if os.environ.get(FAULT) == "line-hangs" and self._counters["batches"] > 20:
            time.sleep(3_600)

    def _status(self) -> Status:
        return self._health.status()

    def _resume(self, ends: str, at_ns: int) -> Sequence[FlowSummary]:
        """What the ledger knows of connections between two ends; nothing while it cannot be read."""
        try:
            return self._ledger.reader.connections_between(ends, at_ns)
        except LedgerError as error:
            self._counters["resume_failures"] += 1
            self._watch.note(error)
            return ()

    def _is_registered(self, address: str) -> bool:
        """Whether the books name an enterprise for an address now."""
        attribution = self._setup.attribution
        return attribution is not None and attribution.answer(address, None, time.time_ns()).enterprise is not None

    def _record(self, records: Sequence[Record], now_ns: int) -> None:
        """Attribute, suppress, record, keep evidence, deliver."""
        findings = [record for record in records if isinstance(record, Finding)]
        if self._setup.attribution is not None:
            for finding in findings:
                self._setup.attribution.attribute(finding, live=self._live)
        suppressed = self._setup.suppression.reasons(findings, day_of(now_ns))
        recorded = self._recorder.record(records, now_ns, suppressed)
        silenced = {**self._false_alarms(findings), **suppressed}
        self._health.totals.add(records, silenced)
        self._news.report(records, silenced, now_ns)
        self._health.beat("record", now_ns)
        if recorded:
            if self._evidence is not None:
                self._evidence.keep([record for record in recorded if record_id(record) not in suppressed])
            self._delivery.wake()

    def _false_alarms(self, findings: Sequence[Finding]) -> dict[str, str]:
        """By identity, the findings that the ledger suppresses, and why: their case was called a false alarm."""
        if not findings:
            return {}
        try:
            return self._ledger.reader.suppressions([finding.finding_id for finding in findings])
        except LedgerError as error:
            self._watch.note(error)
            return {}

    def _look_if_due(self) -> None:
        """What is done once a second: sources, files, status, watchdog."""
        now_s, now_ns = time.monotonic(), time.time_ns()
        if now_s < self._look_s:
            return
        self._look_s = now_s + LOOK_S
        self._upkeep.beat(now_ns)
        self._intake.look(now_ns)
        self._memory.look(now_s)
        self._policy.look(now_ns)
        self._health.beat_capture(now_ns, self._live)
        if self._delivery.longest_idle_s() < MAX_DELIVERY_IDLE_S and os.environ.get(FAULT) != "delivery-hangs":
            self._health.beat("deliver", now_ns)
        if now_s >= self._coverage_s:
            self._coverage_s = now_s + COVERAGE_S
            self._steps.listen(now_ns)
            self._health.day.look(self._ledger, self._setup.config.ledger.timezone, now_ns)
        if now_s >= self._maintenance_s:
            self._maintenance_s = now_s + MAINTENANCE_S
            self._maintain(now_ns)
        self._record(self._emergency.step(*self._strains(now_ns)), now_ns)
        self._publish()
        self._news.look(self._health.status(), now_ns)
        if self._health.all_stages_move(now_ns, self._notifier.watchdog_s):
            self._notifier.alive(self._status_line())

    def _strains(self, now_ns: int) -> tuple[dict[str, int], dict[str, int], int, int]:
        """What is counted of what was given up, and when."""
        return self._core.stats(), self._pipeline.counters, now_ns, time.monotonic_ns()

    def _maintain(self, now_ns: int) -> None:
        """What is done every ten minutes: old evidence and findings go, silent cases are looked at."""
        if self._evidence is not None:
            self._evidence.prune(now_ns)
        self._close_stale(now_ns)
        self._steps.review(now_ns)
        self._upkeep.prune(now_ns if self._live else self._pipeline.now_ns)

    def _close_stale(self, now_ns: int) -> None:
        """On a live link only, where the wall's clock holds."""
        if self._live:
            self._upkeep.close_stale(now_ns, self._setup.reporting.close_ns)

    def _publish(self, *, over: bool = False) -> None:
        """Make the status that metrics and health are read from; once the run is over nothing has to be heard."""
        self._counters["notify_unsent"] = self._notifier.unsent
        now_ns, waiting = time.time_ns(), self._recorder.counters["records_waiting"]
        self._watch.look((self._recorder.error, self._upkeep.error), now_ns, waiting)
        trouble = self._watch.trouble
        figures = RunFigures(
            line=self._pipeline.counters,
            evidence=self._evidence.counters if self._evidence is not None else {},
            counters={**self._counters, **self._upkeep.counters, **self._intake.counters},
            emergency=self._emergency.causes(time.monotonic_ns()),
            reloads=self._reloader.statuses,
            unready=(*(() if over else self._intake.unready), *((trouble,) if trouble else ())),
            watch=self._watch,
            sandbox=self._sandbox,
            policy=self._policy,
            simulated=self._simulation.names,
            watched_today_seconds=self._health.day.watched_with(self._coverage.open_seconds(now_ns), now_ns),
            certificate_until_ns=0 if self._server is None else self._server.certificate_until_ns,
        )
        self._health.publish(self._setup, self._delivery, figures)

    def _status_line(self) -> str:
        """What `systemctl status` shows."""
        counts = self._health.totals.open_by_grade
        unready = self._intake.unready
        state = "; ".join(unready) if unready else "watching"
        return f"{state}: {sum(counts.values())} findings open, {self._core.stats().get('packets', 0)} packets"

    def _reload_if_loaded(self) -> None:
        """Take up what a reload loaded, or say why it was refused and go on as before."""
        result = self._reloader.step(self._setup)
        if result is None:
            return
        self._notifier.reloading()
        self._steps.listen(time.time_ns())
        problems = list(result.problems)
        if result.setup is not None:
            problems += self._replace(result.setup)
        self._reloader.settle(result, problems)
        for problem in problems:
            self._journal.warning(f"reload refused: {problem}")
        if not problems:
            self._journal.notice(f"reloaded: {result.kind}")
            self._journal.replace(self._setup.config.journal.level)
        if result.kind == "all":
            self._delivery.reopen()  # rotated files, whatever became of the rest
        self._publish()
        self._notifier.ready(self._status_line())

    def _replace(self, setup: Setup) -> list[str]:
        """Swap everything between two batches; what can be refused comes first."""
        try:
            if self._server is not None and setup.metrics is not None:
                self._server.reload(setup.metrics)
            elif setup.metrics is not self._setup.metrics and setup.metrics != self._setup.metrics:
                return ["exporters.prometheus: takes effect only after a restart"]
            self._intake.add(setup.captures)
        except ServeError as error:
            return [f"exporters.prometheus: {problem}" for problem in str(error).splitlines()]
        except SourceError as error:
            return [f"capture.interfaces: {error}"]
        signatures = setup.signatures
        self._core.replace(self._engine.tables_of(signatures))
        self._core.exclude(*setup.excluded)
        self._pipeline.replace(signatures, setup.assumptions, setup.sampling, setup.reporting, setup.behaviour)
        if self._evidence is not None:
            self._evidence.replace(signatures)
        changed = setup.config.exporters != self._setup.config.exporters
        self._setup = setup
        if changed:
            self._redeliver(setup)
        return []

    def _redeliver(self, setup: Setup) -> None:
        """Other destinations: the old threads end, then new ones begin, beside the line."""
        old, before = self._delivery, self._replacing
        new = Delivery(self._ledger, self._simulation.destinations(setup.destinations), self._journal)

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
        began = time.monotonic()
        deadline = began + DRAIN_S
        while not self._core.finished and time.monotonic() < deadline:
            self._step(self._core.poll(BATCH_EVENTS, 20))
        self._core.close()
        now_ns = time.time_ns()
        judged_by = time.monotonic() + JUDGE_S
        self._record(self._pipeline.finish(lambda: time.monotonic() < judged_by), now_ns)
        self._record(self._emergency.end(*self._strains(now_ns)), now_ns)
        self._recorder.flush(now_ns)
        self._steps.end(now_ns)
        self._delivery.wake()
        self._delivery.stop(min(FLUSH_S, max(LEAST_FLUSH_S, began + END_S - time.monotonic())))
        for server in (self._server, self._socket, self._policy):
            if server is not None:
                server.close()
        if self._pipeline.given_up:
            self._journal.warning(
                f"{self._pipeline.given_up} open connections and findings were given up: an end may take five seconds, "
                "and of a flood what only begins is not judged"
            )
        waiting = self._recorder.counters["records_waiting"]
        if waiting:
            self._journal.error(f"ledger: {waiting} records could not be written: {self._recorder.trouble}")
        self._publish(over=True)
        status = self._health.status()
        self._news.end(status)
        self._journal.info(end_line(status))
        with contextlib.suppress(LedgerError):  # a lease that is not given up expires
            self._lease.release()
        self._ledger.close()
