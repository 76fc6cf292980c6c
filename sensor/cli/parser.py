"""The command line of `minewatch`: its commands, their arguments and their help.

Nothing heavy is imported here, so that help is quick. The manual page and the documentation are made from `parser()`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from sensor.cli import json_output
from sensor.model.sensor import REPLAY_SENSOR, valid_sensor_id

EPILOG = (
    "Suricata's letters work without a command: -r FILE (replay), -i NAME (run), -T (check), -V (version), "
    "also -c FILE, -l DIR, -v.\n"
    "Exit codes: 0 ran to the end, 1 some input unreadable, 2 usage, 75 another process is this sensor, "
    "78 bad configuration."
)

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parser() -> argparse.ArgumentParser:
    """The whole command line; what is parsed holds the command's name as `command`."""
    whole = argparse.ArgumentParser(
        prog="minewatch",
        description="Finds virtual-currency mining in captured traffic.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add_command in (_replay, _run, _check, _signatures, _books, _explain, _bulletin, _ledger):
        add_command(commands)
    commands.add_parser("version", help="show the version and the engine")
    return whole


def _replay(commands: Commands) -> None:
    replay = commands.add_parser("replay", help="read captures and report who mines")
    replay.description = "Read captures (.pcap, .pcapng, also .gz and .zst) and report who mines."
    replay.add_argument("paths", nargs="*", metavar="PATH", help="file, directory, pattern, or - for standard input")
    replay.add_argument(
        "-e", "--eve", metavar="FILE", help="write one JSON object a line (-: standard output, and then nothing else)"
    )
    replay.add_argument(
        "--ledger", metavar="URL", help="keep the findings there, e.g. sqlite:///ledger.db; again, it adds nothing"
    )
    replay.add_argument(
        "--sensor",
        metavar="ID",
        default=REPLAY_SENSOR,
        type=_sensor_id,
        help="the sensor whose captures they are; without it, replay",
    )
    replay.add_argument("--report", metavar="FILE", help="write a page to look at: HTML, all in one file")
    replay.add_argument("--stix", metavar="FILE", help="write the findings as a STIX 2.1 bundle")
    _add_persons(replay)
    replay.add_argument("-j", "--jobs", type=_jobs, metavar="N", help="workers")
    replay.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary")
    _add_line_options(replay)


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
    run.add_argument("--slow", action="store_true", help="listen with the reference engine, too")
    _add_line_options(run)


def _check(commands: Commands) -> None:
    check = commands.add_parser(
        "check",
        help="validate configuration and signatures",
        description="Say every mistake at once, with file and line.",
    )
    _add_line_options(check)


def _signatures(commands: Commands) -> None:
    signatures = commands.add_parser(
        "signatures", help="list or test the signatures", description="Show the signatures in force, or prove them."
    )
    signatures.add_argument(
        "action", choices=("list", "test"), help="list them, or run their examples and counterexamples"
    )
    signatures.add_argument("files", nargs="*", metavar="FILE", help="signature files besides the shipped ones")
    _add_line_options(signatures)


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
    json_output.add_option(books)
    _add_configuration(books)


def _explain(commands: Commands) -> None:
    explain = commands.add_parser(
        "explain", help="say whose an address was, and why", description="Say whose an address was, and why."
    )
    explain.add_argument("address", metavar="ADDRESS[:PORT]", help="192.0.2.1, 192.0.2.1:3333, [2001:db8::1]:3333")
    explain.add_argument("--at", metavar="TIME", help="when, in UTC unless it says otherwise; without it, now")
    explain.add_argument("--vlan", type=int, action="append", metavar="ID", help="VLAN it was seen in")
    explain.add_argument("--vrf", metavar="NAME", help="VRF it was seen in")
    explain.add_argument("--interface", metavar="NAME", help="interface it was seen on")
    _add_persons(explain)
    explain.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    _add_configuration(explain)


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
        "--lang", choices=("zh", "en", "both"), help="language; without it, bulletin.language of the configuration"
    )
    bulletin.add_argument(
        "--region", metavar="CODE", help="only sites in this division (GB/T 2260), e.g. 320000 or 320500"
    )
    _add_persons(bulletin)
    bulletin.add_argument("--ledger", metavar="URL", help="the ledger; without it, that of the configuration")
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
    _add_line_options(bulletin)


