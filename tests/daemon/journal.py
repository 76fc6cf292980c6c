"""A journal whose sentences a test reads."""

from __future__ import annotations

import io

from sensor.daemon.journal import Journal


class WrittenJournal(Journal):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__("info", self.stream, {})

    @property
    def sentences(self) -> list[str]:
        return [line.removeprefix("minewatch: ") for line in self.stream.getvalue().splitlines()]
