"""The command line of `minewatch`: its commands, their arguments and their help.

Nothing heavy is imported here, so that help is quick. The manual page and the documentation are made from `parser()`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from sensor.cli.options import (
    add_configuration,
    add_json,
    add_language,
    add_ledger_url,
    add_line_options,
    add_persons,
    count_type,
)
from sensor.cli.parser_console import add_console
from sensor.cli.parser_ledger import add_ledger
from sensor.cli.parser_lists import add_lists
from sensor.cli.parser_people import add_audit, add_people
from sensor.cli.parser_replay import add_replay

EPILOG = (
    "Suricata's letters work without a command: -r FILE (replay), -i NAME (run), -T (check), -V (version), "
    "also -c FILE, -l DIR, -v.\n"
    "Exit codes: 0 ran to the end, 1 some input unreadable, 2 usage, 75 another process is this sensor, "
    "78 bad configuration."
)

#: The highest VLAN identifier that a frame can carry (IEEE 802.1Q: 12 bits).
HIGHEST_VLAN = 4_095

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line, or with one command alone; what is parsed holds the command's name as `command`."""
    whole = argparse.ArgumentParser(
        prog="minewatch",
        description="Finds virtual-currency mining in captured traffic.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, add_command in COMMANDS.items():
        if only in (None, name):
            add_command(commands)
    return whole


def _run(commands: Commands) -> None:
    run = commands.add_parser("run", help="watch interfaces or a folder, until told to stop")
    run.description = (
        "Watch interfaces, or a folder that a rotating capture fills. "
        "SIGHUP reopens and reloads, SIGUSR2 reloads signatures."
    )
    run.add_argument(
        "-i",
        "--interface",
        action="append",
        default=[],
        metavar="NAME",
        dest="interfaces",
        help="interface; may be repeated",
    )
    run.add_argument("--list-interfaces", action="store_true", help="show what can be listened to, and stop")
    run.add_argument("-q", "--quiet", action="store_true", help="show no findings on standard output")
    run.add_argument("--slow", action="store_true", help="listen with the reference engine, too")
    run.add_argument(
        "--simulate",
        action="append",
        default=[],
        metavar="FAULT",
        help="make this fault on purpose, for tests: loss, memcap, parser-error, sink-down, disk-full, worker-panic or "
        "clock-step, each NAME[=VALUE][@FROM[-TO]] in seconds; may be repeated; refused in a unit",
    )
    add_line_options(run)


def _collect(commands: Commands) -> None:
    collect = commands.add_parser("collect", help="write what sensors report through Kafka into a central ledger")
    collect.description = (
        "Read what many sensors report through a topic of Kafka (their exporter kafka), and write it into one ledger. "
        "Any number of processes share the work. SIGTERM ends it after the batch at hand."
    )
    collect.add_argument("--dump-config", action="store_true", help="print the configuration in force and stop")
    collect.add_argument(
        "--dead-letters",
        type=count_type(1),
        metavar="N",
        help="list the newest N messages that could not be taken, where they stand and why, and stop",
    )
    add_ledger_url(collect)
    add_configuration(collect)


def _policy(commands: Commands) -> None:
    from sensor.cli.parser_policy import add_policy  # a command of centres alone

    add_policy(commands)


def _status(commands: Commands) -> None:
    status = commands.add_parser("status", help="say how the sensors of this host stand")
    status.description = "Ask the running sensors of this host, over their local sockets, how they stand."
    status.add_argument("--socket", type=Path, metavar="FILE", help="the socket to ask; without it, all there are")
    status.add_argument("--sensor", metavar="ID", help="only this sensor")
    add_json(status)
    add_configuration(status)


def _check(commands: Commands) -> None:
    check = commands.add_parser("check", help="say whether a start would succeed")
    check.description = (
        "Say every mistake in configuration, signatures and books at once, with file and line; then whether ledger, "
        "folders, interfaces and receivers are fit for a start, each trouble with its mend."
    )
    check.add_argument(
        "--user", metavar="NAME", help="look as this user; without it, root looks as minewatch if there is such a user"
    )
    check.add_argument(
        "--configuration-only", action="store_true", help="configuration, signatures and books; nothing of this host"
    )
    add_json(check)
    add_line_options(check)


def _calibrate(commands: Commands) -> None:
    calibrate = commands.add_parser("calibrate", help="say how small the chances of own encrypted sessions are")
    calibrate.description = (
        "Count how many encrypted sessions of captures, or of the running sensors, have chances at or below 0.05, "
        "0.01, 0.001 and 0.0001, by kind of evidence: whether they are uniform there."
    )
    calibrate.add_argument(
        "paths", nargs="*", metavar="PATH", help="captures; without one, the running sensors are asked"
    )
    calibrate.add_argument(
        "--blocks", action="append", default=[], metavar="COIN=FILE", help="times of a coin's blocks; may be repeated"
    )
    calibrate.add_argument("--sessions", metavar="FILE", help="write each session as one JSON object a line")
    calibrate.add_argument("--socket", type=Path, metavar="FILE", help="the socket to ask; without it, all there are")
    calibrate.add_argument("--sensor", metavar="ID", help="only this sensor")
    add_json(calibrate)
    add_line_options(calibrate)


def _signatures(commands: Commands) -> None:
    signatures = commands.add_parser(
        "signatures",
        help="list, test or draft signatures",
        description="Show the signatures in force, prove them, or draft one from a capture.",
    )
    signatures.add_argument(
        "action",
        choices=("list", "test", "tables", "learn"),
        help="list them, run their examples and counterexamples, say how old each table is, or draft one from a flow",
    )
    add_json(signatures)
    signatures.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="signature files besides the shipped ones; of learn: the capture, and the flow, as "
        "ADDRESS:PORT-ADDRESS:PORT or by its Community ID (without it, the flows are listed)",
    )
    signatures.add_argument("-o", "--output", metavar="FILE", help="of learn: write the draft there, a new file")
    add_line_options(signatures)


