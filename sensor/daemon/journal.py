"""The daemon's journal: sentences on standard error, each with a priority, none of them per packet.

Under systemd each line begins with its priority as `<N>`, which the journal takes off again (sd-daemon(3)). Elsewhere
each line begins as every sentence of a command does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import IO

#: What systemd sets for a process whose output goes to the journal: device and inode of that stream (systemd.exec(5)).
STREAM_VARIABLE = "JOURNAL_STREAM"


class Priority(IntEnum):
    """Severities of syslog (RFC 5424, section 6.2.1), the most severe first."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6

    @property
    def label(self) -> str:
        """Its name in the configuration."""
        return self.name.lower()


PRIORITIES = {priority.label: priority for priority in Priority}


class Journal:
    """Where a running sensor says what happened. Used by any thread; a stream that is gone is no trouble of ours."""

    def __init__(
        self, least: str = "info", stream: IO[str] | None = None, environment: Mapping[str, str] = os.environ
    ) -> None:
        """`least` is the least severe priority that is written, a name of PRIORITIES."""
        self._least = PRIORITIES[least]
        self._stream = stream if stream is not None else sys.stderr
        self._prefixed = goes_to_journal(self._stream, environment)

    def replace(self, least: str) -> None:
        """From now on this is the least severe priority that is written."""
        self._least = PRIORITIES[least]

    def error(self, sentence: str) -> None:
        """Something is lost, or the sensor cannot go on."""
        self._write(Priority.ERROR, sentence)

    def warning(self, sentence: str) -> None:
        """Trouble has begun, or something was refused."""
        self._write(Priority.WARNING, sentence)

    def notice(self, sentence: str) -> None:
        """What the operator wants to know on any day: a mine, an end of trouble, a reload."""
        self._write(Priority.NOTICE, sentence)

    def info(self, sentence: str) -> None:
        """What is useful when something else is looked into."""
        self._write(Priority.INFO, sentence)

    def _write(self, priority: Priority, sentence: str) -> None:
        if priority > self._least:
            return
        lines = sentence.splitlines() or [""]
        beginning = f"<{priority.value}>" if self._prefixed else "minewatch: "
        with contextlib.suppress(OSError, ValueError):
            self._stream.write("".join(f"{beginning}{line}\n" for line in lines))
            self._stream.flush()


def goes_to_journal(stream: IO[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this stream is the one that systemd connected to the journal."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get(STREAM_VARIABLE) == f"{status.st_dev}:{status.st_ino}"
