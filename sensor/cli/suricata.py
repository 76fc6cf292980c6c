"""Suricata's command line: its letters, given without a command, translated to the command they mean."""

from __future__ import annotations

import argparse
from pathlib import Path

from sensor.cli.parser import EPILOG

#: As a mistake names them.
COMMANDS = (
    "replay", "run", "status", "check", "signatures", "books", "explain", "ledger", "bulletin", "completion", "version"
)  # fmt: skip


def translate(arguments: list[str]) -> list[str]:
    """The arguments with a command in front. Those that begin with a command, or ask for help, stay as they are.

    Letters that mean no command end the process as argparse does: usage on standard error, exit code 2.
    """
    if not arguments or not arguments[0].startswith("-") or arguments[0] in ("-h", "--help"):
        return arguments
    letters = _letters()
    given, rest = letters.parse_known_args(arguments)
    dump = ["--dump-config"] if given.dump_config else []
    if given.version:
        return ["version", *(["--json"] if "--json" in rest else [])]
    if given.T or (dump and not given.r):
        return ["check", *rest, *dump]
    if given.r:
        eve = ["--eve", str(Path(given.l) / "eve.json")] if given.l else []
        return ["replay", *rest, *eve, *dump, "--", *given.r]
    if given.i:
        return ["run", *rest, *(part for name in given.i for part in ("-i", name)), *dump]
    return letters.error(f"nothing to do: give a command ({', '.join(COMMANDS)}), -r FILE, -i NAME, -T or -V")


def _letters() -> argparse.ArgumentParser:
    letters = argparse.ArgumentParser(
        prog="minewatch", epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, add_help=False
    )
    letters.add_argument("-r", action="append", default=[], metavar="FILE")
    letters.add_argument("-T", action="store_true")
    letters.add_argument("-V", "--version", action="store_true")
    letters.add_argument("-l", metavar="DIR")
    letters.add_argument("-i", action="append", default=[], metavar="NAME")
    letters.add_argument("--dump-config", action="store_true")
    return letters
