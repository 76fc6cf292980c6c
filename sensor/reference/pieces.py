"""Bytes held at offsets with holes between them, where the first bytes to arrive win. Knows neither IP nor TCP."""

from __future__ import annotations

from bisect import bisect_left, bisect_right


class Pieces:
    """Disjoint pieces in order of offset. Adjacent ones stay apart: a piece is (part of) what one packet brought."""

    __slots__ = ("datas", "held_bytes", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.datas: list[bytes] = []
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self.starts)

    def end(self) -> int:
        """Where the last piece ends; 0 if none is held."""
        return self.starts[-1] + len(self.datas[-1]) if self.starts else 0

    def hold(self, offset: int, data: bytes) -> bool:
        """Keep what of `data` is not held yet; whether it differs where it overlaps what is."""
        first = bisect_right(self.starts, offset)
        if first and self.starts[first - 1] + len(self.datas[first - 1]) > offset:
            first -= 1
        last = bisect_left(self.starts, offset + len(data))
        pieces: list[tuple[int, bytes]] = []
        conflict = False
        for start, piece in zip(self.starts[first:last], self.datas[first:last], strict=True):
            if start > offset:
                pieces.append((offset, data[: start - offset]))
                self.held_bytes += start - offset
                data, offset = data[start - offset :], start
            held = piece[offset - start : offset - start + len(data)]
            conflict = conflict or held != data[: len(held)]
            data, offset = data[len(held) :], offset + len(held)
            pieces.append((start, piece))
        if data:
            pieces.append((offset, data))
            self.held_bytes += len(data)
        self.starts[first:last] = [start for start, _ in pieces]
        self.datas[first:last] = [piece for _, piece in pieces]
        return conflict

    def take_run(self) -> bytes:
        """Remove and give the pieces from the first up to the next hole."""
        count, end = 0, self.starts[0]
        while count < len(self.starts) and self.starts[count] == end:
            end += len(self.datas[count])
            count += 1
        run = b"".join(self.datas[:count])
        del self.starts[:count], self.datas[:count]
        self.held_bytes -= len(run)
        return run
