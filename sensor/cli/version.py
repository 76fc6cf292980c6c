"""`minewatch version`: the version, the engine and Python's version."""

from __future__ import annotations

import argparse
import sys

from sensor.cli.frame import exit_on
from sensor.cli.json_text import print_json
from sensor.intake import engine
from sensor.model.exit_codes import CONFIG, OK
from sensor.model.version import VERSION


def run(options: argparse.Namespace) -> int:
    """Print them. Raises CommandError if the engine that was asked for is not there."""
    with exit_on(engine.EngineError, code=CONFIG):
        name = engine.describe()
    python = ".".join(str(part) for part in sys.version_info[:3])
    if options.json:
        print_json({"version": VERSION, "engine": name.partition(" ")[0], "engine_detail": name, "python": python})
    else:
        print(f"minewatch {VERSION}\nengine {name}\nPython {python}")
    return OK
