"""The command line of `minewatch console`: its options and their help."""

from __future__ import annotations

import argparse
from pathlib import Path

from sensor.cli.options import add_ledger_url, add_line_options

#: Where the console listens unless it is told: this host alone, beside the sensor's metrics (9469).
LISTEN = "127.0.0.1:9480"


def add_console(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command."""
    console = commands.add_parser("console", help="serve pages of the ledger to the desk")
    console.description = (
        "Serve pages of the ledger for a browser: overview, enterprises, sites, addresses, findings, cases, search; "
        "and the same records for programs with a token. It writes case work in the ledger, and nothing else."
    )
    console.add_argument(
        "--demo", action="store_true", help="show a small invented province, made for it, on this host alone"
    )
    console.add_argument(
        "--listen", metavar="ADDRESS:PORT", default=LISTEN, help=f"where to listen; without it, {LISTEN}"
    )
    console.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which browsers ask for it; may be repeated",
    )
    console.add_argument("--certificate", type=Path, metavar="FILE", help="speak TLS with this certificate (PEM)")
    console.add_argument("--key", type=Path, metavar="FILE", help="the certificate's private key (PEM)")
    console.add_argument(
        "--behind-tls", action="store_true", help="a server before it speaks TLS: cookies are for TLS alone"
    )
    add_ledger_url(console)
    add_line_options(console)
