"""What every section of the configuration has in common. Knows no key."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys are mistakes, nothing is converted silently, and what was read does not change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LaterModels:
    """Marks what a field holds whose models are imported when there is something to check: slow ones that most
    configurations do not need."""

    @staticmethod
    def models() -> Sequence[type[BaseModel]]:
        """The models, imported now."""
        return ()
