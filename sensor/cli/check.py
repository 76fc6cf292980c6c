"""`minewatch check`: whether a start would succeed: every mistake in configuration, signatures, filters, books and what
exporters need, and then ledger, folders, interfaces and receivers, as the sensor's user.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sensor.cli.frame import CommandError, exit_on, flag_overrides, load_configuration, load_engine, show_configuration
from sensor.cli.json_text import print_json
from sensor.daemon.configuration import region_of
from sensor.daemon.readiness.checks import check_start
from sensor.daemon.readiness.result import CheckResult, worst
from sensor.daemon.readiness.user import SensorUser, UnknownUserError, sensor_user
from sensor.daemon.setup import ConfigurationSource, load_setup
from sensor.model.exit_codes import CONFIG, OK, USAGE
from sensor.model.text import printable
from sensor.settings.document import ConfigError

if TYPE_CHECKING:
    from sensor.attribution import Attributor
    from sensor.daemon.setup import Setup

#: Characters of the first two columns.
STATE_WIDTH, PART_WIDTH = 9, 18


def run(options: argparse.Namespace) -> int:
    """Look at everything that a start needs. Raises CommandError with every mistake in what is loaded."""
    overrides = flag_overrides(options, "engine")
    if options.dump_config:
        return show_configuration(load_configuration(options, overrides))
    with exit_on(UnknownUserError, code=USAGE):
        user = sensor_user(options.user)
    source = ConfigurationSource(options.config, [*options.overrides, *overrides])
    try:
        setup = load_setup(source)
    except ConfigError as error:
        if options.json:
            mistakes = [CheckResult("configuration", "failure", problem) for problem in error.problems]
            _print_json(mistakes, user, None)
        raise CommandError(CONFIG, *error.problems) from None
    engine = load_engine(setup.config.engine)
    results = _loaded(setup, str(options.config or "built-in configuration"), engine.name)
    if not options.configuration_only:
        results += check_start(setup, user)
    if options.json:
        _print_json(results, user, engine.name)
    else:
        _print(results, user)
    failures = sum(result.state == "failure" for result in results)
    if failures:
        raise CommandError(CONFIG, f"check: {failures} of {len(results)} would keep the sensor from starting")
    return OK


def _loaded(setup: Setup, name: str, engine: str) -> list[CheckResult]:
    counts = f"{len(setup.signatures.dialects)} dialects, {len(setup.signatures.nodes)} node protocols"
    results = [CheckResult("configuration", "ok", f"{name}, {counts}, {engine} engine")]
    if engine == "reference" and setup.config.capture.interfaces:
        sentence = "the slow reference engine would lose most of a live link"
        results.append(CheckResult("engine", "failure", sentence, "build the compiled core (make core), or run --slow"))
    region = region_of(setup.config)
    if region is not None and region.note is not None:
        results.append(CheckResult("bulletin.region", "note", region.note))
    return results + ([] if setup.attribution is None else _books(setup.attribution))


def _books(attributor: Attributor) -> list[CheckResult]:
    """A line for each book: its rows, and how many were refused."""
    results = []
    for book in attributor.books.books:
        rows = f"{book.path}: {book.rows:,} rows"
        if book.refused:
            mend = f"minewatch books check {book.path}"
            results.append(CheckResult("book", "warning", f"{rows}, {len(book.refused):,} refused", mend))
        else:
            results.append(CheckResult("book", "ok", rows))
    return results


def _print(results: Sequence[CheckResult], user: SensorUser) -> None:
    for result in results:
        state = result.state.upper() if result.state == "failure" else result.state
        print(f"{state:<{STATE_WIDTH}}{result.part:<{PART_WIDTH}} {printable(result.sentence)}")
        if result.mend is not None:
            print(f"{'':<{STATE_WIDTH + PART_WIDTH}} mend: {printable(result.mend)}")
    state = worst(list(results))
    if state != "failure":
        warnings = sum(result.state == "warning" for result in results)
        print(f"ok, as user {user.name}" + (f", with {warnings} warnings" if warnings else ""))


def _print_json(results: Sequence[CheckResult], user: SensorUser, engine: str | None) -> None:
    checks = [
        {"part": result.part, "state": result.state, "sentence": result.sentence, "mend": result.mend}
        for result in results
    ]
    print_json({"user": user.name, "engine": engine, "state": worst(list(results)), "checks": checks})
