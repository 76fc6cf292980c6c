"""Addresses of a range: which of those that a viewer may see lie in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from sensor.ledger.read.lists.desk import DeskReader
from sensor.model.address import parse_network


def addresses_within(reader: DeskReader, asked: tuple[str, str] | None) -> list[str] | None:
    """The mining address that was asked for, or those of the range; None where neither was asked."""
    return within_range(asked, reader.every_address)


def within_range(asked: tuple[str, str] | None, every: Callable[[], list[str]]) -> list[str] | None:
    """The address that was asked for, or those of all that lie in the range; None where neither was asked."""
    if asked is None:
        return None
    kind, text = asked
    if kind == "address":
        return [text]
    network = parse_network(text)
    return [
        address
        for address, number in ((address, _parsed(address)) for address in every())
        if number is not None and number.version == network.version and number in network
    ]


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
