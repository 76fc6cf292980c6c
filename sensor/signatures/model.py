"""What a loaded signature is: gates, message rules, nodes, examples; and the set of all of them with its index by
method name.

Immutable once loaded. Knows the language of predicates only through compiled closures; knows no files and no sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from sensor.model.gate_opening import GateOpening
from sensor.model.naming import AlgorithmBasis
from sensor.signatures.agents import AgentTable
from sensor.signatures.devices import DeviceTable
from sensor.signatures.member_tests import Predicate
from sensor.signatures.message_values import MessageValues
from sensor.signatures.paths import Parts
from sensor.signatures.pools import PoolTable
from sensor.signatures.proofs import Proof
from sensor.signatures.resolvers import ResolverTable
from sensor.signatures.rule_index import RuleIndex
from sensor.signatures.sites import SiteWeights
from sensor.signatures.take import TakeRules
from sensor.signatures.wallet_forms import WalletBook
from sensor.signatures.weights import WeightTable
from sensor.signatures.work import Work

Side = Literal["miner", "pool"]
Outcome = Literal["accepted", "rejected", "none"]

MINER_KINDS = ("subscribe", "login", "submit", "getwork", "hashrate", "other")
POOL_KINDS = ("job", "target", "answer", "other")


@dataclass(frozen=True, slots=True)
class SignatureGate:
    """What the prefilter needs for this signature."""

    literals: tuple[bytes, ...] = ()
    openings: tuple[GateOpening, ...] = ()
    flights: tuple[tuple[int, int], ...] = ()  # bytes of a first flight and of its answer


@dataclass(frozen=True, slots=True)
class DialogueLine:
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
    dialogue: tuple[DialogueLine, ...]
    expects: tuple[Mapping[str, object], ...]
    counter: bool
    since_ns: int | None = None  # when it was spoken, where that matters


@dataclass(frozen=True, slots=True)
class ReplyRule:
    """How a reply to a miner's request is recognised, and what it means."""

    name: str
    when: Predicate
    outcome: Outcome
    job: bool  # it carries work
    take: TakeRules
    weight: int
    confirms: Literal["none", "own", "both"]
    constants: MessageValues
    proof: Proof


@dataclass(frozen=True, slots=True)
class MessageRule:
    """How one message of a dialect is recognised, who sends it, and what it gives."""

    name: str
    side: Side
    kind: str
    when: Predicate
    methods: tuple[str, ...]  # for the index; empty if the rule does not ask for a method
    take: TakeRules
    secrets: tuple[Parts, ...]
    weight: int
    confirms: Literal["none", "own", "both"]
    each: Parts | None
    every_job: bool  # a new target holds for jobs already given, too
    replies: tuple[ReplyRule, ...]
    answers: tuple[str, ...]
    outcome: Outcome
    constants: MessageValues
    proof: Proof
    basis: AlgorithmBasis = "proven"  # of the algorithm that the message names or sets
    by_algorithm: bool = False  # the elements of `each` are one job's difficulties, each for another algorithm
    needs: tuple[frozenset[str], ...] = (frozenset(),)  # members of a message, of which a set must be there


