"""Which of a million intervals hold a number.

Cut where they cross, then nested, then flattened to a sorted array of borders.

Each elementary interval points at the innermost node that holds it, each node at the one around it, so one binary
search and a short walk outwards find every interval that holds a number, narrow ones first. Memory is linear in the
intervals, whatever their depth. A node that holds many rows (one address behind a NAT, thousands of port blocks over
months) gets trees of its own over ports and times.

It knows numbers and row ids, not what they mean. What it gives are candidates: of a small node all rows, so the caller
still checks.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush

#: Rows of a node that are looked through one by one; below some twenty that is as fast as another tree.
FEW_ROWS = 24
#: Intervals cut at crossings may grow in number; a book in which everything crosses everything is refused past this
#: many per row.
MOST_PIECES = 16
STRIDE_BITS = 16

Extent = Callable[[int], tuple[int, int]]  # of a row: its first and last number in one dimension
Item = tuple[int, int, int]  # first, last, row


class TooManyCrossingsError(Exception):
    """The intervals cross each other so often that cutting them would not end well; `row` is where that was noticed."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class Tree:
    """Nested intervals with their rows."""

    __slots__ = ("bounds", "inner", "members", "owner", "parent", "start", "strides")

    def __init__(self, items: Iterable[Item], count: int, deeper: Sequence[Extent] = (), bits: int = 63) -> None:
        """Build from `count` intervals sorted by (first, -last), of numbers of so many bits."""
        self.bounds: array[int] | list[int] = [] if bits > 63 else array("q")
        self.owner, self.parent = array("i"), array("i")
        self.start, self.members = array("I"), array("I")
        self.inner: dict[int, Tree] = {}
        self._nest(items, count * MOST_PIECES + 4096)
        self.start.append(len(self.members))
        #: Where the borders of each 65,536 numbers begin, of trees over 32-bit numbers: a search then has five steps in
        #: place of twenty.
        self.strides: array[int] = array("i")
        if count > FEW_ROWS and bits == 32:
            parts = range((1 << 32 - STRIDE_BITS) + 1)
            self.strides = array("i", [bisect_left(self.bounds, part << STRIDE_BITS) for part in parts])
        if deeper:
            self._deepen(deeper)

    def innermost(self, value: int) -> int:
        """The narrowest node that holds the value, -1 if none does."""
        strides = self.strides
        if not strides:
            return self.owner[bisect_right(self.bounds, value) - 1]
        part = value >> STRIDE_BITS
        return self.owner[bisect_right(self.bounds, value, strides[part], strides[part + 1]) - 1]

    def candidates(self, value: int, second: int | None = None, third: int | None = None) -> list[int]:
        """Rows whose interval holds the value, narrow ones first.

        As far as there are trees for it, their other intervals hold `second` and `third` (None: any).
        """
        node = self.innermost(value)
        members, start, parent, inner = self.members, self.start, self.parent, self.inner
        found: list[int] = []
        while node >= 0:
            if node in inner:
                found += set(inner[node].members) if second is None else inner[node].candidates(second, third)
            else:
                found += members[start[node] : start[node + 1]]
            node = parent[node]
        return found

    def _nest(self, items: Iterable[Item], most: int) -> None:
        bounds, owner, parent, start, members = self.bounds, self.owner, self.parent, self.start, self.members
        nodes: list[int] = []
        firsts: list[int] = []
        lasts: list[int] = []
        cut: list[Item] = []  # (first, -last, row) of what was cut off and comes later

        def border(at: int, node: int) -> None:
            if bounds and bounds[-1] == at:
                owner[-1] = node
            else:
                bounds.append(at)
                owner.append(node)

        for first, last, row in _merged(items, cut):
            while lasts and lasts[-1] < first:
                end = lasts.pop()
                nodes.pop()
                firsts.pop()
                border(end + 1, nodes[-1] if nodes else -1)
            if lasts and last > lasts[-1]:
                heappush(cut, (lasts[-1] + 1, -last, row))
                last = lasts[-1]
            if not (lasts and firsts[-1] == first and lasts[-1] == last):
                node = len(parent)
                parent.append(nodes[-1] if nodes else -1)
                start.append(len(members))
                nodes.append(node)
                firsts.append(first)
                lasts.append(last)
                border(first, node)
            members.append(row)
            if len(members) > most:
                raise TooManyCrossingsError(row)
        while lasts:
            end = lasts.pop()
            nodes.pop()
            border(end + 1, nodes[-1] if nodes else -1)
        if not bounds:
            border(0, -1)

    def _deepen(self, deeper: Sequence[Extent]) -> None:
        for node in range(len(self.parent)):
            rows = self.members[self.start[node] : self.start[node + 1]]
            if len(rows) <= FEW_ROWS:
                continue
            items = sorted(((*deeper[0](row), row) for row in rows), key=lambda item: (item[0], -item[1]))
            try:
                self.inner[node] = Tree(items, len(items), deeper[1:])
            except TooManyCrossingsError:
                continue  # looked through one by one: slow, and right


def _merged(items: Iterable[Item], cut: list[Item]) -> Iterator[Item]:
    """The sorted intervals, and between them, in the same order, the pieces that are cut off on the way."""
    for item in items:
        while cut and (cut[0][0], cut[0][1]) < (item[0], -item[1]):
            first, last, row = heappop(cut)
            yield first, -last, row
        yield item
    while cut:
        first, last, row = heappop(cut)
        yield first, -last, row
