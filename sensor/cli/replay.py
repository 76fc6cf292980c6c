"""What the words of the command do: settle the configuration, load signatures and engine, run the line, hand the records on.

Every mistake of the operator becomes one sentence on standard error and an exit code; nothing here raises to the terminal.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensor import signatures
from sensor.cli import outputs
from sensor.daemon import configuration
from sensor.daemon.configuration import Configuration
from sensor.intake import engine
from sensor.intake.sources import expand
from sensor.model.exit_codes import CONFIG, INTERRUPTED, OK, RUN_ERROR, USAGE
from sensor.settings.document import ConfigError

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.cli.outputs import Output
    from sensor.line.replay import ReplayResult
    from sensor.signatures import SignatureSet


def say(sentence: str) -> None:
    """One sentence for the operator."""
    print(f"minewatch: {sentence}", file=sys.stderr)


class Stop(Exception):  # noqa: N818 (an end, not an error)
    """The command ends here, with this exit code; everything has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def replay(options: argparse.Namespace) -> int:
    """`minewatch replay`: read captures, report who mines."""
    try:
        settings = _settings(options)
        if options.dump_config:
            print(settings.dump(), end="")
            return OK
        if not options.paths:
            say("replay: name at least one file, directory or pattern, or - for standard input")
            return USAGE
        return _replay(options, settings)
    except Stop as stop:
        return stop.code


def check(options: argparse.Namespace) -> int:
    """`minewatch check`: every mistake in configuration, signatures, filters, books and what exporters need, at once."""
    from sensor.daemon.parts import Given, build

    problems: list[str] = []
    try:
        if options.dump_config:
            print(_load(options).dump(), end="")
            return OK
        parts = build(Given(options.config, _overrides(options)))
        core = engine.load(parts.config.engine).name
    except ConfigError as error:
        problems += error.problems
    except engine.EngineError as error:
        problems.append(str(error))
    for problem in problems:
        say(problem)
    if problems:
        return CONFIG
    if parts.attribution is not None:
        from sensor.cli import books

        print(books.told_of(parts.attribution))
    print(f"ok: {options.config or 'built-in configuration'}, {_count(parts.signatures)}, {core} engine")
    return OK


def signatures_word(options: argparse.Namespace) -> int:
    """`minewatch signatures list|test`: what is looked for, and the proof that it works."""
    try:
        settings = _settings(options)
        if options.dump_config:
            print(settings.dump(), end="")
            return OK
        own = [*settings.signatures.files, *(name for name in options.files if not _is_shipped(name))]
        known = _signatures(own)
    except Stop as stop:
        return stop.code
    if options.action == "test":
        return _prove(known, own)
    from sensor.cli import signature_table as coverage

    coverage.show(known, everything=options.verbose > 0)
    return OK


def _is_shipped(name: str) -> bool:
    """Whether a file or folder is of those that are loaded anyway, so that testing it by its name does not load it twice."""
    import signatures as shipped

    return (
        any(Path(name).resolve().is_relative_to(Path(root).resolve()) for root in shipped.__path__)
        and Path(name).exists()
    )


def _prove(known: SignatureSet, own: list[str]) -> int:
    """Run every example and counterexample; each that fails is a sentence. How many the user's own files have is said, too."""
    from sensor import wallets
    from sensor.line.examples import prove

    failures = [*map(str, prove(known)), *wallets.prove(known.wallets)]
    for failure in failures:
        say(failure)
    proofs = [example.file for header in known.headers for example in header.examples]
    proofs += [example.file for table in (known.agents, known.devices, known.pools) for example in table.examples]
    proofs += [
        one.place.rpartition(":")[0] for group in (known.wallets.forms, known.wallets.donations) for one in group
    ]
    for name in own:
        count = sum(Path(file) == Path(name) or Path(name) in Path(file).parents for file in proofs)
        print(f"{name}: {count} {'example' if count == 1 else 'examples'}")
    print(f"{len(proofs)} examples of {len(known.headers)} signatures and of the tables, {len(failures)} failed")
    return RUN_ERROR if failures else OK


def _load(options: argparse.Namespace) -> Configuration:
    """The configuration in force: defaults, file, --set, then the flags of their own."""
    return configuration.load(options.config, _overrides(options))


