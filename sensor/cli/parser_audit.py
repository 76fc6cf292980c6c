"""The command line of `minewatch audit`: its actions, their arguments and their help."""

from __future__ import annotations

import argparse

from sensor.cli.options import add_configuration, add_json, add_ledger_url, count_type


def add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`minewatch audit`."""
    parser = commands.add_parser("audit", help="who looked at what and changed what, and whether that is whole")
    parser.description = (
        "The audit: rows that are chained to each other by their hashes. Tampering is evident, not impossible: "
        "what was cut off the end is found by an anchor that stands elsewhere."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    shown = actions.add_parser("show", help="the newest rows")
    shown.add_argument("--last", type=count_type(1), metavar="N", default=50, help="so many; without it, 50")
    shown.add_argument("--actor", metavar="TEXT", help="only of who has this in the name, e.g. account:li, system:root")
    shown.add_argument("--what", metavar="TEXT", help="only actions with this in their name, e.g. case.set")
    shown.add_argument("--object", metavar="TEXT", help="only those about this, e.g. case:7, address:192.0.2.17")
    shown.add_argument("--since", metavar="DATE", help="only those of this day, or time, or later")
    shown.add_argument("--until", metavar="DATE", help="only those of this day or before, or before this time")
    verify = actions.add_parser("verify", help="whether a row was changed, inserted, removed, moved or cut off")
    verify.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="FILE",
        help="anchors to hold it against: any text with their lines in it (syslog, a bulletin, audit.anchors); may be "
        "repeated; without it, audit.anchors of the configuration",
    )
    verify.add_argument(
        "--key", metavar="FILE", help="believe only anchors that this key signed; without it, audit.key"
    )
    anchor = actions.add_parser(
        "anchor", help="print the head of the chain, and send it to syslog and to audit.anchors where configured"
    )
    anchor.add_argument("--to", metavar="FILE", help="add the line to this file; without it, to audit.anchors")
    anchor.add_argument("--no-syslog", action="store_true", help="do not send it to the exporters of kind syslog")
    key = actions.add_parser("key", help="make a key that signs anchors, and its public half beside it")
    key.add_argument("file", metavar="FILE", help="the private key, a new file; the public one is FILE.pub")
    for action in (shown, verify, anchor):
        add_json(action)
        add_ledger_url(action)
    for action in (shown, verify, anchor, key):
        add_configuration(action)
