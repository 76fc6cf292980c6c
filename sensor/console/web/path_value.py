"""What stands in the path of a request, as it is understood."""

from __future__ import annotations

from typing import Any

from exporters.forms.documents.labels import N_
from sensor.console.refusal import RefusalError
from sensor.model.address import canonical

#: Characters of a piece of a path.
MOST_IN_PATH = 400
NOT_THERE = N_("There is no such page, or it is not yours to see.")


def path_value(name: str, text: str) -> Any:
    """The value of a piece of a path. Raises RefusalError: a malformed one is no page."""
    if not text.isprintable() or len(text) > MOST_IN_PATH:
        raise RefusalError(404, NOT_THERE)
    if name == "number":
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise RefusalError(404, NOT_THERE)
        return int(text)
    if name == "address":
        try:
            return canonical(text)
        except ValueError:
            raise RefusalError(404, NOT_THERE) from None
    return text
