"""One allocation of one book, where in the network it holds, and many of them in columns while books are read.

A million rows as objects would take a gigabyte; as columns they take eighty megabytes. It knows no holder and no book.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from sensor.sheets.dates import ALWAYS, FOREVER

#: A row that states no ports holds for every port, also for a question without one (-1).
ANY_PORT_FIRST, ANY_PORT_LAST = -1, 65_535
#: The VRF of rows that hold in every VRF.
EVERY_VRF = "*"
_LOW = (1 << 64) - 1


class RowPoint(NamedTuple):
    """Where in the network a row holds, or a question was seen."""

    vrf: str = ""  # empty: the global table
    vlan: int | None = None
    interface: str | None = None

    def holds_for(self, vrf: str, vlans: tuple[int, ...], interface: str | None) -> bool:
        """Whether a row of this point is asked by a question from there.

        What the question does not know excludes nothing, save the VRF.
        """
        if self.vrf not in (EVERY_VRF, vrf):
            return False
        if self.vlan is not None and vlans and self.vlan not in vlans:
            return False
        return self.interface is None or interface is None or self.interface == interface

    @property
    def exactness(self) -> int:
        """How much of the point is stated."""
        return (self.vrf != EVERY_VRF) + (self.vlan is not None) + (self.interface is not None)

    def holds(self, other: RowPoint) -> bool:
        """Whether this point is the wider one, or the same."""
        return (
            self.vrf in (EVERY_VRF, other.vrf)
            and self.vlan in (None, other.vlan)
            and self.interface in (None, other.interface)
        )


class Allocation(NamedTuple):
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
    """Rows while they are collected, each packed into the same few bytes."""

    #: Name and code (of numpy, which here are those of struct) of each member.
    MEMBERS = (
        ("first_high", "Q"), ("first", "Q"), ("last_high", "Q"), ("last", "Q"), ("from_ns", "q"), ("until_ns", "q"),
        ("port_first", "i"), ("port_last", "i"), ("point", "i"), ("holder", "I"), ("line", "I"), ("book", "H"),
        ("version", "B"),
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = bytearray()
        self._packed = Struct("=" + "".join(code for _, code in self.MEMBERS))

    def __len__(self) -> int:
        return len(self.data) // self._packed.size

    def add(self, row: Allocation, book: int) -> None:
        """One row more; times before ALWAYS or after FOREVER become these."""
        version, first, last, holder, line, from_ns, until_ns, port_first, port_last, point = row
        self.data += self._packed.pack(
            first >> 64,
            first & _LOW,
            last >> 64,
            last & _LOW,
            max(ALWAYS, min(from_ns, FOREVER)),
            max(ALWAYS, min(until_ns, FOREVER)),
            port_first,
            port_last,
            point,
            holder,
            line,
            book,
            version,
        )
