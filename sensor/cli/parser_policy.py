"""The command line of policy: its actions, arguments and help."""

from __future__ import annotations

import argparse
from pathlib import Path

from sensor.cli.options import add_configuration, add_json, add_ledger_url, count_type
from sensor.model.policy import KINDS


def add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`minewatch policy`."""
    parser = commands.add_parser("policy", help="give signatures, tables, books and policy to many sensors")
    parser.description = (
        "Signed parcels from a centre to its sensors, through a compacted topic of Kafka (the section policy of the "
        "configuration). Each sensor proves a parcel, tries it as a reload does, and takes it up or refuses it."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    keys = actions.add_parser(
        "keys", help="make a pair of keys: the private one to sign with, the public one for sensors"
    )
    keys.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="the private key; FILE.pub is the public one"
    )
    publish = actions.add_parser("publish", help="check files as a sensor would, sign and publish them")
    publish.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a file, or a folder of files")
    withdraw = actions.add_parser("withdraw", help="what is installed at each sensor counts again")
    for action in (publish, withdraw):
        action.add_argument("--kind", choices=KINDS, required=True, help="what it is")
        action.add_argument("--key", type=Path, required=True, metavar="FILE", help="the private key to sign with")
        action.add_argument(
            "--group", default="all", metavar="NAME", help="parcels of a kind and group replace each other"
        )
        action.add_argument(
            "--sensor", action="append", metavar="ID", help="only this sensor; * and ? stand for any; may be repeated"
        )
        action.add_argument(
            "--as-version", type=count_type(1), metavar="N", help="its version; without it, one more than the highest"
        )
        action.add_argument("--why", default="", metavar="TEXT", help="what it is for, for the audit")
        add_json(action)
        add_ledger_url(action)
        add_configuration(action)
    show = actions.add_parser("show", help="what the topic holds, and what became of it at each sensor")
    add_json(show)
    add_ledger_url(show)
    add_configuration(show)
