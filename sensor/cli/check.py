"""`minewatch check`: every mistake in configuration, signatures, filters, books and what exporters need, at once."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sensor.cli.frame import exit_on, flag_overrides, load_configuration, load_engine, show_configuration
from sensor.daemon.sensor_id import SensorIdError, sensor_id, state_folder
from sensor.daemon.setup import ConfigurationSource, load_setup
from sensor.model.exit_codes import CONFIG, OK
from sensor.settings.document import ConfigError

if TYPE_CHECKING:
    from sensor.attribution import Attributor


def run(options: argparse.Namespace) -> int:
    """Load everything, open nothing, and say that it is sound. Raises CommandError with every mistake."""
    overrides = flag_overrides(options, "engine")
    if options.dump_config:
        return show_configuration(load_configuration(options, overrides))
    with exit_on(ConfigError, code=CONFIG):
        setup = load_setup(ConfigurationSource(options.config, [*options.overrides, *overrides]))
    with exit_on(SensorIdError, code=CONFIG):
        sensor_id(setup.config.sensor_id, state_folder(setup.config.ledger.url), make=False)
    engine = load_engine(setup.config.engine)
    if setup.attribution is not None:
        print(_books_text(setup.attribution))
    counts = f"{len(setup.signatures.dialects)} dialects, {len(setup.signatures.nodes)} node protocols"
    print(f"ok: {options.config or 'built-in configuration'}, {counts}, {engine.name} engine")
    return OK


def _books_text(attributor: Attributor) -> str:
    """A line for each book: its rows, and how many were refused."""
    return "\n".join(
        f"{book.path}: {book.rows:,} rows"
        + (f", {len(book.refused):,} refused (minewatch books check {book.path} names them)" if book.refused else "")
        for book in attributor.books.books
    )
