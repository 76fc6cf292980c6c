"""Bytes read from the front, as TLS writes them (RFC 8446 section 3): numbers, and vectors with their length before
them. What is not there raises `CutError`, which never leaves the readers of hellos and certificates.
"""

from __future__ import annotations


class CutError(Exception):
    """The bytes end before what they promise, or do not end with it."""


class ByteReader:
    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._at

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise CutError
        self._at += length
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def last_vector(self, width: int) -> bytes:
        """A vector that has to be all that is left."""
        found = self.vector(width)
        if self:
            raise CutError
        return found


def numbers(data: bytes) -> list[int]:
    """Numbers of two bytes."""
    if len(data) % 2:
        raise CutError
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
