"""What every section of the configuration has in common. Knows no key."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys are mistakes, nothing is converted silently, and what was read does not change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
