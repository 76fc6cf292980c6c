"""`minewatch console`: serves the pages of a ledger to the desk.

People sign in with their accounts (`minewatch people`). A demonstration has none: it is of a ledger that it makes
itself, on this host alone.
"""

from __future__ import annotations

import argparse
import ipaddress
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.cli.frame import (
    CommandError,
    exit_on,
    flag_overrides,
    load_configuration,
    os_reason,
    say,
    show_configuration,
)
from sensor.model.exit_codes import CONFIG, OK, RUN_ERROR, USAGE

if TYPE_CHECKING:
    from sensor.console.web.server import Listening
    from sensor.daemon.configuration import Configuration

NOT_INSTALLED = "console: its libraries are not installed ({missing}): pip install 'minewatch[console]'"


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted. Raises CommandError."""
    settings = load_configuration(options, flag_overrides(options, "ledger"))
    if options.dump_config:
        return show_configuration(settings)
    where = _listening(options)
    if not options.demo:
        _refuse_if_taken(where)
        _serve_desk(settings, where)
        return OK
    if options.ledger is not None:
        raise CommandError(USAGE, "console: --demo makes a ledger of its own: leave out --ledger")
    if not where.on_loopback:
        raise CommandError(USAGE, f"console: --demo listens on this host alone, not on {where.address}")
    _refuse_if_taken(where)
    with tempfile.TemporaryDirectory(prefix="minewatch-demo-") as folder:
        _demonstrate(settings, where, Path(folder))
    return OK


def _serve_desk(settings: Configuration, where: Listening) -> None:
    from sensor.cli.desk import opened_desk
    from sensor.console.web.server import serve

    with opened_desk(settings, where) as app:
        say(f"console: {where.url} (stop with Ctrl-C)")
        serve(app, where)


def _demonstrate(settings: Configuration, where: Listening, folder: Path) -> None:
    from sensor.cli.desk import desk_of, plate_of_settings
    from sensor.console.demonstration.ledger import make_demo_ledger
    from sensor.console.demonstration.viewer import BANNER, demo_viewer
    from sensor.console.web.app import make_app
    from sensor.console.web.server import serve
    from sensor.console.web.signin import EverybodyAs
    from sensor.ledger import Ledger, LedgerError

    plate = plate_of_settings(settings)
    with exit_on(LedgerError, code=RUN_ERROR):
        ledger = Ledger.open_to_read(make_demo_ledger(folder, time.time_ns()))
    try:
        app = make_app(desk_of(settings, ledger, plate, BANNER), EverybodyAs(demo_viewer()), hosts=where.names)
        say(f"console: a demonstration with invented data: {where.url} (stop with Ctrl-C)")
        serve(app, where)
    finally:
        ledger.close()


def _listening(options: argparse.Namespace) -> Listening:
    try:
        from sensor.console.web.server import Listening
    except ImportError as error:
        raise CommandError(CONFIG, NOT_INSTALLED.format(missing=error.name)) from None
    text = options.listen
    host, colon, port = text.rpartition(":")
    try:
        address = str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        address = ""
    if not address or not colon or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65_536:
        raise CommandError(USAGE, f"console: --listen {text}: write an address and a port, as 127.0.0.1:9480")
    if (options.certificate is None) != (options.key is None):
        raise CommandError(USAGE, "console: --certificate and --key belong together")
    return Listening(address, int(port), tuple(options.host), options.certificate, options.key, options.behind_tls)


def _refuse_if_taken(where: Listening) -> None:
    """Raises CommandError where nothing can be listened to, before anything is made."""
    family = socket.AF_INET6 if ":" in where.address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((where.address, where.port))
        except OSError as error:
            raise CommandError(RUN_ERROR, f"console: {where.address}:{where.port}: {os_reason(error)}") from None
