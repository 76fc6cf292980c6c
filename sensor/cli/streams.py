"""Standard streams that fail: closed from the start, or full. What fails there is told from a file that fails."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class StdoutError(OSError):
    """Standard output takes nothing more: a full disk, not a reader that went away."""


class _Output(io.FileIO):
    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise StdoutError(error.errno, error.strerror) from None


def prepare_streams() -> None:
    """Make errors of standard output their own kind, and put the null device where a process was started with closed
    streams (`>&-`): no file may be opened in their place, and whoever closes one wants to read nothing."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    stdout = sys.stdout
    if stdout is sys.__stdout__ and isinstance(stdout, io.TextIOWrapper):
        stdout.flush()
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(stdout.fileno(), "w", closefd=False)),
            encoding=stdout.encoding,
            errors=stdout.errors,
            line_buffering=stdout.line_buffering,
            write_through=stdout.write_through,
        )


def give_up_stdout() -> None:
    """Nothing more goes to standard output; the interpreter must not complain at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def private(path: str, flags: int) -> int:
    """An opener of `open`: what a command makes is the owner's and the group's, as the daemon's files are."""
    return os.open(path, flags, 0o640)