@dataclass(frozen=True, slots=True)
class CoinRule:
    """A form of login that names its coin, or (without a form) the algorithm of a coin that is named in words."""

    login: re.Pattern[str] | None
    coin: str | None
    algorithm: str | None
    basis: AlgorithmBasis = "stated"  # assumed: the login is a wallet, which says who is paid
    unknown: bool = False  # for logins of this form the dialect's habit does not hold


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
    gate: SignatureGate
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
    verify: str | None  # the scheme by which shares are recomputed, if they can be
    algorithm_basis: AlgorithmBasis = (
        "proven"  # assumed: the algorithm is a habit, others are spoken in this dialect too
    )
    fits: tuple[str, ...] = ()  # all algorithms that are spoken in this dialect, where the habit is not all
    framings: tuple[str, ...] = ()  # all it is spoken in, `framing` first
    sizes_only: bool = False  # recognised by sizes and first bytes of what is encrypted: never more than `behaves`

    job_methods: frozenset[str] = frozenset()  # of the messages that are its jobs
    by_algorithm: bool = False  # what a share of a job is worth hangs on the algorithm that the share names
    generic: bool = False  # reads what no other dialect does, by what all have in common
    _rules: RuleIndex[MessageRule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rules", RuleIndex([(rule, rule) for rule in self.messages]))

    @property
    def name(self) -> str:
        return self.header.name

    def rule_of(self, value: dict[str, object], framing: str) -> MessageRule | None:
        """The first of its rules that a message of this framing fits."""
        for rule in self._rules.candidates(value) if framing in self.framings else ():
            if rule.when(value):
                return rule
        return None


@dataclass(frozen=True, slots=True)
class Framing:
    """How messages are cut, with the gates and the replies that all its dialects share."""

    header: Header
    replies: tuple[ReplyRule, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a peer-to-peer protocol, recognised by its own bytes."""

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
class DatedTable:
    """One file of a table (agents, devices, pools, resolvers, wallets, weights, sites), the day its rows were last gone
    through, and whether it counts.
    """

    kind: str
    name: str  # as the file says, else its own name without the ending
    file: str
    line: int  # of the day, or of the first key
    rows: int
    dated: date | None  # None: the file does not say
    instead: str | None = None  # the file that stands in its place: none of its rows count


@dataclass(frozen=True, slots=True)
class SignatureSet:
    """Every signature in force, in order of id."""

    dialects: tuple[Dialect, ...]
    nodes: tuple[NodeSignature, ...]
    framings: tuple[Framing, ...]
    agents: AgentTable = field(default_factory=AgentTable)
    devices: DeviceTable = field(default_factory=DeviceTable)
    wallets: WalletBook = field(default_factory=WalletBook)
    pools: PoolTable = field(default_factory=PoolTable)
    resolvers: ResolverTable = field(default_factory=ResolverTable)
    weights: WeightTable = field(default_factory=WeightTable)
    sites: SiteWeights = field(default_factory=SiteWeights)
    tables: tuple[DatedTable, ...] = ()
    unknown: SignatureSet | None = None  # the generic dialect alone, with the same tables: not among `dialects`
    _by_framing: dict[str, RuleIndex[Match]] = field(default_factory=dict)
    _shares: dict[str, RuleIndex[Match]] = field(default_factory=dict)
    _shared_replies: dict[tuple[str, ...], tuple[ReplyRule, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        replies = {signature.header.name: signature.replies for signature in self.framings}
        for dialect in self.dialects:
            found = (replies.get(name, ()) for name in dialect.framings)
            self._shared_replies[dialect.framings] = tuple(reply for some in found for reply in some)
        for framing in sorted({name for dialect in self.dialects for name in dialect.framings}):
            rules: list[Match] = [
                (dialect, rule) for dialect in self.dialects if framing in dialect.framings for rule in dialect.messages
            ]
            self._by_framing[framing] = RuleIndex([(match[1], match) for match in rules])
            self._shares[framing] = RuleIndex([(match[1], match) for match in rules if match[1].kind == "submit"])

    def loaded(self) -> SignatureSet:
        """The set itself: it is a source of signatures (`sensor/signatures/source.py`) that is whole."""
        return self

    @property
    def headers(self) -> list[Header]:
        groups = (self.framings, self.dialects, self.nodes, self.generic)
        return [signature.header for group in groups for signature in group]

    @property
    def generic(self) -> tuple[Dialect, ...]:
        """The dialect of what no signature describes, if there is one."""
        return self.unknown.dialects if self.unknown is not None else ()

    def with_generic(self, generic: tuple[Dialect, ...]) -> SignatureSet:
        """The same set with this generic dialect."""
        alone = replace(self, dialects=generic, nodes=(), tables=(), _by_framing={}, _shares={})
        return replace(self, unknown=alone, _by_framing={}, _shares={})

    def without(self, name: str) -> SignatureSet:
        """The same set without the dialect of this name."""
        left = tuple(dialect for dialect in self.dialects if dialect.name != name)
        return replace(self, dialects=left, _by_framing={}, _shares={})

    @property
    def literals(self) -> list[bytes]:
        """The prefilter's literals, without repetition, in a fixed order."""
        return sorted({literal for header in self.headers for literal in header.gate.literals})

    @property
    def openings(self) -> list[GateOpening]:
        """The prefilter's openings. The first that fits wins: those that open at once, then the longest patterns."""
        unique = {opening for header in self.headers for opening in header.gate.openings}
        return sorted(unique, key=lambda o: (o.proto, o.waits, -len(o.pattern), *o[1:]))

    @property
    def flights(self) -> list[tuple[int, int]]:
        """Sizes of first flights, without repetition, in a fixed order; a Shape event names its row."""
        return sorted({flights for header in self.headers for flights in header.gate.flights})

    @property
    def names(self) -> list[bytes]:
        """Suffixes of the names that are asked for: those of pools, and those behind which names are hidden."""
        return sorted(name.encode() for name in {*self.pools.rows, *self.resolvers.rows})

    def shared_replies(self, dialect: Dialect) -> tuple[ReplyRule, ...]:
        """The replies that the dialect's framings share."""
        return self._shared_replies[dialect.framings]

    def is_share(self, value: dict[str, object], framing: str) -> bool:
        """Whether any dialect takes a message for a share."""
        index = self._shares.get(framing)
        return index is not None and any(rule.when(value) for _, rule in index.candidates(value))

    def match(self, value: dict[str, object], framing: str = "json-lines") -> list[Match]:
        """For each dialect of the framing the first rule this message fits."""
        index = self._by_framing.get(framing)
        found: list[Match] = []
        for match in () if index is None else index.candidates(value):
            if (not found or found[-1][0] is not match[0]) and match[1].when(value):
                found.append(match)
        return found
