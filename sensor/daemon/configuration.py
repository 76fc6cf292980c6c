"""The whole configuration: the sections of `sensor.settings`, and those that attribution, collecting and the exporters
own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sensor.attribution.settings import AttributionSettings
from sensor.collect.settings import CollectSettings
from sensor.delivery.settings import SECTION as EXPORTERS
from sensor.delivery.settings import read_section
from sensor.policy.settings import PolicySettings
from sensor.settings import config
from sensor.settings.config import ConfigLayer, Rooting
from sensor.settings.document import ConfigKey

if TYPE_CHECKING:
    from sensor.attribution.books.divisions import Division


class Configuration(config.SensorSettings):
    """Everything that can be configured."""

    attribution: AttributionSettings = AttributionSettings()
    #: Of `minewatch collect`; without it there is nothing to collect from.
    collect: CollectSettings | None = None
    #: What a centre gives to this sensor, or this centre to sensors; without it the sensor has what is installed.
    policy: PolicySettings | None = None

    def rooted(self, rooting: Rooting, place: Callable[[ConfigKey], str]) -> Self:
        """The same with every path of a file made whole."""
        whole = super().rooted(rooting, place)
        collect = self.collect and self.collect.rooted(rooting)
        policy = self.policy and self.policy.rooted(rooting)
        attribution = self.attribution.rooted(rooting, place)
        return whole.model_copy(update={"attribution": attribution, "collect": collect, "policy": policy})


#: Looks at a whole configuration, with the place of a key; a sentence for each mistake.
ConfigurationCheck = config.SettingsCheck[Configuration]


def load(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    check_region: bool = True,
    checks: Sequence[ConfigurationCheck] = (),
    layers: Sequence[ConfigLayer] = (),
) -> Configuration:
    """Read a file (or only the defaults) with `key=value` overrides over it. Raises ConfigError with every mistake.

    Without `check_region` whoever asks looks bulletin.region up, as that of a command. `checks` are held against it
    first. `layers` lie over the file.
    """
    held = (*checks, _region_mistakes) if check_region else checks
    return config.load(Configuration, path, overrides, {EXPORTERS: read_section}, held, layers)


def region_of(settings: Configuration) -> Division | None:
    """The division of bulletin.region as of today; None without one. Raises DivisionError if there is none of this
    code, and OSError or ValueError for an unreadable attribution.divisions."""
    region, local = settings.bulletin.region, settings.attribution.divisions
    if region is None:
        return None
    from sensor.attribution.books.divisions import Divisions  # the table of all divisions is slow to import

    return Divisions(Path(local) if local else None).division(region, datetime.now(UTC).year)


def _region_mistakes(settings: Configuration, place: Callable[[ConfigKey], str]) -> list[str]:
    if settings.bulletin.region is None:
        return []
    from sensor.attribution.books.divisions import DivisionError

    try:
        region_of(settings)
    except DivisionError as error:
        return [f"{place(('bulletin', 'region'))}: bulletin.region: {error}"]
    except (OSError, ValueError) as error:
        if settings.attribution.sources:  # loading the books says it
            return []
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        local = f"{settings.attribution.divisions}: {reason}" if isinstance(error, OSError) else reason
        return [f"{place(('attribution', 'divisions'))}: attribution.divisions: {local}"]
    return []