def _ledger(commands: Commands) -> None:
    parser = commands.add_parser("ledger", help="cases and what became of them, and the mining list")
    parser.description = (
        "Cases: notified, under-check, rectifying, re-check, closed, relapsed, false-alarm; "
        "and the list of who mines where."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the cases that are open, overdue ones first")
    listed.add_argument("--state", metavar="STATE", help="only those in this state")
    listed.add_argument("--all", action="store_true", help="closed ones and false alarms too")
    listed.add_argument("--overdue", action="store_true", help="only those whose next step should have been taken")
    listed.add_argument("--address", metavar="ADDRESS", help="only those of this address")
    shown = actions.add_parser("show", help="one case with its history, or what is known of an address")
    shown.add_argument("what", metavar="CASE|ADDRESS")
    put = actions.add_parser("set", help="move a case on")
    put.add_argument("case", type=int, metavar="CASE")
    put.add_argument(
        "state", metavar="STATE", help="notified, under-check, rectifying, re-check, closed, relapsed, false-alarm"
    )
    put.add_argument(
        "--why", required=True, metavar="TEXT", help="what was found or done; for a false alarm, what it really is"
    )
    put.add_argument("--who", metavar="NAME", help="who says so; without it, the user who is signed in")
    export = actions.add_parser("export", help="the mining list of a period: a row for each address and algorithm")
    export.add_argument("--to", metavar="FILE", help="write there; without it, or with -, on standard output")
    export.add_argument(
        "--format", choices=("csv", "json", "stix"), help="without it, as the file's name says, else CSV"
    )
    export.add_argument(
        "--from", dest="since", metavar="DATE", help="first day, or time; without it, seven days before the end"
    )
    export.add_argument(
        "--until",
        metavar="DATE",
        help="last day, included, or the time where it ends; without it, the hour of the newest entry",
    )
    for action in (listed, shown, put, export):
        _add_persons(action)
    forget = actions.add_parser("forget", help="remove what the ledger holds of an address, an enterprise or a person")
    forget.add_argument("what", metavar="ADDRESS|ENTERPRISE|PERSON", help="address, identity, code or name")
    forget.add_argument("--yes", action="store_true", help="do not ask")
    sensors = actions.add_parser("sensors", help="the sensors that told this ledger anything")
    sensor_actions = sensors.add_subparsers(dest="sensors", metavar="WORD")
    rename = sensor_actions.add_parser("rename", help="give one another id; it must not be running")
    rename.add_argument("sensor_id", metavar="SENSOR")
    rename.add_argument("new_id", metavar="NEW")
    retire = sensor_actions.add_parser(
        "retire", help="one that will not come back: its silence closes no case any more"
    )
    retire.add_argument("sensor_id", metavar="SENSOR")
    for action in (
        listed,
        shown,
        put,
        export,
        forget,
        sensors,
        sensor_actions.add_parser("list", help="all of them"),
        rename,
        retire,
    ):
        action.add_argument("--ledger", metavar="URL", help="instead of ledger.url of the configuration")
        _add_line_options(action)


def _add_persons(parser: argparse.ArgumentParser) -> None:
    """The option of every command that lists whose addresses were."""
    parser.add_argument("--persons", action="store_true", help="name persons too")


def _add_line_options(parser: argparse.ArgumentParser) -> None:
    """The options of commands that run the line or read what it recorded."""
    _add_configuration(parser)
    parser.add_argument("--engine", choices=("auto", "compiled", "reference"), help="core to use")
    parser.add_argument("--dump-config", action="store_true", help="print the configuration in force and stop")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more: all rows, counters")


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    """The options of every command that reads the configuration."""
    parser.add_argument(
        "-c", "--config", type=Path, metavar="FILE", help="configuration file; without it, the built-in defaults"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="override one key, e.g. limits.flows=65536",
    )


def _sensor_id(text: str) -> str:
    if not valid_sensor_id(text):
        raise argparse.ArgumentTypeError("must be 1 to 64 letters, digits, dots, hyphens or underscores")
    return text


def _jobs(text: str) -> int:
    count = int(text) if text.isdigit() else 0
    if not 1 <= count <= 256:
        raise argparse.ArgumentTypeError("must be a number from 1 to 256")
    return count
