"""Reads signature files, shipped and the user's own, and refuses what is wrong in them: all mistakes at once, each with
file and line.

Knows where files lie and which keys each kind of file has; knows nothing of traffic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path, PurePath

from sensor.signatures import files
from sensor.signatures.agents import AgentTable, compile_agents
from sensor.signatures.device_files import compile_classes, compile_devices, compile_efficiencies
from sensor.signatures.devices import DeviceTable
from sensor.signatures.examples import compile_examples
from sensor.signatures.gates import compile_gate
from sensor.signatures.host_lists import with_lists
from sensor.signatures.language import compile_pattern
from sensor.signatures.located import Problems, YamlEntry, read
from sensor.signatures.messages import compile_messages, compile_replies
from sensor.signatures.model import (
    CoinRule,
    DatedTable,
    Dialect,
    Framing,
    Header,
    Network,
    NodeSignature,
    SignatureSet,
)
from sensor.signatures.pools import PoolTable, compile_pools
from sensor.signatures.precedence import by_precedence, without_replaced
from sensor.signatures.proofs import compile_scheme
from sensor.signatures.resolvers import ResolverTable, compile_resolvers
from sensor.signatures.signature_error import SignatureError
from sensor.signatures.sites import SiteWeights, compile_sites
from sensor.signatures.wallet_forms import WalletBook, compile_wallets
from sensor.signatures.weights import WeightTable, compile_weights
from sensor.signatures.work import compile_work

HEADER_KEYS = ("kind", "name", "id", "rev", "title", "description", "references", "gate", "examples", "counterexamples")
DIALECT_KEYS = (
    *HEADER_KEYS,
    "framing",
    "family",
    "coin",
    "algorithm",
    "algorithm_basis",
    "fits",
    "messages",
    "work",
    "coins",
    "verify",
    "sizes_only",
    "generic",
)
NODE_KEYS = (*HEADER_KEYS, "reader", "coin", "networks", "commands")
FRAMING_KEYS = (*HEADER_KEYS, "replies")
NODE_READERS = ("bitcoin", "levin", "rlpx", "discv4", "p2pool")

#: Kinds of files that hold rows and grow old, and the keys under which the rows stand.
TABLES = ("agents", "devices", "efficiencies", "classes", "pools", "resolvers", "wallets", "weights", "sites")
ROWS = (
    *("agents", "devices", "efficiencies", "classes", "pools", "forms", "coins", "donations", "marks"),
    *("spoken", "named", "behaved", "resolvers"),
)

Signature = Dialect | Framing | NodeSignature
Table = AgentTable | DeviceTable | WalletBook | PoolTable | ResolverTable | WeightTable | SiteWeights


def load(extra: Sequence[Path] = (), lists: Sequence[Path] = ()) -> SignatureSet:
    """The shipped signatures and those in `extra` (files, or folders of *.yaml), and the operator's lists of hosts.
    Raises SignatureError with every mistake found.
    """
    problems: list[str] = []
    texts = [*files.shipped(), *files.own(extra, problems)]
    return load_texts(texts, lists, problems)


def load_texts(
    texts: Sequence[files.SignatureFile], lists: Sequence[Path] = (), unread: Sequence[str] = ()
) -> SignatureSet:
    """The signatures in these texts. Raises SignatureError with every mistake found, first those of files that are
    `unread`.
    """
    problems = list(unread)
    loaded: list[Signature] = []
    agents, devices, wallets, pools, weights = AgentTable(), DeviceTable(), WalletBook(), PoolTable(), WeightTable()
    sites, resolvers = SiteWeights(), ResolverTable()
    parsed, tables = _parsed(texts, problems)
    for signature in parsed:
        if isinstance(signature, AgentTable):
            agents = signature.add(agents)  # the user's rows come before the shipped ones
        elif isinstance(signature, DeviceTable):
            devices = signature.add(devices)
        elif isinstance(signature, WalletBook):
            wallets = signature.add(wallets)
        elif isinstance(signature, PoolTable):
            pools = signature.add(pools)
        elif isinstance(signature, ResolverTable):
            resolvers = signature.add(resolvers)
        elif isinstance(signature, WeightTable):
            weights = signature.add(weights)
        elif isinstance(signature, SiteWeights):
            sites = signature.add(sites)
        elif signature is not None:
            loaded.append(signature)
    pools = with_lists(pools, lists, problems)
    loaded = without_replaced(loaded)
    _check_unique(loaded, problems)
    framings = [signature for signature in loaded if isinstance(signature, Framing)]
    names = {framing.header.name for framing in framings}
    for signature in loaded:
        for name in signature.framings if isinstance(signature, Dialect) else ():
            if name not in names:
                problems.append(
                    f"{signature.header.file}:1: framing {name!r} is not known; known are {', '.join(sorted(names))}"
                )
    if problems:
        raise SignatureError(problems)
    by_id = sorted(loaded, key=lambda signature: signature.header.id)
    dialects = [signature for signature in by_id if isinstance(signature, Dialect)]
    found = SignatureSet(
        dialects=tuple(dialect for dialect in dialects if not dialect.generic),
        nodes=tuple(signature for signature in by_id if isinstance(signature, NodeSignature)),
        framings=tuple(signature for signature in by_id if isinstance(signature, Framing)),
        agents=agents,
        devices=devices,
        wallets=wallets,
        pools=pools,
        weights=weights,
        sites=sites,
        resolvers=resolvers,
        tables=tables,
    )
    generic = tuple(dialect for dialect in dialects if dialect.generic)
    return found.with_generic(generic) if generic else found


def load_sites(extra: Sequence[Path] = ()) -> SiteWeights:
    """The weights of sites alone, shipped and in `extra`. Raises SignatureError with every mistake in their files."""
    problems: list[str] = []
    sites = SiteWeights()
    texts = [*files.shipped(("sites",)), *files.own(extra, problems)]
    of_sites = [(file, text) for file, text in texts if re.search(r"^kind:\s*[\"']?sites\b", text, re.MULTILINE)]
    for found in _parsed(of_sites, problems)[0]:
        sites = found.add(sites) if isinstance(found, SiteWeights) else sites
    if problems:
        raise SignatureError(problems)
    return sites


@cache
def shipped_sites() -> SiteWeights:
    """The weights of sites that are shipped."""
    return load_sites()


def _parsed(
    texts: Sequence[files.SignatureFile], problems: list[str]
) -> tuple[list[Signature | Table], tuple[DatedTable, ...]]:
    """What the files hold, without the tables in whose place another stands; and all tables, those too."""
    tables: list[DatedTable] = []
    found = [(file, parse(text, file, problems, tables)) for file, text in texts]
    placed = by_precedence(tables)
    out = {table.file for table in placed if table.instead is not None}
    return [signature for file, signature in found if signature is not None and file not in out], tuple(placed)


def parse(text: str, file: str, problems: list[str], tables: list[DatedTable]) -> Signature | Table | None:
    """One file's signature; None if it has mistakes, which are added to `problems`. A table is added to `tables`."""
    found = Problems(file)
    entry = read(text, file, found)
    signature: Signature | Table | None = None
    if entry is not None and entry.is_map():
        kind = entry.choice("kind", tuple(COMPILERS))
        if not found.sentences:  # of an unknown kind nothing more can be said
            if kind in TABLES:
                parts = [entry.keys[key] for key in ROWS if key in entry.keys]
                rows = sum(len(part.items) + len(part.keys) for part in parts)
                name = entry.keys["name"].scalar if "name" in entry.keys else None
                line = entry.keys.get("dated", entry).line
                named = str(name) if name else PurePath(file).stem
                tables.append(DatedTable(kind, named, file, line, rows, _dated(entry)))
            signature = COMPILERS[kind](entry, file)
    problems.extend(found.sentences)
    return None if found.sentences else signature


