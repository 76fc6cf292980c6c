"""Attribution.

From an address, a port and a time to the registered enterprise and its premises, or to an honest "unknown".

    books -> rows -> index          when they are loaded (loader)
    question -> claims -> answer    when an address is asked for, from memory alone

Each source is a file of the folder `sources`; README.md here describes the books. This package sees `sensor.model`,
`sensor.sheets` and nothing else of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.attribution.answer.attributor import Attributor
    from sensor.attribution.books.book import AttributionError
    from sensor.attribution.loader import load_books

__all__ = ["AttributionError", "Attributor", "load_books"]


def __getattr__(name: str) -> object:
    """All of these come with numpy, which a command that asks nothing should not wait for."""
    if name == "Attributor":
        from sensor.attribution.answer import attributor

        return attributor.Attributor
    if name == "AttributionError":
        from sensor.attribution.books import book

        return book.AttributionError
    if name == "load_books":
        from sensor.attribution import loader

        return loader.load_books
    raise AttributeError(name)
