"""The sections of the configuration that are of people: the audit, and the accounts of the console.

Shapes and bounds of values; knows nothing of what is done with them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sensor.model.ledger_url import ledger_url_mistake, shown_ledger_url
from sensor.model.section import Section
from sensor.settings.sections import Text


def _store_url(url: str) -> str:
    mistake = ledger_url_mistake(url)
    if mistake is not None:
        raise ValueError(f"{shown_ledger_url(url)}: {mistake}")
    return url


StoreUrl = Annotated[str, AfterValidator(_store_url)]


class AuditSettings(Section):
    """The audit: where its rows are (none: beside the ledger), by which hash they are chained, with which key its
    anchors are signed, and the file that each anchor is added to.
    """

    url: StoreUrl | None = None
    hash: Literal["sha256", "sm3"] = "sha256"
    key: Text | None = None
    anchors: Text | None = None


class PeopleSettings(Section):
    """The accounts of the console: where they are (none: beside the ledger), after how long without a page, and after
    how long in any case, whoever signed in has to do so again.
    """

    url: StoreUrl | None = None
    idle_minutes: Annotated[int, Field(ge=1, le=1_440)] = 30
    session_hours: Annotated[int, Field(ge=1, le=168)] = 12