def _dated(entry: YamlEntry) -> date | None:
    """The day under `dated`, which no compiler has to know of."""
    stated = entry.keys.pop("dated", None)
    if stated is None:
        return None
    if isinstance(stated.scalar, date) and not isinstance(stated.scalar, datetime):
        return stated.scalar
    stated.fail("must be a day, as 2026-11-29")
    return None


def _check_unique(loaded: list[Signature], problems: list[str]) -> None:
    names: dict[tuple[bool, str], str] = {}  # a framing may be called as its only dialect is
    ids: dict[int, str] = {}
    for signature in loaded:
        header = signature.header
        name = (isinstance(signature, Framing), header.name)
        if name in names:
            problems.append(f"{header.file}:1: name {header.name!r} is already taken by {names[name]}")
        if header.id in ids:
            problems.append(f"{header.file}:1: id {header.id} is already taken by {ids[header.id]}")
        names.setdefault(name, header.file)
        ids.setdefault(header.id, header.file)
    generic = [signature.header for signature in loaded if isinstance(signature, Dialect) and signature.generic]
    for header in generic[1:]:
        problems.append(f"{header.file}:1: there is a generic dialect already: {generic[0].name}")


def _header(entry: YamlEntry, file: str, binary: bool) -> Header:
    name = entry.text("name")
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        entry.keys["name"].fail("must be lower-case letters, digits and hyphens")
    return Header(
        name=name,
        id=entry.number("id", None, 1, 999_999_999),
        rev=entry.number("rev", None, 1, 1_000_000),
        title=entry.text("title"),
        description=entry.text("description"),
        references=entry.texts("references"),
        file=file,
        gate=compile_gate(entry.keys.get("gate")),
        examples=compile_examples(entry, file, binary),
    )


