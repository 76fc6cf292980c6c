"""Which names somebody asks for, and which domains of an address were told. docs/border.md, "Ordinary names"."""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence
from typing import Literal

from sensor.model.domain import host_text, longest_suffix, registrable
from sensor.model.encrypted import AddressNamed
from sensor.model.events import Event
from sensor.model.time import HOUR_NS

NameKind = Literal["listed", "ordinary", "no-host"]
#: An address that answers to so many domains is shared: nobody asks for more of them.
SHARED_BY = 3
#: Addresses whose domains are remembered, in each of two generations.
MAX_ADDRESSES = 32_768


class ListedNames:
    """Names that are asked for, by their suffixes of whole labels; None: any name is."""

    def __init__(self, suffixes: Iterable[bytes] | None = None) -> None:
        self._suffixes = None if suffixes is None else {bytes(suffix).decode("latin-1"): True for suffix in suffixes}

    @property
    def are_some(self) -> bool:
        """Whether there are names that nobody asks for."""
        return self._suffixes is not None

    def kind(self, name: bytes) -> NameKind:
        """What a name is as it was sent."""
        host = host_text(name)
        if not host:
            return "no-host"
        return "listed" if self._suffixes is None or longest_suffix(self._suffixes, host) else "ordinary"


class SentNames:
    """What becomes of names: which are asked for, by the tables in force; and of each address the domains that it
    answers to, each told once an hour, and three of them at most."""

    def __init__(self, listed: ListedNames, events: MutableSequence[Event], most: int = MAX_ADDRESSES) -> None:
        self.listed = listed
        self._events = events
        self._most = most
        self._newer: dict[bytes, tuple[int, set[str]]] = {}  # the hour, and the domains
        self._older: dict[bytes, tuple[int, set[str]]] = {}

    def note(self, name: bytes, addresses: Iterable[bytes], ts_ns: int) -> None:
        """These addresses answer to a name."""
        host = host_text(name)
        if not host:
            return
        domain = registrable(host) or host
        new = tuple(address for address in addresses if self._is_new(address, domain, ts_ns))
        if new:
            self._events.append(AddressNamed(ts_ns, host.encode(), new))

    def _is_new(self, address: bytes, domain: str, ts_ns: int) -> bool:
        hour = ts_ns // HOUR_NS
        if address not in self._newer:
            entry = self._older.pop(address, (hour, set()))
            if len(self._newer) >= self._most:
                self._older, self._newer = self._newer, {}
            self._newer[address] = entry
        told_hour, domains = self._newer[address]
        if told_hour != hour:
            domains = set()
            self._newer[address] = hour, domains
        if domain in domains or len(domains) == SHARED_BY:
            return False
        domains.add(domain)
        return True