def _overrides(options: argparse.Namespace) -> list[str]:
    overrides = list(options.overrides)
    if options.engine:
        overrides.append(f"engine={options.engine}")
    if getattr(options, "ledger", None):
        overrides.append(f"ledger.url={options.ledger}")
    if getattr(options, "jobs", None):
        overrides.append(f"workers={options.jobs}")
    return overrides


def _settings(options: argparse.Namespace) -> Configuration:
    try:
        return _load(options)
    except ConfigError as error:
        for problem in error.problems:
            say(problem)
        raise Stop(CONFIG) from None


def _signatures(files: list[str]) -> SignatureSet:
    try:
        return signatures.load([Path(name) for name in files])
    except signatures.SignatureError as error:
        for line in str(error).splitlines():
            say(line)
        raise Stop(CONFIG) from None


def _books(settings: Configuration, wanted: bool) -> Attributor | None:
    """The books that say whose addresses are, if there are any."""
    from sensor.attribution import AttributionError
    from sensor.cli import books

    try:
        return books.load(settings, wanted)
    except AttributionError as error:
        for problem in error.problems:
            say(problem)
        raise Stop(CONFIG) from None


def _count(known: SignatureSet) -> str:
    return f"{len(known.dialects)} dialects, {len(known.nodes)} node protocols"


def _replay(options: argparse.Namespace, settings: Configuration) -> int:
    known = _signatures(settings.signatures.files)
    try:
        loaded = engine.load(settings.engine)
    except engine.EngineError as error:
        say(str(error))
        raise Stop(CONFIG) from None
    sources, problems = expand(options.paths)
    files = _outputs(options, settings, sources)
    owners = _books(settings, wanted=not options.quiet)
    from sensor.cli import terminal
    from sensor.estimate import Assumptions
    from sensor.line.replay import replay as run
    from sensor.session.verify import Sampling

    limits = {"workers": settings.workers, **settings.limits.model_dump()}
    began = time.perf_counter()
    try:
        with terminal.progress(sources, wanted=not options.quiet) as advance:
            outcome = run(
                sources,
                known,
                loaded,
                limits,
                advance,
                sampling=Sampling(**settings.verify.model_dump()),
                assumptions=Assumptions(**settings.estimate.model_dump()),
            )
    except RuntimeError as error:
        say(f"the core stopped: {error}")
        return RUN_ERROR
    outcome.seconds = time.perf_counter() - began
    outcome.problems = problems + outcome.problems
    if owners is not None:
        for finding in outcome.findings:
            owners.attribute(finding)
    kept = options.ledger is None or _keep(outcome, settings)
    code = INTERRUPTED if outcome.interrupted else RUN_ERROR if outcome.problems else OK
    written = _write(files, outcome, settings, loaded.name, sources)
    code = code if kept and written else RUN_ERROR
    terminal.summary(
        outcome, loaded.name, settings.workers, options, eve_on_stdout=any(file.on_stdout for file in files)
    )
    return code


def _keep(outcome: ReplayResult, settings: Configuration) -> bool:
    """Put what was found into the ledger; false (and said) if it cannot be."""
    from sensor.ledger import LedgerError
    from sensor.ledger.replay import record_replay

    try:
        record_replay(outcome.records, outcome.counters.get("last_packet_ns", 0), settings.ledger, settings.findings)
    except LedgerError as error:
        say(str(error))
        return False
    return True


def _outputs(options: argparse.Namespace, settings: Configuration, sources: Sequence[str]) -> list[Output]:
    """The files to write, opened before anything is read."""
    targets = {"--eve": options.eve or settings.output.eve, "--report": options.report, "--stix": options.stix}
    try:
        return outputs.opened(targets, [*sources, *([str(options.config)] if options.config else [])])
    except outputs.Unwritable as error:
        say(str(error))
        raise Stop(error.code) from None


def _write(
    files: list[Output], outcome: ReplayResult, settings: Configuration, engine_name: str, sources: Sequence[str]
) -> bool:
    """Write every file; false (and said) where a place is lost."""
    whole = True
    for file in files:
        try:
            if file.flag == "--eve":
                file.write(outputs.events(outcome, settings, engine_name))
            elif file.flag == "--report":
                file.write(outputs.page(outcome, settings, engine_name, sources))
            else:
                file.write(outputs.bundle(outcome, settings))
        except outputs.Unwritable as error:
            say(str(error))
            whole = False
    return whole
