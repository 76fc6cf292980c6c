"""The command line of `minewatch ledger`: its actions, their arguments and their help."""

from __future__ import annotations

import argparse

from sensor.cli.options import (
    StateNames,
    add_json,
    add_language,
    add_ledger_url,
    add_line_options,
    add_owner_filters,
    add_persons,
    count_type,
    leave_to_parent,
)
from sensor.model.case_state import STATES
from sensor.model.evidence import Grade


def add_ledger(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("ledger", help="cases and what became of them, and the mining list")
    parser.description = (
        "Cases: notified, under-check, rectifying, re-check, closed, relapsed, false-alarm; "
        "and the list of who mines where."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the cases that are open, overdue ones first")
    listed.add_argument("--all", action="store_true", help="closed ones and false alarms too")
    listed.add_argument("--overdue", action="store_true", help="only those whose next step should have been taken")
    listed.add_argument("--assigned", metavar="LOGIN", help="only those that are assigned to this account; or nobody")
    listed.add_argument("--address", metavar="ADDRESS", help="only those of this address")
    listed.add_argument("--since", metavar="DATE", help="only those that mined on this day, or at this time, or later")
    listed.add_argument("--until", metavar="DATE", help="only those that mined on this day, or before this time")
    listed.add_argument("--limit", type=count_type(1), metavar="N", help="show at most so many; the total is said")
    listed.add_argument("--offset", type=count_type(0), metavar="N", default=0, help="leave out the first so many")
    shown = actions.add_parser("show", help="one case with its history, or what is known of an address")
    shown.add_argument("what", metavar="CASE|ADDRESS")
    put = actions.add_parser("set", help="move a case on, or write a note into its history")
    put.add_argument("case", metavar="CASE|ADDRESS", help="number of a case, or the address of one open case")
    put.add_argument(
        "state",
        nargs="?",
        metavar="STATE",
        choices=StateNames(),
        help=f"{', '.join(STATES[1:])}; without one, the case stays where it is, and the text is noted",
    )
    put.add_argument("--why", metavar="TEXT", help="what was found or done; for a false alarm, what it really is")
    put.add_argument(
        "--who",
        metavar="NAME",
        help="who says so: a note beside the user of the system, who stands in the history in any case",
    )
    _add_case_commands(put)
    fetched = actions.add_parser("attachment", help="write an attachment of a case to a file")
    fetched.add_argument("case", metavar="CASE", help="number of a case")
    fetched.add_argument("number", metavar="NUMBER", type=count_type(1), help="of the attachment, as `show` has it")
    fetched.add_argument("--to", metavar="FILE", required=True, help="write there")
    export = actions.add_parser("export", help="the mining list of a period: a row for each address and algorithm")
    export.add_argument("--to", metavar="FILE", help="write there; without it, or with -, on standard output")
    export.add_argument(
        "--format", choices=("csv", "json", "stix"), help="without it, as the file's name says, else CSV"
    )
    export.add_argument(
        "--from",
        "--since",
        dest="since",
        metavar="DATE",
        help="first day, or time; without it, seven days before the end",
    )
    export.add_argument(
        "--until",
        metavar="DATE",
        help="last day, included, or the time where it ends; without it, the hour of the newest entry",
    )
    shared = _add_shared(actions)
    for action in (listed, export):
        add_owner_filters(action)
    for action in (listed, shown, put, export):
        add_persons(action)
    for action in (listed, shared, shown, put, export):
        add_language(action)
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
    backup = actions.add_parser("backup", help="copy the ledger as it is now; a sensor may go on writing it")
    backup.add_argument(
        "file", nargs="?", metavar="FILE", help="the copy, or a folder for it; without it, beside the ledger"
    )
    backup.add_argument(
        "--all",
        action="store_true",
        dest="whole",
        help="accounts, audit and attachments too, into a new folder, which is its owner's alone",
    )
    restore = actions.add_parser("restore", help="put a copy in the ledger's place; the former file is kept beside it")
    restore.add_argument(
        "file", metavar="FILE|FOLDER", help="what `ledger backup` wrote; no sensor, and no console, may be running"
    )
    move = actions.add_parser("move", help="copy ledger, accounts and audit into another database, which is empty")
    move.add_argument("to", metavar="URL", help="of PostgreSQL, or of a new file of SQLite; nothing may be running")
    checked = actions.add_parser("check", help="look whether the ledger is damaged, page by page and record by record")
    second_words = (sensor_actions.add_parser("list", help="all of them"), rename, retire)
    for action in (listed, shared, shown, backup, restore, move, checked, sensors, *second_words):
        add_json(action)
    for action in (
        *(listed, shared, shown, put, fetched, export, forget, backup, restore, move, checked, sensors),
        *second_words,
    ):
        add_ledger_url(action)
        add_line_options(action)
    for nested in second_words:
        leave_to_parent(nested)


def _add_shared(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """What several sensors, addresses or sites have in common."""
    shared = actions.add_parser(
        "shared", help="the payees, pools, names of rigs or enterprises that several sensors, addresses or sites share"
    )
    shared.add_argument(
        "--by",
        choices=("wallet", "pool", "worker", "enterprise"),
        default="wallet",
        help="what is shared: wallet or account (the default), pool, name of a rig, enterprise",
    )
    shared.add_argument("--name", metavar="NAME", help="only this one, exactly; an enterprise by its identity")
    for name, what in (("sensors", "sensors"), ("addresses", "addresses"), ("sites", "sites that are known")):
        shared.add_argument(
            f"--{name}",
            type=count_type(1),
            metavar="N",
            help=f"only what N {what} or more share; without any such number, what two of anything do",
        )
    shared.add_argument("--since", metavar="DATE", help="only findings of this day, or this time, or later")
    shared.add_argument("--until", metavar="DATE", help="only findings of this day, or before this time")
    shared.add_argument("--division", metavar="CODE|NAME", help="only sites in this division (GB/T 2260)")
    shared.add_argument(
        "--grade", choices=[grade.label for grade in Grade], help="only findings with this grade or a higher one"
    )
    shared.add_argument("--usual-names", action="store_true", help="names that everybody has (x, worker1), too")
    shared.add_argument(
        "--uncounted",
        action="store_true",
        help="attempts, observers, probes, donations, what is suppressed or too weak for figures, too",
    )
    shared.add_argument(
        "--limit", type=count_type(1), metavar="N", default=50, help="show at most so many (50); the total is said"
    )
    shared.add_argument("--offset", type=count_type(0), metavar="N", default=0, help="leave out the first so many")
    shared.add_argument("--format", choices=("text", "json", "csv"), default="text", help="form of the answer")
    return shared


def _add_case_commands(put: argparse.ArgumentParser) -> None:
    """What a case is told besides a state."""
    put.add_argument("--due", metavar="DATE|none", help="the day by which the step is due; none: as its state says")
    put.add_argument("--assign", metavar="LOGIN|nobody", help="whose work it is from now on")
    put.add_argument("--conclusion", metavar="WORD", help="what it was: mine, household, ...; docs/cases.md has all")
    put.add_argument(
        "--measure",
        action="append",
        default=[],
        metavar="WORD",
        help="what was done: power-cut, ...; docs/cases.md has all",
    )
    put.add_argument(
        "--machines",
        action="append",
        default=[],
        metavar="KIND=COUNT[:MODEL]",
        help="what was found at the place; kinds are asic, gpu, cpu, other",
    )
    put.add_argument("--hours", default="", metavar="H", help="hours that they ran, as was found at the place")
    put.add_argument("--kwh", default="", metavar="KWH", help="kilowatt-hours of those hours, as a meter has them")
    put.add_argument("--attach", metavar="FILE", help="a file for the case: PDF, picture, workbook, text or capture")
    put.add_argument("--remove", type=count_type(1), metavar="NUMBER", help="an attachment to remove")
    put.add_argument(
        "--steps", type=count_type(1), metavar="N", help="refuse it if the history does not have N steps any more"
    )
