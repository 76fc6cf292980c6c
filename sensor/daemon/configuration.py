"""The whole configuration: the sections of `sensor.settings`, and those that attribution and the exporters own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from sensor.attribution.settings import AttributionSettings
from sensor.delivery.settings import SECTION as EXPORTERS
from sensor.delivery.settings import read_section
from sensor.settings import config
from sensor.settings.config import Rooting
from sensor.settings.document import ConfigKey


class Configuration(config.SensorSettings):
    """Everything that can be configured."""

    attribution: AttributionSettings = AttributionSettings()

    def rooted(self, rooting: Rooting, place: Callable[[ConfigKey], str]) -> Self:
        """The same with every path of a file made whole."""
        whole = super().rooted(rooting, place)
        return whole.model_copy(update={"attribution": self.attribution.rooted(rooting, place)})


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Configuration:
    """Read a file (or only the defaults) with `key=value` overrides over it. Raises ConfigError with every mistake."""
    return config.load(Configuration, path, overrides, {EXPORTERS: read_section})
