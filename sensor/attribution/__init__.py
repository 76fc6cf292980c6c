"""Attributor: from an address, a port and a time to the registered enterprise and its premises, or to an honest "unknown".

    books -> rows -> index          when it is loaded
    question -> claims -> answer    when it is asked, from memory alone

Each source is a file of the folder `sources`; README.md here describes the books. This package sees `sensor.model`, `sensor.sheets` and
nothing else of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.attribution.answer.attributor import Attributor
    from sensor.attribution.books import AttributionError

__all__ = ["AttributionError", "Attributor"]


def __getattr__(name: str) -> object:
    """Both come with numpy, which a command that asks nothing should not wait for."""
    if name == "Attributor":
        from sensor.attribution.answer import attributor

        return attributor.Attributor
    if name == "AttributionError":
        from sensor.attribution import books

        return books.AttributionError
    raise AttributeError(name)
