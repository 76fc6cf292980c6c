"""Texts made to fit: into so many characters or cells of a terminal, without what could steer one. Pure."""

from __future__ import annotations

from rich.cells import cell_len

from sensor.model.text import printable


def visible(text: str) -> str:
    """Text with a dot for each character that could steer a terminal."""
    return printable(text, "·")


def short(text: str, room: int) -> str:
    """Text of at most `room` characters, by leaving out its middle: both ends of a wallet are what people compare."""
    clean = visible(text)
    if len(clean) <= room:
        return clean
    tail = (room - 1) // 2
    return f"{clean[: room - 1 - tail]}…{clean[len(clean) - tail :]}"


def clipped(text: str, room: int) -> str:
    """Text of at most `room` characters, by leaving out its end: of a program's name the beginning says most."""
    clean = visible(text)
    return clean if len(clean) <= room else f"{clean[: room - 1]}…"


def fitted(text: str, room: int) -> str:
    """Text of at most `room` cells of a terminal, of which a Chinese character takes two, by leaving out its end."""
    clean = visible(text)
    if cell_len(clean) <= room:
        return clean
    while clean and cell_len(clean) >= room:
        clean = clean[:-1]
    return f"{clean}…"
