"""The command `minewatch`: arguments in, an exit code out.

Each command is the function `run` of the module of its name, imported when it is asked for: what needs nothing heavy
starts within a tenth of a second.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence

from sensor.cli.frame import CommandError, os_reason, say
from sensor.cli.parser import COMMANDS, parser
from sensor.cli.streams import StdoutError, give_up_stdout, prepare_streams
from sensor.cli.suricata import translate
from sensor.model.exit_codes import INTERRUPTED, RUN_ERROR

#: OpenBLAS, which comes with numpy, starts a thread for each processor at its import, and nothing here multiplies
#: matrices. In a daemon those threads would stand outside of the sandbox.
THREADS_VARIABLE = "OPENBLAS_NUM_THREADS"
#: Looking for plugins of its own takes pydantic a fifth of its start, and code of anybody else has no place here.
PLUGINS_VARIABLE = "PYDANTIC_DISABLE_PLUGINS"
#: When Python looks for cycles (gc.set_threshold). Of a million objects that stay, looking at all of them each time a
#: step of the ledger has made some more is a quarter of the step; of a start with signatures it is a third.
COLLECTED_AFTER = (20_000, 20, 50)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command (of the process's arguments, if none are given) and return its exit code."""
    prepare_streams()
    gc.set_threshold(*COLLECTED_AFTER)
    os.environ[THREADS_VARIABLE] = "1"
    os.environ[PLUGINS_VARIABLE] = "__all__"
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader went away (`| head`): the interpreter must not complain at exit either.
        give_up_stdout()
        return RUN_ERROR
    except StdoutError as error:
        give_up_stdout()
        say(f"standard output: cannot be written: {os_reason(error)}")
        return RUN_ERROR
    except KeyboardInterrupt:
        return INTERRUPTED


def _dispatch(arguments: list[str]) -> int:
    try:
        options = _parsed(translate(arguments))
    except SystemExit:  # after help, or the usage after a mistake
        sys.stdout.flush()
        raise
    try:
        code: int = importlib.import_module(f"sensor.cli.{options.command}").run(options)
    except CommandError as error:
        for sentence in error.sentences:
            say(sentence)
        return error.code
    return code


def _parsed(arguments: list[str]) -> argparse.Namespace:
    """The options of a command. Names of files may stand behind options too: argparse gives a list of them all that
    stand together, and where an option stands first, none."""
    whole = parser(arguments[0] if arguments and arguments[0] in COMMANDS else None)  # of one alone, the others wait
    options, left = whole.parse_known_args(arguments)
    names = next((name for name in ("files", "paths") if isinstance(getattr(options, name, None), list)), None)
    if left and (names is None or any(text.startswith("-") and text != "-" for text in left)):
        whole.error(f"unrecognized arguments: {' '.join(left)}")
    if names is not None:
        getattr(options, names).extend(left)
    return options


if __name__ == "__main__":
    sys.exit(main())
