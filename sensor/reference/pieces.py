"""Bytes held at offsets with holes between them, where the first bytes to arrive win. Knows neither IP nor TCP.

A piece may have a mark: a number of its packet that the caller wants back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable


class Pieces:
    """Disjoint pieces in order of offset. Adjacent ones stay apart: a piece is (part of) what one packet brought."""

    __slots__ = ("datas", "held_bytes", "marks", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.datas: list[bytes] = []
        self.marks: list[int | None] = []
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self.starts)

    def end(self) -> int:
        """Where the last piece ends; 0 if none is held."""
        return self.starts[-1] + len(self.datas[-1]) if self.starts else 0

    def hold(self, offset: int, data: bytes, mark: int | None = None) -> bool:
        """Keep what of `data` is not held yet; whether it differs where it overlaps what is."""
        first = bisect_right(self.starts, offset)
        if first and self.starts[first - 1] + len(self.datas[first - 1]) > offset:
            first -= 1
        last = bisect_left(self.starts, offset + len(data))
        pieces: list[tuple[int, bytes, int | None]] = []
        conflict = False
        there = zip(self.starts[first:last], self.datas[first:last], self.marks[first:last], strict=True)
        for start, piece, other in there:
            if start > offset:
                pieces.append((offset, data[: start - offset], mark))
                self.held_bytes += start - offset
                data, offset = data[start - offset :], start
            held = piece[offset - start : offset - start + len(data)]
            conflict = conflict or held != data[: len(held)]
            data, offset = data[len(held) :], offset + len(held)
            pieces.append((start, piece, other))
        if data:
            pieces.append((offset, data, mark))
            self.held_bytes += len(data)
        self.starts[first:last] = [start for start, _, _ in pieces]
        self.datas[first:last] = [piece for _, piece, _ in pieces]
        self.marks[first:last] = [other for _, _, other in pieces]
        return conflict

    def take_run(self, may_go: Callable[[int | None], bool] = lambda _mark: True) -> bytes:
        """Remove and give the pieces from the first up to the next hole, or to the first whose mark may not go."""
        count, end = 0, self.starts[0]
        while count < len(self.starts) and self.starts[count] == end and may_go(self.marks[count]):
            end += len(self.datas[count])
            count += 1
        run = b"".join(self.datas[:count])
        del self.starts[:count], self.datas[:count], self.marks[:count]
        self.held_bytes -= len(run)
        return run
