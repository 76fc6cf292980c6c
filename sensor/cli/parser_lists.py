"""The command line of `minewatch lists`: its actions, their arguments and their help."""

from __future__ import annotations

import argparse


def add_lists(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command with its two actions."""
    lists = commands.add_parser("lists", help="check or renew lists of pools' hosts")
    lists.description = (
        "Look at lists of pools' hosts (names.lists of the configuration), or renew one from a file or an address that "
        "you name. Nothing else here asks the network."
    )
    actions = lists.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="name every mistake of a list with its line, and count what it says")
    check.add_argument("files", nargs="+", metavar="FILE", help="one host a line, or a table with a heading")
    refresh = actions.add_parser("refresh", help="take a newer list, if it has no mistake and is not half of the old")
    refresh.add_argument(
        "source", metavar="FILE|URL", help="the newer list: a file, or an address that begins https://"
    )
    refresh.add_argument("--to", required=True, metavar="FILE", help="the list in use, which is replaced as a whole")
    refresh.add_argument("--allow-shrink", action="store_true", help="even if more than half of the hosts are gone")
