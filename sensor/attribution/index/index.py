"""All rows of all books in columns, and which of them hold for an address, a port, a time and an observation point.

Rows lie in the order of their addresses, so that those of one address are neighbours in memory. Their rank is a column:
sources that know holders before those that know regions, then the narrower range, the narrower ports, the more exact
point, the more believed, the newer. Built once, then only read; numpy sorts while building, and is not asked on the way
to an answer.

It knows numbers; who a holder is, the books know.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sensor.attribution.index.ranges import BITS
from sensor.attribution.index.rows import ANY_PORT_FIRST, Columns, RowPoint
from sensor.attribution.index.tree import STRIDE_BITS, Item, TooManyCrossingsError, Tree
from sensor.sheets.dates import ALWAYS, FOREVER

#: Different points of observation whose matching rows are remembered.
MOST_POINTS = 4096

#: Version, number of the address, port (-1: not known), time, points; further fields of a question do not matter here.
QuestionFields = tuple[int, int, int, int, frozenset[int], bool, frozenset[int] | None]


class CrossingError(Exception):
    """Ranges cross each other beyond reason; `book` and `line` are of a row among them."""

    def __init__(self, book: int, line: int) -> None:
        super().__init__(book, line)
        self.book, self.line = book, line


class Index:
    """The rows in order of rank, with a tree over the addresses of each version of IP."""

    def __init__(
        self, columns: Columns, ranks: Sequence[int], strengths: Sequence[float], points: Sequence[RowPoint]
    ) -> None:
        """`ranks` and `strengths` are those of the books, `points` those that rows name by number.

        Raises CrossingError where ranges cross each other beyond reason.
        """
        given = _arrays(columns)
        ranked = _rank(
            given,
            np.asarray(ranks, "i4"),
            np.asarray(strengths, "f8"),
            np.asarray([point.exactness for point in points], "i4"),
        )
        rank = np.empty(len(ranked), "i8")
        rank[ranked] = np.arange(len(ranked))
        order = np.lexsort(
            (rank, ~given["last"], ~given["last_high"], given["first"], given["first_high"], given["version"])
        )
        ordered: dict[str, Any] = {name: column[order] for name, column in given.items()}
        #: Where a row stands among all claims.
        self.rank = _array(rank[order])
        views = {name: _array(column) for name, column in ordered.items()}
        self.version = views["version"]
        self._high = views["first_high"], views["last_high"]
        self._low = views["first"], views["last"]
        self.from_ns, self.until_ns = views["from_ns"], views["until_ns"]
        self.port_first, self.port_last = views["port_first"], views["port_last"]
        self.point, self.holder = views["point"], views["holder"]
        self.line, self.book = views["line"], views["book"]
        self.points = list(points)
        #: Ranks below this number are of sources that know holders.
        self.holders = (
            int(np.count_nonzero(np.asarray(ranks, "i4")[ordered["book"]] == 0)) if len(ordered["book"]) else 0
        )
        self._matching: dict[tuple[str, tuple[int, ...], str | None], frozenset[int]] = {}
        deeper = (self._ports, self._times)
        try:
            self._trees = {version: Tree(*_sorted(ordered, version), deeper, bits=BITS[version]) for version in (4, 6)}
        except TooManyCrossingsError as error:
            raise CrossingError(self.book[error.row], self.line[error.row]) from None
        limited = ordered["port_first"] != ANY_PORT_FIRST
        self._ported = {
            version: _times_of(tree, limited, ordered["from_ns"], ordered["until_ns"])
            for version, tree in self._trees.items()
        }

    def __len__(self) -> int:
        return len(self.version)

    def span(self, row: int) -> tuple[int, int, int]:
        """Version, first and last address of a row."""
        (first_high, last_high), (first, last) = self._high, self._low
        return self.version[row], first_high[row] << 64 | first[row], last_high[row] << 64 | last[row]

    def within(self, inner: int, outer: int) -> int:
        """How a row's range lies to another's of the same version.

        0 not inside it, 1 the same, 2 inside and smaller.
        """
        (first_high, last_high), (first, last) = self._high, self._low
        if first_high[inner] != first_high[outer] or last_high[inner] != last_high[outer]:
            (_, low, high), (_, wide_low, wide_high) = self.span(inner), self.span(outer)
            return 2 if wide_low <= low <= high <= wide_high else 0
        if first[outer] > first[inner] or last[outer] < last[inner]:
            return 0
        return 1 if first[outer] == first[inner] and last[outer] == last[inner] else 2

    def at(self, vrf: str, vlans: tuple[int, ...], interface: str | None) -> frozenset[int]:
        """The points whose rows answer a question that was seen there."""
        key = (vrf, vlans, interface)
        matching = self._matching.get(key)
        if matching is None:
            if len(self._matching) >= MOST_POINTS:
                self._matching.clear()
            matching = frozenset(
                number for number, point in enumerate(self.points) if point.holds_for(vrf, vlans, interface)
            )
            self._matching[key] = matching
        return matching

    def holds(self, row: int) -> bool:
        """Whether a row is of a source that knows holders."""
        return self.rank[row] < self.holders

    def match(self, version: int, value: int, port: int, at_ns: int, points: frozenset[int]) -> list[int]:
        """Every row that holds, in order of rank; `port` is -1 where it is not known."""
        return self.look(version, value, port, at_ns, points)[0]

    def look(self, version: int, value: int, port: int, at_ns: int, points: frozenset[int]) -> tuple[list[int], bool]:
        """Every row that holds, in order of rank, and whether there may be others that hold for other ports.

        All of the hot path stands here in one piece: a call for each node, or a list between the steps, would cost a
        third more.
        """
        tree = self._trees[version]
        from_ns, until_ns, low, high, point = self.from_ns, self.until_ns, self.port_first, self.port_last, self.point
        members, start, parent, inner = tree.members, tree.start, tree.parent, tree.inner
        strides = tree.strides
        if strides:
            part = value >> STRIDE_BITS
            innermost = tree.owner[bisect_right(tree.bounds, value, strides[part], strides[part + 1]) - 1]
        else:
            innermost = tree.owner[bisect_right(tree.bounds, value) - 1]
        node = innermost
        found = []
        while node >= 0:
            rows = inner[node].candidates(port, at_ns) if node in inner else members[start[node] : start[node + 1]]
            for row in rows:
                if from_ns[row] <= at_ns < until_ns[row] and low[row] <= port <= high[row] and point[row] in points:
                    found.append(row)
            node = parent[node]
        if len(found) > 1:
            found.sort(key=self.rank.__getitem__)
        begin, end = self._ported[version]
        return found, begin[innermost] <= at_ns < end[innermost]

    def covering(self, version: int, value: int) -> list[int]:
        """Every row of the address, whenever, through whichever port, wherever; in order of rank."""
        return sorted(set(self._trees[version].candidates(value, None, None)), key=self.rank.__getitem__)

    def rows_of(self, version: int, value: int) -> list[int]:
        """The same rows in any order, some perhaps twice."""
        return self._trees[version].candidates(value, None, None)

    def narrowed(self, question: QuestionFields, holding: Sequence[int]) -> Iterator[int]:
        """The rows of holders that hold then and there for some ports of the address, and not for the question's."""
        version, value, _, at_ns, points, *_ = question
        from_ns, until_ns, port_first, point = self.from_ns, self.until_ns, self.port_first, self.point
        for row in self._trees[version].candidates(value, None, at_ns):
            if (
                from_ns[row] <= at_ns < until_ns[row]
                and port_first[row] != ANY_PORT_FIRST
                and self.rank[row] < self.holders
                and point[row] in points
                and row not in holding
            ):
                yield row

    def _ports(self, row: int) -> tuple[int, int]:
        return self.port_first[row], self.port_last[row]

    def _times(self, row: int) -> tuple[int, int]:
        return self.from_ns[row], self.until_ns[row] - 1


