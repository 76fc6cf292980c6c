"""`minewatch replay`: read captures, report who mines.

sources -> line -> attribution -> ledger, files, summary
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exporters.redaction.attribution import without_persons
from sensor.cli import outputs, terminal
from sensor.cli.frame import (
    CommandError,
    exit_on,
    flag_overrides,
    load_attribution,
    load_configuration,
    load_engine,
    load_signatures,
    say,
    show_configuration,
)
from sensor.daemon.behaviour import behaviour_rules
from sensor.estimate import Assumptions
from sensor.intake.block_times import BlockFileError
from sensor.intake.clock import first_packet_ns, off_clock
from sensor.intake.content import content_id
from sensor.intake.sources import Problem, expand
from sensor.line.judged_session import BehaviourRules
from sensor.line.replay import replay
from sensor.line.resumed import nothing_before
from sensor.line.suppress import Suppression
from sensor.model.exit_codes import CONFIG, INTERRUPTED, OK, RUN_ERROR, USAGE
from sensor.model.finding import Finding
from sensor.model.time import ANY_TIME, PlausibleTime, day_of
from sensor.session.verify import Sampling

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.daemon.configuration import Configuration
    from sensor.intake.engine import Engine
    from sensor.ledger.replay import ReplayLedger
    from sensor.line.replay import ReplayResult
    from sensor.signatures import SignatureSet

#: What is said of packets within captures that are of a time that cannot be.
OFF_CLOCK = (
    "some packets are of a time that cannot be (before anything was mined, or still to come): they are in no figure"
)


def run(options: argparse.Namespace) -> int:
    """Replay the captures that the options name. Raises CommandError for what stops it before the first packet."""
    settings = load_configuration(options, flag_overrides(options, "engine", "ledger", "jobs", "persons"))
    if options.dump_config:
        return show_configuration(settings)
    if not options.paths:
        raise CommandError(USAGE, "replay: name at least one file, directory or pattern, or - for standard input")
    signatures = load_signatures(settings.signatures.files, settings.names.lists)
    with exit_on(BlockFileError, code=CONFIG):
        rules = behaviour_rules(settings.behaviour)
    engine = load_engine(settings.engine)
    sources, problems = expand(options.paths)
    files = _open_outputs(options, settings, sources)
    plausible = PlausibleTime.as_of(time.time_ns())
    sources, refused = _in_time(sources, plausible, alone=options.ledger is None)
    with terminal.book_progress(not options.quiet) as advance:
        attributor = load_attribution(settings, advance)
    ledger = None if options.ledger is None else _open_ledger(options, settings, sources, attributor)
    outcome = _read(options, settings, sources, signatures, engine, ledger, rules)
    outcome.problems = problems + refused + outcome.problems
    if attributor is not None:
        for finding in outcome.findings:
            attributor.attribute(finding)
    recorded = ledger is None or _recorded(ledger, outcome)
    if outcome.lines.get("chunks_off_clock"):
        say(OFF_CLOCK)
    suppression, last_ns = Suppression(settings.findings), outcome.counters.get("last_packet_ns", 0)
    outcome.records = suppression.heard(outcome.records, day_of(last_ns))
    if not settings.output.name_persons:  # the ledger has them; nothing that is shown does
        outcome.records = [
            without_persons(record) if isinstance(record, Finding) else record for record in outcome.records
        ]
    written = _write_outputs(files, outcome, settings, engine.name, sources)
    eve_on_stdout = any(file.on_stdout for file in files)
    terminal.show_summary(outcome, engine.name, settings.workers, options, eve_on_stdout)
    if not (recorded and written):
        return RUN_ERROR
    return INTERRUPTED if outcome.interrupted else RUN_ERROR if outcome.problems else OK


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
    settings: Configuration,
    sources: Sequence[str],
    signatures: SignatureSet,
    engine: Engine,
    ledger: ReplayLedger | None,
    rules: BehaviourRules,
) -> ReplayResult:
    """Run the line over the sources, with a progress bar."""
    limits = {"workers": settings.workers, **settings.limits.model_dump()}
    sampling = Sampling(**settings.verify.model_dump())
    assumptions = Assumptions(**settings.estimate.model_dump())
    began = time.perf_counter()
    try:
        with terminal.replay_progress(sources, show=not options.quiet) as advance:
            outcome = replay(
                sources,
                signatures,
                engine,
                limits,
                advance,
                sampling=sampling,
                assumptions=assumptions,
                steps=ledger,
                resume=nothing_before if ledger is None else ledger.resume,
                plausible=ANY_TIME if ledger is None else PlausibleTime.as_of(time.time_ns()),
                behaviour=rules,
            )
    except RuntimeError as error:
        raise CommandError(RUN_ERROR, f"the core stopped: {error}") from None
    outcome.seconds = time.perf_counter() - began
    return outcome


def _open_ledger(
    options: argparse.Namespace, settings: Configuration, sources: Sequence[str], attributor: Attributor | None
) -> ReplayLedger:
    """The ledger to record in. Raises CommandError."""
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
    options: argparse.Namespace, settings: Configuration, sources: Sequence[str]
) -> list[outputs.OutputFile]:
    """The files to write, opened before anything is read."""
    targets = {"--eve": options.eve or settings.output.eve, "--report": options.report, "--stix": options.stix}
    inputs = [*sources, *([str(options.config)] if options.config else [])]
    try:
        return outputs.open_all(targets, inputs)
    except outputs.UnwritableError as error:
        raise CommandError(error.code, str(error)) from None


def _write_outputs(
    files: list[outputs.OutputFile], outcome: ReplayResult, settings: Configuration, engine: str, sources: Sequence[str]
) -> bool:
    """Write every file; False, with a sentence for each, if one was lost."""
    complete = True
    for file in files:
        try:
            if file.flag == "--eve":
                file.write(outputs.events(outcome, settings, engine))
            elif file.flag == "--report":
                file.write(outputs.page(outcome, settings, engine, sources))
            else:
                file.write(outputs.bundle(outcome, settings))
        except outputs.UnwritableError as error:
            say(str(error))
            complete = False
    return complete
