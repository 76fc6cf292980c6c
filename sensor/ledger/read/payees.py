"""Who is paid at a site: how many at most, and how many at least that are unrelated. Knows payments, no SQL.

One operator has accounts for several coins, a spare one, and several at one address; tenants have addresses of their
own. Both numbers are needed: calling a place a landlord's wants the lesser one, calling it one operator's the greater.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

#: A range of a book of so few addresses is one customer's: whoever mines in it is of one house.
ONE_CUSTOMERS = 16
#: Wallets of a site that are put together, of more only the first by name: logins cost a sender nothing, and so many
#: who are paid are many in any case.
MOST_WALLETS = 512


class Payment(NamedTuple):
    """A wallet or account that an address mines to, and by what algorithm ("": not known)."""

    wallet: str
    address: str
    algorithm: str


def payee_groups(payments: Iterable[Payment]) -> list[frozenset[str]]:
    """Wallets put together where they share an address and no algorithm: at most so many are paid."""
    algorithms: dict[str, set[str]] = defaultdict(set)
    addresses: dict[str, set[str]] = defaultdict(set)
    for payment in payments:
        algorithms[payment.wallet].add(payment.algorithm)
        addresses[payment.wallet].add(payment.address)
    groups: list[list[str]] = []
    for wallet in sorted(algorithms)[:MOST_WALLETS]:
        for group in groups:
            together = any(addresses[wallet] & addresses[other] for other in group)
            if together and not any(algorithms[wallet] & algorithms[other] for other in group):
                group.append(wallet)
                break
        else:
            groups.append([wallet])
    return [frozenset(group) for group in groups]


def tenant_groups(payments: Iterable[Payment], allocations: Mapping[str, str]) -> list[frozenset[str]]:
    """Wallets put together where they share an address or a small range of the book: at least so many are unrelated."""
    places: dict[str, set[Hashable]] = defaultdict(set)
    for payment in payments:
        places[payment.wallet].add(payment.address)
        allocation = allocations.get(payment.address)
        if allocation and 0 < extent(allocation) <= ONE_CUSTOMERS:
            places[payment.wallet].add(("range", allocation))
    return _joined(places)


def _joined(places: Mapping[str, set[Hashable]]) -> list[frozenset[str]]:
    """Groups of wallets that are linked by a place, also through others."""
    groups: list[tuple[set[str], set[Hashable]]] = []
    for wallet in sorted(places)[:MOST_WALLETS]:
        names, shared = {wallet}, set(places[wallet])
        apart = []
        for group in groups:
            if group[1] & shared:
                names |= group[0]
                shared |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (names, shared)]
    return [frozenset(names) for names, _ in groups]


def extent(allocation: str | None) -> int:
    """How many addresses an allocation has (a prefix, or first-last); 0 if that cannot be known."""
    first, dash, last = (allocation or "").partition("-")
    try:
        if dash:
            return int(ipaddress.ip_address(last.strip())) - int(ipaddress.ip_address(first.strip())) + 1
        return ipaddress.ip_network(first.strip(), strict=False).num_addresses
    except ValueError:
        return 0