def _array(column: Any) -> array[int]:
    """A column as Python reads it fastest, item by item."""
    values = array(column.dtype.char if column.dtype.char not in "lL" else "qQ"["lL".index(column.dtype.char)])
    values.frombytes(column.tobytes())
    return values


def _arrays(columns: Columns) -> dict[str, Any]:
    """The members of all rows, each as one array."""
    packed = np.frombuffer(bytes(columns.data), np.dtype([(name, f"={code}") for name, code in columns.MEMBERS]))
    return {name: np.ascontiguousarray(packed[name]) for name, _ in columns.MEMBERS}


def _rank(given: dict[str, Any], ranks: Any, strengths: Any, exactness: Any) -> Any:
    """The order of rows.

    Sizes of IPv6 ranges are compared as floating-point numbers: nearly equal ones count as equal.
    """
    book = given["book"]
    size = (given["last_high"] - given["first_high"]).astype("f8") * 2.0**64 + (
        given["last"].astype("f8") - given["first"].astype("f8")
    )
    exact = given["version"] == 4
    size[exact] = (given["last"][exact] - given["first"][exact]).astype("f8")
    keys = (
        -given["from_ns"],
        -strengths[book] if len(book) else book,
        -exactness[given["point"]] if len(book) else book,
        given["port_last"] - given["port_first"],
        size,
        ranks[book] if len(book) else book,
    )
    return np.lexsort(keys)


def _times_of(tree: Tree, limited: Any, from_ns: Any, until_ns: Any) -> tuple[array[int], array[int]]:
    """For each node from when until when it, or a node around it, may have rows of some ports only.

    The last entry is for "no node" (-1).
    """
    count = len(tree.parent)
    begin, end = np.full(count + 1, FOREVER, "i8"), np.full(count + 1, ALWAYS, "i8")
    if len(tree.members):
        members, start = np.frombuffer(tree.members, "u4"), np.frombuffer(tree.start, "u4")[:-1]
        begin[:count] = np.minimum.reduceat(np.where(limited[members], from_ns[members], FOREVER), start)
        end[:count] = np.maximum.reduceat(np.where(limited[members], until_ns[members], ALWAYS), start)
    if limited.any():
        first, last, around = begin.tolist(), end.tolist(), tree.parent
        for node, parent in enumerate(around):  # a node's parent comes before it
            if parent >= 0:
                first[node], last[node] = min(first[node], first[parent]), max(last[node], last[parent])
        begin, end = np.array(first, "i8"), np.array(last, "i8")
    return _array(begin), _array(end)


def _sorted(columns: dict[str, Any], version: int) -> tuple[zip[Item], int]:
    """The ranges of one version by first address, wide ones first, and how many."""
    rows = np.flatnonzero(columns["version"] == version)

    def numbers(name: str) -> list[int]:
        low: list[int] = columns[name][rows].tolist()
        return (
            low
            if version == 4
            else [high << 64 | rest for high, rest in zip(columns[f"{name}_high"][rows].tolist(), low, strict=True)]
        )

    return zip(numbers("first"), numbers("last"), rows.tolist(), strict=True), len(rows)
