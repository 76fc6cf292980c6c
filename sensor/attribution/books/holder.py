"""Who holds an address by a book: a holder, a customer's account, a translator, or a table asked per address."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sensor.model.attribution import Claim


class RowHolder(NamedTuple):
    """Who holds the range of a row. Equal holders are kept once."""

    enterprise: int = -1  # number of a filing in the register
    site: int = -1
    subscriber: str = ""  # an account or circuit that a customer book may know
    machine: str = ""  # a network card or a host's name: no holder
    inner: str = ""  # the address behind a translator
    inner_vrf: str = ""
    translation: int = -1  # number of a computed translation
    shared: int = 0  # one of so many subscribers; -1: of an unknown number
    detail: tuple[tuple[str, str], ...] = ()


class Customer(NamedTuple):
    """Whose a subscriber's account is."""

    holder: RowHolder
    place: str
    from_ns: int
    until_ns: int


class LookupTable(Protocol):
    """A source that is asked address by address."""

    def claims(self, version: int, value: int) -> list[Claim]:
        """The claims about an address."""


class Translation(Protocol):
    """A computed mapping from outside address and port to the inside address."""

    @property
    def subscribers(self) -> int:
        """Inside addresses behind one outside address."""

    def inside(self, outside: int, port: int) -> int | None:
        """The inside address, or None where the port belongs to nobody by computation."""