def _dialect(entry: YamlEntry, file: str) -> Dialect:
    entry.only(DIALECT_KEYS)
    header = _header(entry, file, binary=False)
    framings = entry.texts("framing") if "framing" in entry.keys else (entry.text("framing"),)
    messages = compile_messages(entry)
    proofs = [rule.proof for rule in messages] + [reply.proof for rule in messages for reply in rule.replies]
    assumed = entry.choice("algorithm_basis", ("proven", "assumed"), "proven") == "assumed"
    return Dialect(
        header=header,
        framing=next(iter(framings), ""),
        family=entry.text("family", header.name),
        coin=entry.optional("coin"),
        algorithm=entry.optional("algorithm"),
        messages=messages,
        work=compile_work(entry.keys.get("work")),
        coins=_coins(entry),
        algorithm_basis="assumed" if assumed else "proven",
        fits=entry.texts("fits"),
        verify=compile_scheme(entry, proofs),
        by_algorithm=any(rule.by_algorithm for rule in messages),
        job_methods=frozenset(method for rule in messages if rule.kind == "job" for method in rule.methods),
        framings=framings,
        sizes_only="sizes_only" in entry.keys and entry.keys["sizes_only"].scalar is True,
        generic="generic" in entry.keys and entry.keys["generic"].scalar is True,
    )


def _coins(entry: YamlEntry) -> tuple[CoinRule, ...]:
    """`coins`: what a form of login says is mined, or the algorithm of a coin that is named in words."""
    rules = []
    for item in entry.keys["coins"].each() if "coins" in entry.keys else ():
        if not item.is_map():
            continue
        item.only(("login", "coin", "algorithm", "basis", "unknown"))
        pattern = compile_pattern(item.keys["login"]) if "login" in item.keys else None
        if pattern is None and "coin" not in item.keys:
            item.fail("login is missing")
        basis = item.choice("basis", ("stated", "assumed"), "stated")
        rules.append(
            CoinRule(
                pattern,
                item.optional("coin"),
                item.optional("algorithm"),
                "assumed" if basis == "assumed" else "stated",
                "unknown" in item.keys and item.keys["unknown"].scalar is True,
            )
        )
    return tuple(rules)


def _framing(entry: YamlEntry, file: str) -> Framing:
    entry.only(FRAMING_KEYS)
    return Framing(_header(entry, file, binary=False), compile_replies(entry.keys.get("replies")))


def _node(entry: YamlEntry, file: str) -> NodeSignature:
    entry.only(NODE_KEYS)
    networks = []
    for item in entry.keys["networks"].each() if "networks" in entry.keys else ():
        if item.is_map():
            item.only(("magic", "network", "coin"))
            magic = item.text("magic")
            if not re.fullmatch(r"([0-9a-fA-F]{2})+", magic):
                item.fail("magic must be bytes in hex, in quotes")
                magic = ""
            networks.append(Network(bytes.fromhex(magic), item.text("network"), item.text("coin")))
    return NodeSignature(
        header=_header(entry, file, binary=True),
        reader=entry.choice("reader", NODE_READERS),
        coin=entry.optional("coin"),
        networks=tuple(networks),
        commands=frozenset(entry.texts("commands")),
    )


COMPILERS: dict[str, Callable[[YamlEntry, str], Signature | Table]] = {
    "dialect": _dialect,
    "nodes": _node,
    "framing": _framing,
    "agents": compile_agents,
    "devices": compile_devices,
    "efficiencies": compile_efficiencies,
    "classes": compile_classes,
    "pools": compile_pools,
    "resolvers": compile_resolvers,
    "wallets": compile_wallets,
    "weights": compile_weights,
    "sites": compile_sites,
}
