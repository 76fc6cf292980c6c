"""One allocation of one book, where in the network it holds, and many of them in columns while books are read.

A million rows as objects would take a gigabyte; as columns they take eighty megabytes. It knows no holder and no book.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from sensor.attribution.dates import ALWAYS, FOREVER

#: A row that states no ports holds for every port, also for a question without one (-1).
ANY_PORT_FIRST, ANY_PORT_LAST = -1, 65_535
#: The VRF of rows that hold in every VRF.
EVERY_VRF = "*"
_LOW = (1 << 64) - 1


class Point(NamedTuple):
    """Where in the network a row holds, or a question was seen."""

    vrf: str = ""  # empty: the global table
    vlan: int | None = None
    interface: str | None = None

    def holds_for(self, vrf: str, vlans: tuple[int, ...], interface: str | None) -> bool:
        """Whether a row of this point is asked by a question from there. What the question does not know excludes nothing, save the VRF."""
        if self.vrf not in (EVERY_VRF, vrf):
            return False
        if self.vlan is not None and vlans and self.vlan not in vlans:
            return False
        return self.interface is None or interface is None or self.interface == interface

    @property
    def exactness(self) -> int:
        """How much of the point is stated."""
        return (self.vrf != EVERY_VRF) + (self.vlan is not None) + (self.interface is not None)

    def holds(self, other: Point) -> bool:
        """Whether this point is the wider one, or the same."""
        return self.vrf in (EVERY_VRF, other.vrf) and self.vlan in (None, other.vlan) and self.interface in (None, other.interface)


class Row(NamedTuple):
    """One allocation of one book; `until_ns` is the first instant it no longer holds."""

    version: int
    first: int
    last: int
    holder: int
    line: int = 0
    from_ns: int = ALWAYS
    until_ns: int = FOREVER
    port_first: int = ANY_PORT_FIRST
    port_last: int = ANY_PORT_LAST
    point: int = 0


class Columns:
    """Rows while they are collected."""

    NAMES = (
        "first_high",
        "first",
        "last_high",
        "last",
        "from_ns",
        "until_ns",
        "port_first",
        "port_last",
        "point",
        "holder",
        "line",
        "book",
    )
    CODES = "QQQQqqiiiIIH"

    def __init__(self) -> None:
        self.version = array("B")
        self.arrays = [array(code) for code in self.CODES]
        self._appends = [column.append for column in self.arrays]

    def __len__(self) -> int:
        return len(self.version)

    def add(self, row: Row, book: int) -> None:
        """One row more."""
        version, first, last, holder, line, from_ns, until_ns, port_first, port_last, point = row
        self.version.append(version)
        values = (
            first >> 64, first & _LOW, last >> 64, last & _LOW,
            from_ns, until_ns, port_first, port_last, point, holder, line, book,
        )  # fmt: skip
        for append, value in zip(self._appends, values, strict=True):
            append(value)
