"""What `minewatch ledger set` takes besides a state: the other commands to a case."""

from __future__ import annotations

import argparse

from sensor.cli.options import count_type
from sensor.model.casework import CONCLUSIONS, MACHINE_KINDS, MEASURES


def add_case_commands(put: argparse.ArgumentParser) -> None:
    """Add them."""
    put.add_argument("--due", metavar="DATE|none", help="the day by which the step is due; none: as its state says")
    put.add_argument("--assign", metavar="LOGIN|nobody", help="whose work it is from now on")
    put.add_argument("--conclusion", metavar="WORD", help=f"what it was: {', '.join(CONCLUSIONS)}")
    put.add_argument(
        "--measure", action="append", default=[], metavar="WORD", help=f"what was done: {', '.join(MEASURES)}"
    )
    put.add_argument(
        "--machines",
        action="append",
        default=[],
        metavar="KIND=COUNT[:MODEL]",
        help=f"what was found at the place; kinds are {', '.join(MACHINE_KINDS)}",
    )
    put.add_argument("--hours", default="", metavar="H", help="hours that they ran, as was found at the place")
    put.add_argument("--kwh", default="", metavar="KWH", help="kilowatt-hours of those hours, as a meter has them")
    put.add_argument("--attach", metavar="FILE", help="a file for the case: PDF, picture, workbook, text or capture")
    put.add_argument("--remove", type=count_type(1), metavar="NUMBER", help="an attachment to remove")
    put.add_argument(
        "--steps", type=count_type(1), metavar="N", help="refuse it if the history does not have N steps any more"
    )