def _books(commands: Commands) -> None:
    books = commands.add_parser(
        "books",
        help="check, map or import allocation books",
        description="Say what each column is taken for and every row that cannot be used; propose the columns of the "
        "configuration; or write one book.",
    )
    books.add_argument(
        "action",
        choices=("check", "map", "import"),
        help="say what is taken for what and name every bad row, write the columns section of the configuration, "
        "or bring the books into one form",
    )
    books.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="books: CSV, XLS, XLSX, lease files, exports; check: without one, those of the configuration",
    )
    books.add_argument(
        "--as",
        dest="kind",
        metavar="KIND[:FORMAT]",
        help="what the files are, e.g. inventory:filing-upload or leases:kea",
    )
    books.add_argument("--to", metavar="FILE", help="import: the book to write; map: a new file for the section")
    books.add_argument(
        "--allow-shrink", action="store_true", help="import: even if more than half of the rows are gone"
    )
    books.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    add_json(books)
    add_configuration(books)


def _explain(commands: Commands) -> None:
    explain = commands.add_parser(
        "explain", help="say whose an address was, and why", description="Say whose an address was, and why."
    )
    explain.add_argument("address", metavar="ADDRESS[:PORT]", help="192.0.2.1, 192.0.2.1:3333, [2001:db8::1]:3333")
    explain.add_argument("--at", metavar="TIME", help="when, in UTC unless it says otherwise; without it, now")
    explain.add_argument("--vlan", type=_vlan, action="append", metavar="ID", help="VLAN it was seen in")
    explain.add_argument("--vrf", metavar="NAME", help="VRF it was seen in")
    explain.add_argument("--interface", metavar="NAME", help="interface it was seen on")
    add_language(explain)
    add_persons(explain)
    add_json(explain)
    add_ledger_url(explain)
    explain.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    add_configuration(explain)


def _bulletin(commands: Commands) -> None:
    bulletin = commands.add_parser("bulletin", help="sum up a week or other days of the ledger as a document")
    bulletin.description = (
        "Sum up a period of the ledger: without -o as Markdown on standard output, with it in every form, as files."
    )
    bulletin.add_argument(
        "-w", "--week", nargs="?", metavar="WEEK", help="ISO week, e.g. 2026-W10; without one, the last that is over"
    )
    bulletin.add_argument("--from", metavar="DATE", dest="first", help="first day, e.g. 2026-03-02")
    bulletin.add_argument("--to", metavar="DATE", dest="last", help="last day, included; without it, the first")
    bulletin.add_argument(
        "--lang",
        "--language",
        choices=("zh", "en", "both"),
        help="language; without it, bulletin.language of the configuration",
    )
    bulletin.add_argument(
        "--region", metavar="CODE|NAME", help="only sites in this division (GB/T 2260), e.g. 320000, 3205 or 苏州市"
    )
    add_persons(bulletin)
    add_ledger_url(bulletin)
    bulletin.add_argument(
        "--meter", type=Path, metavar="FILE", help="metered load to compare: enterprise or site, time, kWh"
    )
    bulletin.add_argument(
        "--meter-values",
        choices=("auto", "energy", "register"),
        default="auto",
        help="what the table holds: energy used, or totals of a register; without it, as its heading and values show",
    )
    bulletin.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the files")
    bulletin.add_argument(
        "--format", action="append", choices=("html", "xlsx", "csv", "json", "md"), help="form; may be repeated"
    )
    add_line_options(bulletin)


def _completion(commands: Commands) -> None:
    completion = commands.add_parser("completion", help="print the completion of a shell")
    completion.description = "Print the completion of commands, options and states for a shell."
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def _version(commands: Commands) -> None:
    add_json(commands.add_parser("version", help="show the version and the engine"))


#: The commands by name, in the order in which they are shown.
COMMANDS: dict[str, Callable[[Commands], None]] = {
    "replay": add_replay,
    "run": _run,
    "collect": _collect,
    "policy": _policy,
    "status": _status,
    "check": _check,
    "calibrate": _calibrate,
    "signatures": _signatures,
    "lists": add_lists,
    "books": _books,
    "explain": _explain,
    "bulletin": _bulletin,
    "ledger": add_ledger,
    "audit": add_audit,
    "people": add_people,
    "console": add_console,
    "completion": _completion,
    "version": _version,
}


def _vlan(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > HIGHEST_VLAN:
        raise argparse.ArgumentTypeError(f"must be the number of a VLAN, 0 to {HIGHEST_VLAN}")
    return int(text)
