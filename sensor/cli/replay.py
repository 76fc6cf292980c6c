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
    flag_overrides,
    load_attribution,
    load_configuration,
    load_engine,
    load_signatures,
    say,
    show_configuration,
)
from sensor.estimate import Assumptions
from sensor.intake.content import content_id
from sensor.intake.sources import expand
from sensor.line.replay import replay
from sensor.line.suppress import Suppression
from sensor.model.exit_codes import INTERRUPTED, OK, RUN_ERROR, USAGE
from sensor.model.finding import Finding
from sensor.model.time import day_of
from sensor.session.verify import Sampling

if TYPE_CHECKING:
    from sensor.daemon.configuration import Configuration
    from sensor.intake.engine import Engine
    from sensor.line.replay import ReplayResult
    from sensor.signatures import SignatureSet


def run(options: argparse.Namespace) -> int:
    """Replay the captures that the options name. Raises CommandError for what stops it before the first packet."""
    settings = load_configuration(options, flag_overrides(options, "engine", "ledger", "jobs", "persons"))
    if options.dump_config:
        return show_configuration(settings)
    if not options.paths:
        raise CommandError(USAGE, "replay: name at least one file, directory or pattern, or - for standard input")
    signatures = load_signatures(settings.signatures.files)
    engine = load_engine(settings.engine)
    sources, problems = expand(options.paths)
    files = _open_outputs(options, settings, sources)
    with terminal.book_progress(not options.quiet) as advance:
        attributor = load_attribution(settings, advance)
    outcome = _read(options, settings, sources, signatures, engine)
    outcome.problems = problems + outcome.problems
    if attributor is not None:
        for finding in outcome.findings:
            attributor.attribute(finding)
    recorded = options.ledger is None or _record(outcome, settings, options.sensor, content_id(sources))
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


def _read(
    options: argparse.Namespace,
    settings: Configuration,
    sources: Sequence[str],
    signatures: SignatureSet,
    engine: Engine,
) -> ReplayResult:
    """Run the line over the sources, with a progress bar."""
    limits = {"workers": settings.workers, **settings.limits.model_dump()}
    sampling = Sampling(**settings.verify.model_dump())
    assumptions = Assumptions(**settings.estimate.model_dump())
    began = time.perf_counter()
    try:
        with terminal.replay_progress(sources, show=not options.quiet) as advance:
            outcome = replay(sources, signatures, engine, limits, advance, sampling=sampling, assumptions=assumptions)
    except RuntimeError as error:
        raise CommandError(RUN_ERROR, f"the core stopped: {error}") from None
    outcome.seconds = time.perf_counter() - began
    return outcome


def _record(outcome: ReplayResult, settings: Configuration, sensor_id: str, run_id: str | None) -> bool:
    """Record what was found in the ledger; False, with a sentence, if the ledger fails."""
    from sensor.ledger import LedgerError  # the database library is slow to import, and not always needed
    from sensor.ledger.replay import record_replay

    try:
        last_ns = outcome.counters.get("last_packet_ns", 0)
        record_replay(outcome.records, last_ns, settings.ledger, settings.findings, sensor_id=sensor_id, run_id=run_id)
    except LedgerError as error:
        say(str(error))
        return False
    return True


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
