"""Events as lines of EVE JSON in a file or to a Unix socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from exporters.forms.event import dumps, encode
from exporters.settings import PATH, ExporterSettings, Timeout
from exporters.transports.lines import LineFile, LineSocket
from sensor.model.record import Record


class Config(ExporterSettings):
    """A file (`-`: standard output) or a Unix socket, under Suricata's names for them."""

    path: str = Field(min_length=1, json_schema_extra=PATH)
    filetype: Literal["regular", "unix_stream", "unix_dgram"] = "regular"
    timeout_s: Timeout = 5.0  # of a socket


class Sender:
    """Writes each event as one line."""

    repeat_s: float | None = None

    def __init__(self, settings: Config) -> None:
        regular = settings.filetype == "regular"
        stream = settings.filetype == "unix_stream"
        self.most = 1 if settings.filetype == "unix_dgram" else 500
        self._lines = LineFile(settings.path) if regular else LineSocket(settings.path, stream, settings.timeout_s)

    def send(self, records: Sequence[Record]) -> None:
        """Write the records; all lines are there, or OSError and none."""
        self._lines.write([dumps(encode(record)).encode() for record in records])

    def reopen(self) -> None:
        """Open the file again, since it was rotated."""
        self._lines.reopen()

    def close(self) -> None:
        """Close the file or the socket."""
        self._lines.close()
