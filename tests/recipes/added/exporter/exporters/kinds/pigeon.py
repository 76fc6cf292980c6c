"""Events as small paper rolls in a folder, one file an event: the exporter that the test of the recipes adds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from exporters.forms.event import dumps, encode
from exporters.settings import PATH, ExporterSettings
from sensor.model.record import Record


class Config(ExporterSettings):
    """A folder that a keeper of pigeons empties."""

    loft: str = Field(min_length=1, json_schema_extra=PATH)
    letters: bool = False  # whether rolls are addressed by hand


class Sender:
    """Writes one roll for each event."""

    most = 20
    repeat_s: float | None = None

    def __init__(self, settings: Config) -> None:
        self._loft = Path(settings.loft)

    def send(self, records: Sequence[Record]) -> None:
        """Write the records; OSError where the loft cannot take them."""
        for record in records:
            event = encode(record)
            (self._loft / f"{event['event_id']}.json").write_text(dumps(event), encoding="utf-8")

    def reopen(self) -> None:
        """Nothing is held open."""

    def close(self) -> None:
        """Nothing is held open."""
