"""Whose an address was: enterprise, site, and the claims they rest on. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: What a range is filed for, in the book that names its holder. "shared-pool": many subscribers' in turn or at once.
Service = Literal[
    "data-centre",
    "leased-line",
    "government-line",
    "personal-line",
    "website-line",
    "broadband",
    "mobile",
    "shared-pool",
    "network-equipment",
    "internet-of-things",
]


@dataclass(slots=True, frozen=True)
class Enterprise:
    """An organisation or a person that a book names. Equal `enterprise_id` means the same one, in every book."""

    enterprise_id: str  # the unified social credit code, or "name:" and a hash of the name
    name: str
    uscc: str | None  # unified social credit code, its checksum right
    category: str | None  # "enterprise", "government", "institution", "university", "data-centre", "individual", ...
    industry: str | None = None
    identified_by: Literal["code", "name"] = "name"  # a name alone is the weaker identity
    aliases: tuple[str, ...] = ()

    @property
    def individual(self) -> bool:
        """Whether this is a person, who is named in no document unless asked for."""
        return self.category == "individual"


@dataclass(slots=True, frozen=True)
class Site:
    """Premises: where an address is used."""

    address: str | None
    division: str | None  # six digits of GB/T 2260
    division_name: str | None = None


@dataclass(slots=True)
class Claim:
    """What one source says about an address, and why it counts as it does."""

    source: str  # the kind: inventory, leases, netbox, registry, routes, geo
    place: str  # file, and line where it has lines
    as_of_ns: int | None  # of when the source is
    strength: float  # 0..1
    allocation: str  # prefix or range the source speaks of
    standing: Literal["answer", "agrees", "wider", "conflict", "shared", "machine", "context"]
    reason: str
    enterprise: Enterprise | None = None
    site: Site | None = None
    subscriber: str | None = None
    valid_from_ns: int | None = None
    valid_until_ns: int | None = None
    ports: tuple[int, int] | None = None
    vrf: str | None = None
    vlan: int | None = None
    interface: str | None = None
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Attribution:
    """Whose address that was, at that time, through that port: the answer, the claims that it rests on, and those
    against it.
    """

    address: str
    port: int | None
    at_ns: int
    result: Literal["named", "shared", "conflict", "unknown"]
    enterprise: Enterprise | None
    site: Site | None
    claims: tuple[Claim, ...]  # strongest first
    reasons: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class HolderStretch:
    """Whose an address was from one moment until before another: in it the books say one thing."""

    from_ns: int
    to_ns: int
    attribution: Attribution
    wholly: bool = False  # whether the address was its holder's then by every port
