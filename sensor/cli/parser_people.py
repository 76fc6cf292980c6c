"""The command line of the desk's people and of the audit: their actions, arguments and help."""

from __future__ import annotations

import argparse

from sensor.cli.options import add_configuration, add_json, add_ledger_url, count_type, leave_to_parent
from sensor.model.scope import ROLES

#: Days for which a token is good where nothing is said.
DEFAULT_DAYS = 90
DIVISION_HELP = "a division that it sees, by code or name of GB/T 2260; or all; may be repeated"


def add_people(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`minewatch people`."""
    parser = commands.add_parser("people", help="accounts of the console: who may sign in, as what, for what")
    parser.description = (
        "Accounts of the console. Roles: reader, officer and lead see the cases of their divisions; auditor reads the "
        "audit and changes nothing; admin manages accounts and sees no case."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="a new account; its password is asked for, or read from standard input")
    listed = actions.add_parser("list", help="all accounts")
    change = actions.add_parser("set", help="change role, divisions, name or language; what is not given stays")
    disable = actions.add_parser("disable", help="it cannot sign in any more, and its sessions end")
    enable = actions.add_parser("enable", help="it can sign in again")
    password = actions.add_parser("password", help="set a password, which must be changed at the next sign-in")
    revoke = actions.add_parser("revoke", help="end all of its sessions")
    revoke.add_argument("--tokens", action="store_true", help="its tokens, too")
    for action in (add, change, disable, enable, password, revoke):
        action.add_argument("login", metavar="LOGIN", help="1 to 64 of a-z, 0-9, dot, hyphen, underscore and @")
    for action, needed in ((add, True), (change, False)):
        action.add_argument("--role", choices=ROLES, required=needed, help="what it may do")
        action.add_argument("--division", action="append", metavar="CODE|NAME", help=DIVISION_HELP)
        action.add_argument("--name", metavar="NAME", help="the person's name; of a new account without it, the login")
        action.add_argument("--language", choices=("zh", "en"), help="language of the pages; without it, zh")
    add.add_argument("--no-password", action="store_true", help="it cannot sign in by a password")
    tidy = actions.add_parser("tidy", help="remove what is kept no longer; the console does it every day")
    tokens = actions.add_parser("tokens", help="tokens by which programs read in an account's name")
    token_actions = tokens.add_subparsers(dest="tokens", metavar="WORD")
    tokens_listed = token_actions.add_parser("list", help="all of them, or those of an account")
    tokens_listed.add_argument("login", nargs="?", metavar="LOGIN")
    token_add = token_actions.add_parser("add", help="a new one; it is shown once")
    token_add.add_argument("login", metavar="LOGIN")
    token_add.add_argument("--label", required=True, metavar="TEXT", help="what it is for")
    token_add.add_argument(
        "--scope",
        action="append",
        required=True,
        metavar="SCOPE",
        help="read:findings, read:cases, read:owners, read:figures or read:sensors; may be repeated",
    )
    token_add.add_argument(
        "--division", action="append", metavar="CODE|NAME", help="only this division; without it, those of the account"
    )
    token_add.add_argument(
        "--days", type=count_type(1), default=DEFAULT_DAYS, metavar="N", help="good for so long; 90, at most 366"
    )
    token_revoke = token_actions.add_parser("revoke", help="end one")
    token_revoke.add_argument("token", metavar="TOKEN", help="its number as `tokens list` shows it")
    second_words = (tokens_listed, token_add, token_revoke)
    for action in (listed, tidy, tokens, tokens_listed):
        add_json(action)
    for action in (add, listed, change, disable, enable, password, revoke, tidy, tokens, *second_words):
        add_ledger_url(action)
        add_configuration(action)
    for nested in second_words:
        leave_to_parent(nested)
    token_add.set_defaults(division=None, days=DEFAULT_DAYS)  # of its own, and of no parent's


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
