"""All rows of all books in columns, and which of them hold for an address at a time, through a port, seen at a point of the network.

Rows are numbered by rank: sources that know holders before those that know regions, then the narrower range, the narrower ports, the
more exact point, the more believed, the newer. So the order of row numbers is the order of claims. Built once, then only read; numpy
sorts while building, and is not asked on the way to an answer.

It knows numbers: who a holder is stands in the books.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sensor.attribution.rows import ANY_PORT_FIRST, Columns, Point
from sensor.attribution.tree import Item, Tree

#: Different points of observation whose matching rows are remembered.
MOST_POINTS = 4096


class Index:
    """The rows in order of rank, with a tree over the addresses of each version of IP."""

    def __init__(self, columns: Columns, ranks: Sequence[int], strengths: Sequence[float], points: Sequence[Point]) -> None:
        """`ranks` and `strengths` are those of the books, `points` those that rows name by number.

        Raises TooManyCrossingsError where ranges cross each other beyond reason.
        """
        given = _arrays(columns)
        order = _rank(given, np.asarray(ranks, "i4"), np.asarray(strengths, "f8"), np.asarray([one.exactness for one in points], "i4"))
        kept: dict[str, Any] = {name: column[order] for name, column in given.items()}
        views: dict[str, memoryview[int]] = {name: memoryview(column) for name, column in kept.items()}
        self.version = views["version"]
        self._high = views["first_high"], views["last_high"]
        self._low = views["first"], views["last"]
        self.from_ns, self.until_ns = views["from_ns"], views["until_ns"]
        self.port_first, self.port_last = views["port_first"], views["port_last"]
        self.point, self.holder = views["point"], views["holder"]
        self.line, self.book = views["line"], views["book"]
        self.points = list(points)
        self._matching: dict[tuple[str, tuple[int, ...], str | None], frozenset[int]] = {}
        deeper = (self._ports, self._times)
        self._trees = {version: Tree(*_sorted(kept, version), deeper, wide=version == 6) for version in (4, 6)}
        self._has_ports = {version: _flagged(tree, kept["port_first"] != ANY_PORT_FIRST) for version, tree in self._trees.items()}

    def __len__(self) -> int:
        return len(self.version)

    def span(self, row: int) -> tuple[int, int, int]:
        """Version, first and last address of a row."""
        (first_high, last_high), (first, last) = self._high, self._low
        return self.version[row], first_high[row] << 64 | first[row], last_high[row] << 64 | last[row]

    def at(self, vrf: str, vlans: tuple[int, ...], interface: str | None) -> frozenset[int]:
        """The points whose rows answer a question that was seen there."""
        key = (vrf, vlans, interface)
        known = self._matching.get(key)
        if known is None:
            if len(self._matching) >= MOST_POINTS:
                self._matching.clear()
            known = frozenset(number for number, point in enumerate(self.points) if point.holds_for(vrf, vlans, interface))
            self._matching[key] = known
        return known

    def match(self, version: int, value: int, port: int, at_ns: int, points: frozenset[int]) -> list[int]:
        """Every row that holds, in order of rank; `port` is -1 where it is not known."""
        from_ns, until_ns, low, high, point = self.from_ns, self.until_ns, self.port_first, self.port_last, self.point
        found = [
            row
            for row in self._trees[version].candidates(value, port, at_ns)
            if low[row] <= port <= high[row] and from_ns[row] <= at_ns < until_ns[row] and point[row] in points
        ]
        found.sort()
        return found

    def covering(self, version: int, value: int) -> list[int]:
        """Every row of the address, whenever, through whichever port, wherever; in order of rank."""
        return sorted(set(self._trees[version].candidates(value, None, None)))

    def narrowed(self, version: int, value: int, at_ns: int, points: frozenset[int]) -> list[int]:
        """The rows that hold then and there for some ports of the address only."""
        if not self._has_ports[version][self._trees[version].innermost(value)]:
            return []
        return [
            row
            for row in self.covering(version, value)
            if self.port_first[row] != ANY_PORT_FIRST and self.from_ns[row] <= at_ns < self.until_ns[row] and self.point[row] in points
        ]

    def _ports(self, row: int) -> tuple[int, int]:
        return self.port_first[row], self.port_last[row]

    def _times(self, row: int) -> tuple[int, int]:
        return self.from_ns[row], self.until_ns[row] - 1


def _arrays(columns: Columns) -> dict[str, Any]:
    """The members of all rows, each as one array."""
    packed = np.frombuffer(bytes(columns.data), np.dtype([(name, f"={code}") for name, code in columns.MEMBERS]))
    return {name: np.ascontiguousarray(packed[name]) for name, _ in columns.MEMBERS}


def _rank(given: dict[str, Any], ranks: Any, strengths: Any, exactness: Any) -> Any:
    """The order of rows. Sizes of IPv6 ranges are compared as floating-point numbers: nearly equal ones count as equal."""
    book = given["book"]
    size = (given["last_high"] - given["first_high"]).astype("f8") * 2.0**64 + (given["last"].astype("f8") - given["first"].astype("f8"))
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


def _flagged(tree: Tree, rows: Any) -> bytearray:
    """For each node whether it, or one around it, has a row of these; a last entry for "no node" (-1)."""
    flags = bytearray(len(tree.parent) + 1)
    if len(tree.members):
        found = np.add.reduceat(rows[np.frombuffer(tree.members, "u4")], np.frombuffer(tree.start, "u4")[:-1])
        flags[: len(tree.parent)] = (found > 0).astype("u1").tobytes()
    for node, parent in enumerate(tree.parent):  # a node's parent was made before it
        if parent >= 0 and flags[parent]:
            flags[node] = 1
    return flags


def _sorted(kept: dict[str, Any], version: int) -> tuple[zip[Item], int]:
    """The ranges of one version by first address, wide ones first, and how many."""
    rows = np.flatnonzero(kept["version"] == version)
    part = {name: kept[name][rows] for name in ("first_high", "first", "last_high", "last")}
    order = np.lexsort((~part["last"], ~part["last_high"], part["first"], part["first_high"]))

    def numbers(name: str) -> list[int]:
        low = part[name][order].tolist()
        return low if version == 4 else [high << 64 | rest for high, rest in zip(part[f"{name}_high"][order].tolist(), low, strict=True)]

    return zip(numbers("first"), numbers("last"), rows[order].tolist(), strict=True), len(rows)
