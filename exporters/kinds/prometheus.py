"""Where the metrics are served, and who may read them. `forms/metrics.py` has the encoding, the daemon the server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from exporters.settings import PATH
from sensor.model.section import Section
from sensor.model.text import split_endpoint


class Config(Section):
    """Where the metrics are served. `listen` is address:port, an IPv6 address in brackets, none for all addresses."""

    listen: str = "127.0.0.1:9469"
    web_config_file: str | None = Field(
        default=None, min_length=1, json_schema_extra=PATH
    )  # as for Prometheus' --web.config.file
    stall_seconds: Annotated[int, Field(ge=5, le=3_600)] = (
        30  # a stage that does not move for so long makes /healthz fail
    )

    @field_validator("listen")
    @classmethod
    def _listen(cls, text: str) -> str:
        address(text)
        return text


def address(listen: str) -> tuple[str, int]:
    """Host and port of `listen`. Raises ValueError in one sentence."""
    parts = split_endpoint(listen)
    if parts is None:
        raise ValueError(f"must be address:port, such as 127.0.0.1:9469 or [::1]:9469, not {listen!r}")
    return parts
