"""Options that several commands share, with one name and one help each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Self

from sensor.model.case_state import STATES
from sensor.model.evidence import Grade

#: The highest number that an option takes.
MOST = 1_000_000_000
#: Cores, and where a replay may read captures as independent tasks.
ENGINES = ("auto", "compiled", "reference")
IN_TASKS = ("processes", "spark")
#: What somebody may do who speaks a mining protocol.
ACTIVITIES = ("mining", "attempt", "observer", "probe")


def add_persons(parser: argparse.ArgumentParser) -> None:
    """The option of every command that lists whose addresses were."""
    parser.add_argument("--persons", action="store_true", help="name persons too")


def add_language(parser: argparse.ArgumentParser) -> None:
    """The option of every command that speaks to the desk."""
    parser.add_argument(
        "--language",
        "--lang",
        choices=("zh", "en"),
        help="language of what is said; without it, output.language of the configuration, else the locale's",
    )


def add_line_options(parser: argparse.ArgumentParser) -> None:
    """The options of commands that run the line or read what it recorded."""
    add_configuration(parser)
    parser.add_argument("--engine", choices=ENGINES, help="core to use")
    add_line_diagnostics(parser)


def add_line_diagnostics(parser: argparse.ArgumentParser) -> None:
    """The options that show what a command that runs the line is set to, and what it met."""
    parser.add_argument("--dump-config", action="store_true", help="print the configuration in force and stop")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more: all rows, counters")


def add_configuration(parser: argparse.ArgumentParser) -> None:
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


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option of every command whose answer can be read by a program."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_ledger_url(parser: argparse.ArgumentParser) -> None:
    """The option of every command that reads a ledger."""
    parser.add_argument("--ledger", metavar="URL", help="the ledger; without it, ledger.url of the configuration")


def add_owner_filters(parser: argparse.ArgumentParser) -> None:
    """The options of lists by which whose something is, and how sure it is, can be asked for."""
    parser.add_argument("--state", metavar="STATE", choices=StateNames(), help="only cases in this state")
    parser.add_argument(
        "--division", metavar="CODE|NAME", help="only sites in this division (GB/T 2260), e.g. 320000, 3205 or 苏州市"
    )
    parser.add_argument("--enterprise", metavar="TEXT", help="only those whose name or code has this in it")
    parser.add_argument(
        "--grade", choices=[grade.label for grade in Grade], help="only what was seen with this grade or a higher one"
    )
    parser.add_argument(
        "--activity",
        choices=ACTIVITIES,
        default="mining",
        help="what they do: mining, or findings that are no mining: attempt, observer, probe",
    )
    parser.add_argument(
        "--text", metavar="TEXT", help="only those with this in anything that is shown of them, or in a case's history"
    )


def leave_to_parent(parser: argparse.ArgumentParser) -> None:
    """Options of a second word that the first one has too: not given here, they stay what they were there (argparse
    would put the defaults over them)."""
    for action in parser._actions:
        if action.option_strings:
            action.default = argparse.SUPPRESS


class StateNames(tuple[str, ...]):
    """The states as choices: completion lists the English names, and every spelling that a state has is taken."""

    __slots__ = ()

    def __new__(cls) -> Self:
        """All states."""
        return super().__new__(cls, STATES)

    def __contains__(self, text: object) -> bool:
        """Whether a text may be a state; which one, and what is wrong with it, the command says."""
        return isinstance(text, str)


def count_type(least: int) -> Callable[[str], int]:
    """A whole number that is not below another, as a type of an option."""

    def count(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text[:19]) <= MOST:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {MOST}")
        return int(text)

    return count
