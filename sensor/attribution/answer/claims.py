"""Rows of the index as claims: which range, since when, through which ports, who, and by which source.

It knows what a row states, not whether that decides anything.
"""

from __future__ import annotations

from sensor.attribution.books.book import Books
from sensor.attribution.books.holder import Customer, RowHolder
from sensor.attribution.index.index import Index
from sensor.attribution.index.ranges import range_text
from sensor.attribution.index.rows import ANY_PORT_FIRST, EVERY_VRF
from sensor.model.attribution import Claim, Enterprise, Site
from sensor.sheets.dates import ALWAYS, FOREVER

#: A claim on an enterprise that is known by its name alone counts this much less.
NAME_ONLY = 0.9


class Claims:
    """Makes claims of rows."""

    def __init__(self, books: Books, index: Index) -> None:
        self.books, self.index = books, index
        self.holders, self.enterprises, self.sites = books.holders, books.register.enterprises, books.register.sites

    def holder(self, row: int) -> RowHolder:
        """Who holds the range of a row."""
        return self.holders[self.index.holder[row]]

    def enterprise(self, holder: RowHolder) -> Enterprise | None:
        """The enterprise of a holder."""
        return self.enterprises[holder.enterprise] if holder.enterprise >= 0 else None

    def site(self, holder: RowHolder) -> Site | None:
        """The premises of a holder."""
        return self.sites[holder.site] if holder.site >= 0 else None

    def customer(self, subscriber: str, at_ns: int) -> Customer | None:
        """Whose an account was at a time; None also where customer books disagree."""
        customers = [
            customer
            for customer in self.books.customers.get(subscriber, ())
            if customer.from_ns <= at_ns < customer.until_ns
        ]
        holders = {customer.holder.enterprise for customer in customers}
        return customers[0] if len(holders) == 1 else None

    def claim(self, row: int) -> Claim:
        """A row as a claim that decides nothing: its `standing` is "context" and its `reason` empty."""
        index = self.index
        book = self.books.books[index.book[row]]
        holder = self.holder(row)
        enterprise = self.enterprise(holder)
        point = index.points[index.point[row]]
        from_ns, until_ns, port_first = index.from_ns[row], index.until_ns[row], index.port_first[row]
        strength = (
            book.strength
            if enterprise is None or enterprise.identified_by == "code"
            else round(book.strength * NAME_ONLY, 4)
        )
        return Claim(
            source=book.kind,
            place=book.place(index.line[row]),
            as_of_ns=book.as_of_ns,
            strength=strength,
            allocation=range_text(*index.span(row)),
            standing="context",
            reason="",
            enterprise=enterprise,
            site=self.site(holder),
            subscriber=holder.subscriber or None,
            valid_from_ns=None if from_ns == ALWAYS else from_ns,
            valid_until_ns=None if until_ns == FOREVER else until_ns,
            ports=None if port_first == ANY_PORT_FIRST else (port_first, index.port_last[row]),
            vrf=None if point.vrf in ("", EVERY_VRF) else point.vrf,
            vlan=point.vlan,
            interface=point.interface,
            detail=dict(holder.detail) if not holder.machine else {**dict(holder.detail), "machine": holder.machine},
        )

    def strength(self, row: int) -> float:
        """The strength of the row's book, 0 to 1."""
        return self.books.books[self.index.book[row]].strength

    def inside(self, inner: int, outer: int) -> bool:
        """Whether a row is properly the narrower.

        Its range, ports and point all lie in the other's, and one of them is less.
        """
        index = self.index
        lies = index.within(inner, outer)
        low, high, point = index.port_first, index.port_last, index.point
        if not lies or low[inner] < low[outer] or high[inner] > high[outer]:
            return False
        if point[inner] != point[outer]:
            return index.points[point[outer]].holds(index.points[point[inner]])
        return lies == 2 or low[inner] != low[outer] or high[inner] != high[outer]

    def narrower(self, inner: int, outer: int) -> bool:
        """Whether a row's range is smaller and lies in the other's, or is the same with fewer ports, at any point."""
        lies = self.index.within(inner, outer)
        (low, high), (wide_low, wide_high) = self._ports(inner), self._ports(outer)
        return lies == 2 or (lies == 1 and high - low < wide_high - wide_low)

    def identity(self, row: int, at_ns: int) -> str:
        """Two rows that name the same party have the same; empty for a row that names none."""
        holder = self.holder(row)
        if holder.subscriber:
            customer = self.customer(holder.subscriber, at_ns)
            if customer is None:
                return f"subscriber {holder.subscriber}"
            holder = customer.holder
        enterprise = self.enterprise(holder)
        if holder.inner or holder.translation >= 0:
            return f"inside {holder.inner_vrf} {holder.inner} {holder.translation}"
        if holder.shared:
            return "shared"
        return enterprise.enterprise_id if enterprise else ""

    def _ports(self, row: int) -> tuple[int, int]:
        return self.index.port_first[row], self.index.port_last[row]


def scope(claim: Claim) -> str:
    """What a claim speaks of: range, ports, VRF, VLAN, interface."""
    parts = [claim.allocation]
    if claim.ports:
        parts.append(
            f"ports {claim.ports[0]}-{claim.ports[1]}" if claim.ports[0] != claim.ports[1] else f"port {claim.ports[0]}"
        )
    parts += [
        f"{name} {value}"
        for name, value in (("VRF", claim.vrf), ("VLAN", claim.vlan), ("interface", claim.interface))
        if value is not None
    ]
    return ", ".join(parts)
