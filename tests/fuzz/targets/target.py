"""What a fuzz target is, and the form in which pieces of a conversation stand in one input."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.fuzz.mutation import mutated

#: Inputs are at most this long: more finds nothing new and is slow.
MAX_INPUT_BYTES = 65_536


class BrokenPropertyError(AssertionError):
    """An input after which something does not hold that must hold for all."""


@dataclass(frozen=True)
class Target:
    """One entrance that takes bytes from outside."""

    name: str
    #: Takes an input. What it raises is a find: whatever the input's own refusals are, it catches them itself.
    feed: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    #: Inputs of the short run in `make test`.
    short_runs: int = 150
    mutate: Callable[[random.Random, list[bytes]], bytes] = mutated


class Piece(NamedTuple):
    """Bytes of one direction of a conversation."""

    direction: int
    gap: int
    cut: bool  # given byte by byte
    joined: bool  # of the first piece: the start of the stream was not seen
    data: bytes


GAP_BYTES = 7


def script(pieces: Iterable[Piece]) -> bytes:
    """Pieces as an input: of each a byte of switches, its length, and its bytes."""
    return b"".join(
        bytes([piece.direction | bool(piece.gap) << 1 | piece.cut << 2 | piece.joined << 3])
        + len(piece.data).to_bytes(2, "big")
        + piece.data
        for piece in pieces
    )


def said(lines: Iterable[tuple[int, bytes]], *, cut: bool = False, joined: bool = False) -> bytes:
    """Whole messages of both directions as an input."""
    return script(Piece(direction, 0, cut, joined, data) for direction, data in lines)


def pieces_of(data: bytes) -> Iterator[Piece]:
    """The pieces of any input: every byte string is one."""
    at = 0
    while at + 3 <= len(data):
        switches, length = data[at], int.from_bytes(data[at + 1 : at + 3], "big")
        body = data[at + 3 : at + 3 + length]
        at += 3 + length
        whole = Piece(switches & 1, GAP_BYTES * (switches >> 1 & 1), bool(switches & 4), bool(switches & 8), body)
        if not whole.cut:
            yield whole
            continue
        for place in range(len(body)):
            yield whole._replace(gap=whole.gap if not place else 0, data=body[place : place + 1])
