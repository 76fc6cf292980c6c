"""The command line of `minewatch replay`."""

from __future__ import annotations

import argparse

from sensor.cli.options import ENGINES, IN_TASKS, add_configuration, add_language, add_line_diagnostics, add_persons
from sensor.model.sensor import REPLAY_SENSOR, valid_sensor_id


def add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command, its arguments and their help."""
    replay = commands.add_parser("replay", help="read captures and report who mines")
    replay.description = "Read captures (.pcap, .pcapng, also .gz, .zst, .xz, .bz2, .lz4) and report who mines."
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
    replay.add_argument(
        "--parquet", metavar="FILE", help="write the same events as a table of Parquet; needs the extra parquet"
    )
    replay.add_argument("--report", metavar="FILE", help="write a page to look at: HTML, all in one file")
    replay.add_argument("--stix", metavar="FILE", help="write the findings as a STIX 2.1 bundle")
    add_language(replay)
    add_persons(replay)
    replay.add_argument(
        "-j",
        "--jobs",
        type=_jobs,
        metavar="N",
        help="workers, of use up to the processors beyond two; of --engine processes, how many there are",
    )
    replay.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary")
    add_configuration(replay)
    replay.add_argument(
        "--engine",
        choices=(*ENGINES, *IN_TASKS),
        help="core to use; processes, spark: independent tasks, on this host or a cluster, by the configuration's core",
    )
    replay.add_argument(
        "--tasks",
        choices=("folder", "file"),
        help="what a task is: the captures of a folder in order of time (without it), or each capture by itself",
    )
    add_line_diagnostics(replay)


def _sensor_id(text: str) -> str:
    if not valid_sensor_id(text):
        raise argparse.ArgumentTypeError("must be 1 to 64 letters, digits, dots, hyphens or underscores")
    return text


def _jobs(text: str) -> int:
    count = int(text) if text.isdigit() else 0
    if not 1 <= count <= 256:
        raise argparse.ArgumentTypeError("must be a number from 1 to 256")
    return count
