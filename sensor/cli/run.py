"""`minewatch run`: start the daemon, hand it the signals, and turn what stops it into a sentence and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import signal
import time
from collections.abc import Iterator

from exporters.destination import Unusable
from sensor.cli import live
from sensor.cli.frame import CommandError, exit_on, flag_overrides, load_engine, os_reason, show_configuration
from sensor.daemon.daemon import Daemon
from sensor.daemon.free_memory import keep_one_heap
from sensor.daemon.journal import Journal
from sensor.daemon.policy_start import FirstSetup, first_setup
from sensor.daemon.reload import Reloader
from sensor.daemon.sensor_id import SensorIdError
from sensor.daemon.setup import ConfigurationSource, Setup
from sensor.daemon.simulate import FAULTS, SimulateError, Simulation, read_faults
from sensor.intake.engine import Engine, SourceError
from sensor.intake.interfaces import list_interfaces
from sensor.intake.spool import SpoolError
from sensor.ledger import LeaseHeldError, LeaseLostError, LedgerError
from sensor.model.exit_codes import BUSY, CONFIG, OK, RUN_ERROR, USAGE
from sensor.serve.access import ServeError
from sensor.settings.document import ConfigError

#: What the line imports when the first packet asks for it, and a daemon before: of one release, and no file is opened
#: for a packet.
BEFORE_PACKETS = ("Crypto.Hash.keccak", "statistics")
COLUMNS = ("interface", "state", "mtu", "usable", "")


def run(options: argparse.Namespace) -> int:
    """Watch until a signal ends it. Raises CommandError for what keeps it from starting or stops it."""
    if options.list_interfaces:
        return _show_interfaces()
    source = ConfigurationSource(options.config, _overrides(options))
    with exit_on(ConfigError, SensorIdError, code=CONFIG):
        first = first_setup(source)
    setup = first.setup
    if options.dump_config:
        return show_configuration(setup.config)
    engine = load_engine(setup.config.engine)
    _refuse_unusable(setup, engine, options.slow)
    with exit_on(SimulateError, code=USAGE):
        simulation = read_faults(options.simulate)
    for name in BEFORE_PACKETS:
        importlib.import_module(name)
    daemon = _start(engine, first, options, simulation)
    with _signals(daemon):
        try:
            daemon.run()
        except RuntimeError as error:  # a capture thread died: to go on would be to watch nothing
            raise CommandError(RUN_ERROR, f"the core stopped: {error}") from None
        except LeaseLostError as error:  # what was not recorded yet is the other process's to count
            raise CommandError(RUN_ERROR, str(error)) from None
    return OK


def _start(engine: Engine, first: FirstSetup, options: argparse.Namespace, simulation: Simulation) -> Daemon:
    setup = first.setup
    keep_one_heap()
    journal = Journal(setup.config.journal.level)
    for fault in simulation.faults:
        journal.warning(f"simulated: {fault.text}: {FAULTS[fault.name][0]}")
    viewer = live.view(setup, engine.name, quiet=options.quiet)
    try:
        with (
            exit_on(LedgerError, ServeError, SpoolError, SourceError, code=RUN_ERROR),
            exit_on(LeaseHeldError, code=BUSY),
            exit_on(SensorIdError, Unusable, code=CONFIG),
        ):
            reloader = Reloader(first.source, time.time_ns())
            return Daemon(engine, setup, reloader, journal, viewer, simulation, first.inbox)
    except OSError as error:
        raise CommandError(RUN_ERROR, f"{error.filename or 'start'}: {os_reason(error)}") from None


def _overrides(options: argparse.Namespace) -> list[str]:
    """What the options mean, as `key=value` of the configuration."""
    overrides = [*options.overrides, *flag_overrides(options, "engine")]
    if options.interfaces:
        names = ", ".join(f"{{name: {name!r}}}" for name in options.interfaces)
        overrides.append(f"capture.interfaces=[{names}]")
    return overrides


def _show_interfaces() -> int:
    """`--list-interfaces`: a line for each, and what is in the way."""
    rows = [
        (interface.name, interface.state, str(interface.mtu), "yes" if interface.usable else "no", interface.why or "")
        for interface in list_interfaces()
    ]
    table = [COLUMNS, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return OK


def _refuse_unusable(setup: Setup, engine: Engine, slow: bool) -> None:
    """Raise CommandError if there is nothing to read, or only an engine too slow for a live link."""
    capture = setup.config.capture
    if not (capture.interfaces or capture.folder or capture.stdin):
        raise CommandError(
            USAGE,
            "run: nothing to read: name an interface (-i NAME, capture.interfaces), "
            "or capture.folder, or capture.stdin",
        )
    if capture.interfaces and engine.name == "reference" and not slow:
        raise CommandError(
            CONFIG,
            "run: the slow reference engine would lose most of a live link: build the compiled core, or say --slow",
        )


@contextlib.contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    """The handlers only set marks; the loop looks at them between two batches."""
    handlers = {
        signal.SIGTERM: lambda *_: daemon.stop(),
        signal.SIGINT: lambda *_: daemon.stop(),
        signal.SIGHUP: lambda *_: daemon.request_reload(),
        signal.SIGUSR2: lambda *_: daemon.request_signatures(),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
