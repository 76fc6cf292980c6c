"""The command `minewatch`: arguments in, an exit code out.

Each command is the function `run` of the module of its name, imported when it is asked for: what needs nothing heavy
starts within a tenth of a second.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from sensor.cli.frame import CommandError, say
from sensor.cli.parser import parser
from sensor.cli.suricata import translate
from sensor.model.exit_codes import INTERRUPTED, RUN_ERROR


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (of the process's arguments, if none are given) and return its exit code."""
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader went away (`| head`): the interpreter must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return RUN_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(arguments: list[str]) -> int:
    options = parser().parse_args(translate(arguments))
    try:
        code: int = importlib.import_module(f"sensor.cli.{options.command}").run(options)
    except CommandError as error:
        for sentence in error.sentences:
            say(sentence)
        return error.code
    return code


if __name__ == "__main__":
    sys.exit(main())
