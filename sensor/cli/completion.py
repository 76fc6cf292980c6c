"""`minewatch completion bash|zsh|fish`: the completion of a shell, made from the parser.

A package brings it ready made beside this file; elsewhere shtab makes it.
"""

from __future__ import annotations

import argparse
from importlib import resources

from sensor.cli.frame import CommandError
from sensor.model.exit_codes import OK, RUN_ERROR

#: Where a package has what was made, by shell.
SHIPPED = "completion.{shell}"


def run(options: argparse.Namespace) -> int:
    """Print it. Raises CommandError where it was not made, and shtab is not there to make it."""
    shipped = resources.files("sensor.cli").joinpath(SHIPPED.format(shell=options.shell))
    print(shipped.read_text(encoding="utf-8") if shipped.is_file() else completion(options.shell), end="")
    return OK


def completion(shell: str) -> str:
    """The completion of a shell as text. Raises CommandError without shtab."""
    try:
        import shtab
    except ImportError:
        sentence = "completion: shtab is not installed: pip install 'minewatch[completion]'"
        raise CommandError(RUN_ERROR, sentence) from None
    from sensor.cli.parser import parser

    whole = parser()
    _complete_files(whole)
    text: str = shtab.complete(whole, shell=shell)
    return text if text.endswith("\n") else text + "\n"


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Say of every argument that is a file or a folder that it is one, by what it is called in its help."""
    import shtab

    kinds = {"FILE": shtab.FILE, "PATH": shtab.FILE, "DIR": shtab.DIRECTORY}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner)
        elif str(action.metavar) in kinds:
            action.complete = kinds[str(action.metavar)]  # type: ignore[attr-defined]
