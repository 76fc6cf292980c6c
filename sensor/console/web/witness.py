"""The seam between the console and whoever keeps the audit: what somebody is about to be shown, before it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sensor.model.scope import Viewer


@dataclass(frozen=True)
class PageView:
    """A page, or a file, that is made and not yet sent."""

    viewer: Viewer
    route: str
    path: str
    asked: Mapping[str, str]  # what stood in the address bar, as it was written
    identities: tuple[str, ...]  # of the rows of its list; of one thing none: the path has it
    file_name: str | None = None  # of an export or a capture


class Witness(Protocol):
    """Called once a page, in a thread. What it raises keeps the page from being sent: a RefusalError with its sentence,
    anything else as a mistake of ours."""

    def saw(self, view: PageView) -> None:
        """Note it, before this returns."""
        ...
