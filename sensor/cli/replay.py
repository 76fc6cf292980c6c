"""`minewatch replay`: read captures, report who mines.

sources -> line -> attribution -> ledger, files, summary
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sensor.cli import outputs, terminal
from sensor.cli.frame import (
    CommandError,
    exit_on,
    load_attribution,
    load_engine,
    say,
    show_configuration,
    signature_source,
)
from sensor.cli.options import IN_TASKS
from sensor.cli.replay_settings import ReplaySettings, replay_settings
from sensor.intake.clock import first_packet_ns, off_clock
from sensor.intake.sources import Problem, expand
from sensor.line.replay import replay
from sensor.model.exit_codes import CONFIG, INTERRUPTED, OK, RUN_ERROR, USAGE
from sensor.model.time import ANY_TIME, PlausibleTime, day_of

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.cli.partitioned import PartitionedReplay
    from sensor.daemon.configuration import Configuration
    from sensor.intake.engine import Engine
    from sensor.ledger.replay import ReplayLedger
    from sensor.line.judged_session import BehaviourRules
    from sensor.line.replay import ReplayResult
    from sensor.model.record import Record
    from sensor.signatures import SignatureSet
    from sensor.signatures.source import SignatureSource

#: What is said of packets within captures that are of a time that cannot be.
OFF_CLOCK = (
    "some packets are of a time that cannot be (before anything was mined, or still to come): they are in no figure"
)


def run(options: argparse.Namespace) -> int:
    """Replay the captures that the options name. Raises CommandError for what stops it before the first packet."""
    in_tasks = _in_tasks(options)
    settings = replay_settings(options)
    if options.dump_config and settings.whole is not None:
        return show_configuration(settings.whole)
    if not options.paths:
        raise CommandError(USAGE, "replay: name at least one file, directory or pattern, or - for standard input")
    signatures = signature_source(settings.signature_files, settings.host_lists)
    rules = _behaviour_rules(settings)
    engine = load_engine(settings.engine)
    sources, problems = expand(options.paths)
    files = _open_outputs(options, settings, sources)
    if options.report:
        from sensor.cli.language import chosen_language

        settings = dataclasses.replace(settings, language=chosen_language(options, settings.language))
    plausible = PlausibleTime.as_of(time.time_ns())
    if in_tasks is None:
        sources, refused = _in_time(sources, plausible, alone=options.ledger is None)
    else:
        in_tasks.split(sources, plausible)
        sources, refused = in_tasks.sources, in_tasks.refused
    attributor = _attributor(settings, quiet=options.quiet)
    ledger = None
    if options.ledger is not None and settings.whole is not None:
        ledger = _open_ledger(options, settings.whole, sources, attributor)
    if in_tasks is None:
        outcome = _read(options, settings, sources, signatures, engine, ledger, rules)
    else:
        outcome = in_tasks.read(settings, engine, rules)
    outcome.problems = problems + refused + outcome.problems
    if attributor is not None:
        for finding in outcome.findings:
            attributor.attribute(finding)
    recorded = ledger is None or _recorded(ledger, outcome)
    if outcome.chunks_off_clock:
        say(OFF_CLOCK)
    if outcome.records:
        outcome.records = _shown(outcome, settings)
    written = _write_outputs(files, outcome, settings, engine.name, sources)
    eve_on_stdout = any(file.on_stdout for file in files)
    workers = settings.workers if in_tasks is None else in_tasks.processes
    terminal.show_summary(outcome, engine.name, workers, options, eve_on_stdout)
    if not (recorded and written):
        return RUN_ERROR
    return INTERRUPTED if outcome.interrupted else RUN_ERROR if outcome.problems else OK


def _in_tasks(options: argparse.Namespace) -> PartitionedReplay | None:
    """The replay in tasks that the options ask for, whose `engine` is then that of the configuration; None: in one
    sitting. Raises CommandError."""
    if options.engine not in IN_TASKS:
        if options.tasks is not None:
            raise CommandError(USAGE, f"--tasks {options.tasks}: only with --engine {' or '.join(IN_TASKS)}")
        return None
    from sensor.cli.partitioned import PartitionedReplay

    found = PartitionedReplay(options)
    options.engine = None
    return found


def _shown(outcome: ReplayResult, settings: ReplaySettings) -> list[Record]:
    """The records that are shown. The ledger has persons and what is suppressed; nothing that is shown does."""
    from exporters.redaction.attribution import without_persons
    from sensor.line.suppress import USUAL_SUPPRESSION, Suppression
    from sensor.model.finding import Finding

    suppression = Suppression(settings.suppression or USUAL_SUPPRESSION)
    records = suppression.heard(outcome.records, day_of(outcome.counters.get("last_packet_ns", 0)))
    if settings.name_persons:
        return records
    return [without_persons(record) if isinstance(record, Finding) else record for record in records]


def _behaviour_rules(settings: ReplaySettings) -> BehaviourRules | None:
    """What encrypted sessions are judged by; None: as usual. Raises CommandError."""
    if settings.whole is None:
        return None
    from sensor.daemon.behaviour import behaviour_rules
    from sensor.intake.block_times import BlockFileError

    with exit_on(BlockFileError, code=CONFIG):
        return behaviour_rules(settings.whole.behaviour)


def _attributor(settings: ReplaySettings, *, quiet: bool) -> Attributor | None:
    """The books of the configuration, read with a progress bar; None if it names none. Raises CommandError."""
    if settings.whole is None or not settings.whole.attribution.sources:
        return None
    with terminal.book_progress(not quiet) as advance:
        return load_attribution(settings.whole, advance)


def _in_time(sources: list[str], plausible: PlausibleTime, *, alone: bool) -> tuple[list[str], list[Problem]]:
    """The captures to read, and those that are of a time that cannot be. `alone`: nothing is recorded, and a capture
    that has no others beside it is read whatever it says of its time."""
    if alone and len(sources) < 2:
        return sources, []
    starts = [first_packet_ns(source, plausible) for source in sources]
    reasons = off_clock(starts, plausible)
    if alone and len(reasons) == len(sources):
        return sources, []
    refused = [Problem(sources[at], f"{why}; it is not read") for at, why in reasons.items()]
    places = [at for at in range(len(sources)) if at not in reasons]
    if not alone:  # a ledger is told in order of time
        places.sort(key=lambda at: starts[at] or 0)
    return [sources[at] for at in places], refused


def _read(
    options: argparse.Namespace,
    settings: ReplaySettings,
    sources: Sequence[str],
    signatures: SignatureSource,
    engine: Engine,
    ledger: ReplayLedger | None,
    rules: BehaviourRules | None,
) -> ReplayResult:
    """Run the line over the sources, with a progress bar."""
    limits = {"workers": settings.workers, **settings.limits}
    began, timed = time.perf_counter(), TimedSignatures(signatures)
    try:
        with terminal.replay_progress(sources, show=not options.quiet) as advance:
            outcome = replay(
                sources,
                timed,
                engine,
                limits,
                advance,
                sampling=settings.sampling,
                assumptions=settings.assumptions,
                steps=ledger,
                resume=None if ledger is None else ledger.resume,
                plausible=ANY_TIME if ledger is None else PlausibleTime.as_of(time.time_ns()),
                behaviour=rules,
            )
    except RuntimeError as error:
        raise CommandError(RUN_ERROR, f"the core stopped: {error}") from None
    outcome.seconds = time.perf_counter() - began - timed.seconds
    return outcome


class TimedSignatures:
    """Signatures that know how long it took to make them and the line that reads by them: that is no part of the time
    in which captures were read."""

    def __init__(self, source: SignatureSource) -> None:
        self._source = source
        self.literals, self.openings, self.flights = source.literals, source.openings, source.flights
        self.names, self.seconds = source.names, 0.0

    def loaded(self) -> SignatureSet:
        """The whole set."""
        began = time.perf_counter()
        found = self._source.loaded()
        importlib.import_module("sensor.line.pipeline")
        self.seconds += time.perf_counter() - began
        return found


def _open_ledger(
    options: argparse.Namespace, settings: Configuration, sources: Sequence[str], attributor: Attributor | None
) -> ReplayLedger:
    """The ledger to record in. Raises CommandError."""
    from sensor.intake.content import content_id
    from sensor.ledger import LedgerError  # the database library is slow to import, and not always needed
    from sensor.ledger.replay import ReplayLedger

    with exit_on(LedgerError, code=RUN_ERROR):
        return ReplayLedger(
            settings.ledger,
            settings.findings,
            attribute=None if attributor is None else attributor.attribute,
            sensor_id=options.sensor,
            run_id=content_id(sources),
        )


def _recorded(ledger: ReplayLedger, outcome: ReplayResult) -> bool:
    """Record what was found in the end; False, with a sentence, if the ledger failed."""
    ledger.finish([*outcome.passed, *outcome.records])
    if ledger.trouble is not None:
        say(ledger.trouble)
    return ledger.trouble is None


def _open_outputs(
    options: argparse.Namespace, settings: ReplaySettings, sources: Sequence[str]
) -> list[outputs.OutputFile]:
    """The files to write, opened before anything is read."""
    if options.parquet is not None:
        from exporters.forms.parquet import ParquetError, require_library

        try:
            require_library()
        except ParquetError as error:
            raise CommandError(RUN_ERROR, f"--parquet {options.parquet}: {error}") from None
    targets = {
        "--eve": options.eve or settings.eve,
        "--parquet": options.parquet,
        "--report": options.report,
        "--stix": options.stix,
    }
    inputs = [*sources, *([str(options.config)] if options.config else [])]
    try:
        return outputs.open_all(targets, inputs)
    except outputs.UnwritableError as error:
        raise CommandError(error.code, str(error)) from None


def _write_outputs(
    files: list[outputs.OutputFile],
    outcome: ReplayResult,
    settings: ReplaySettings,
    engine: str,
    sources: Sequence[str],
) -> bool:
    """Write every file; False, with a sentence for each, if one was lost."""
    complete = True
    for file in files:
        try:
            if file.flag == "--eve":
                file.write(outputs.events(outcome, settings, engine))
            elif file.flag == "--parquet":
                file.fill(outputs.rows(outcome, settings, engine))
            elif file.flag == "--report":
                file.write(outputs.page(outcome, settings, engine, sources))
            else:
                file.write(outputs.bundle(outcome, settings))
        except outputs.UnwritableError as error:
            say(str(error))
            complete = False
    return complete
