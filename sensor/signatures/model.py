"""What a loaded signature is: gates, message rules, nodes, examples; and the set of all of them with its index by method name.

Immutable once loaded. Knows the language of predicates only through compiled closures; knows no files and no sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sensor.signatures.language import Parts, Predicate
from sensor.signatures.take import Take
from sensor.signatures.work import Work

Side = Literal["miner", "pool"]
Outcome = Literal["accepted", "rejected", "none"]
OpeningTuple = tuple[int, int, list[tuple[int, int]], int]

MINER_KINDS = ("subscribe", "login", "submit", "getwork", "hashrate", "other")
POOL_KINDS = ("job", "target", "answer", "other")


@dataclass(frozen=True, slots=True)
class Gate:
    """What the prefilter needs for this signature."""

    literals: tuple[bytes, ...] = ()
    openings: tuple[tuple[int, int, tuple[tuple[int, int], ...], int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an example's dialogue: who sent it (0 the originator) and its bytes."""

    direction: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Example:
    """A dialogue and what must be found in it; nothing for a counterexample."""

    name: str
    file: str
    line: int
    proto: int
    dialogue: tuple[Line, ...]
    expects: tuple[Mapping[str, object], ...]
    counter: bool


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """How a reply to a miner's request is told, and what it means."""

    name: str
    when: Predicate
    outcome: Outcome
    job: bool  # it carries work
    take: Take
    weight: int
    confirms: Literal["none", "own", "both"]
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MessageRule:
    """How one message of a dialect is told, who sends it, and what it gives."""

    name: str
    side: Side
    kind: str
    when: Predicate
    methods: tuple[str, ...]  # for the index; empty if the rule does not ask for a method
    take: Take
    secrets: tuple[Parts, ...]
    weight: int
    confirms: Literal["none", "own", "both"]
    each: Parts | None
    every_job: bool  # a new target holds for jobs already given, too
    replies: tuple[ReplyRule, ...]
    answers: tuple[str, ...]
    outcome: Outcome
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CoinRule:
    """A form of login that names its coin."""

    login: re.Pattern[str]
    coin: str | None
    algorithm: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """What every signature says about itself."""

    name: str
    id: int
    rev: int
    title: str
    description: str
    references: tuple[str, ...]
    file: str
    gate: Gate
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One mining protocol's variant."""

    header: Header
    framing: str
    family: str
    coin: str | None
    algorithm: str | None
    messages: tuple[MessageRule, ...]
    work: Work
    coins: tuple[CoinRule, ...]

    @property
    def name(self) -> str:
        return self.header.name


@dataclass(frozen=True, slots=True)
class Framing:
    """How messages are cut, with the gates and the replies that all its dialects share."""

    header: Header
    replies: tuple[ReplyRule, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a peer-to-peer protocol, told by its own bytes."""

    magic: bytes
    network: str
    coin: str


@dataclass(frozen=True, slots=True)
class NodeSignature:
    """A peer-to-peer protocol of full nodes; `reader` names the code that checks its header."""

    header: Header
    reader: str
    coin: str | None
    networks: tuple[Network, ...]
    commands: frozenset[str]

    @property
    def name(self) -> str:
        return self.header.name


Match = tuple[Dialect, MessageRule]


@dataclass(frozen=True, slots=True)
class SignatureSet:
    """Every signature in force, in order of id."""

    dialects: tuple[Dialect, ...]
    nodes: tuple[NodeSignature, ...]
    framings: tuple[Framing, ...]
    _by_method: dict[str, tuple[Match, ...]] = field(default_factory=dict)
    _any_method: list[Match] = field(default_factory=list)

    def __post_init__(self) -> None:
        rules: list[Match] = [(dialect, rule) for dialect in self.dialects for rule in dialect.messages]
        self._any_method.extend(match for match in rules if not match[1].methods)
        for method in sorted({method for _, rule in rules for method in rule.methods}):
            self._by_method[method] = tuple(match for match in rules if not match[1].methods or method in match[1].methods)

    @property
    def headers(self) -> list[Header]:
        return [one.header for group in (self.framings, self.dialects, self.nodes) for one in group]

    @property
    def literals(self) -> list[bytes]:
        """The prefilter's literals, without repetition, in a fixed order."""
        return sorted({literal for header in self.headers for literal in header.gate.literals})

    @property
    def openings(self) -> list[OpeningTuple]:
        """The prefilter's openings; the longest patterns first, because the first that fits wins."""
        unique = {opening for header in self.headers for opening in header.gate.openings}
        ordered = sorted(unique, key=lambda o: (o[0], -len(o[2]), o[1], o[2], o[3]))
        return [(proto, at, list(pattern), budget) for proto, at, pattern, budget in ordered]

    def match(self, value: dict[str, object]) -> list[Match]:
        """For each dialect the first rule this message fits."""
        method = value.get("method")
        candidates = self._by_method.get(method) if isinstance(method, str) else None
        found: list[Match] = []
        for dialect, rule in self._any_method if candidates is None else candidates:
            if (not found or found[-1][0] is not dialect) and rule.when(value):
                found.append((dialect, rule))
        return found
