"""The configuration section `collect`: from which brokers, in which group, and what of it is bounded."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator

from exporters.transports.kafka import KafkaSettings
from sensor.delivery.settings import with_rooted_paths
from sensor.settings.config import Rooting


class CollectSettings(KafkaSettings):
    """Brokers and topic as the sensors' exporter `kafka` has them; the group that shares the partitions; how many
    reports one transaction has; how many messages that cannot be read are stored, and for how many days."""

    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")] = "minewatch-collect"
    batch_reports: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    batch_bytes: Annotated[int, Field(ge=65_536, le=1_073_741_824)] = 134_217_728
    batch_wait_ms: Annotated[int, Field(ge=1, le=10_000)] = 200
    dead_letters: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    dead_letters_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    #: address:port of /metrics, /healthz and /readyz; null: none.
    listen: str | None = None

    @field_validator("listen")
    @classmethod
    def _address(cls, listen: str | None) -> str | None:
        if listen is not None:
            _, colon, port = listen.rpartition(":")
            if not colon or not (port.isascii() and port.isdigit()) or not 0 <= int(port[:9]) < 65_536:
                raise ValueError("must be address:port, as 127.0.0.1:9470")
        return listen

    def rooted(self, rooting: Rooting) -> Self:
        """The same with every path of a file made whole."""
        return with_rooted_paths(self, rooting, ("collect",))
