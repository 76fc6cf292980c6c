"""The coverage table of `minewatch signatures list`: what is looked for, how it is let in, how it is proven.

It reads compiled signatures and draws them with rich; it proves nothing and knows no traffic.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sensor.signatures.model import Dialect, Header, SignatureSet

#: Into a pipe or a file there is no width to fit.
PIPED_WIDTH = 160
#: With less than this the gate is left out, and a framing is named only if it is not the usual one.
ROOMY = 110
#: Coins and algorithms named in one cell unless everything is asked for.
MOST_NAMES = 4
USUAL = ("json-lines",)
#: Where the shipped files lie: others are named in the table.
SHIPPED = "signatures/"


@dataclass(frozen=True)
class TableTotals:
    """What the tables behind the signatures hold."""

    agents: int
    devices: int
    efficiencies: int
    wallets: int
    coins: int
    pools: int


def show(signatures: SignatureSet, everything: bool = False) -> None:
    """Print the table, fitted to the terminal or to COLUMNS; everything: titles whole, all names, the file of each."""
    columns = os.environ.get("COLUMNS", "")
    piped = int(columns) if columns.isdigit() and int(columns) >= 40 else PIPED_WIDTH
    console = Console(
        width=None if sys.stdout.isatty() else piped, highlight=False, soft_wrap=False, emoji=False, markup=False
    )
    roomy = console.width >= ROOMY
    console.print(_dialects((*signatures.dialects, *signatures.generic), roomy, everything))
    console.print()
    console.print(
        _others(
            "Node protocols (reported as nodes, never as mining)",
            [node.header for node in signatures.nodes],
            everything,
        )
    )
    console.print()
    console.print(
        _others(
            "Framings (how messages are cut; wrappings are read past)",
            [framing.header for framing in signatures.framings],
            everything,
        )
    )
    console.print()
    for line in summary(signatures):
        console.print(Text(line))


def summary(signatures: SignatureSet) -> list[str]:
    """The totals, in sentences."""
    headers = signatures.headers
    proofs = sum(not example.counter for header in headers for example in header.examples)
    counter = sum(example.counter for header in headers for example in header.examples)
    rows = totals(signatures)
    return [
        f"{len(signatures.dialects)} dialects, {len(signatures.nodes)} node protocols, "
        f"{len(signatures.framings)} framings: {proofs} examples, {counter} counterexamples",
        f"Tables: {rows.agents} agents, {rows.devices} devices, {rows.efficiencies} efficiencies by algorithm, "
        f"{rows.wallets} wallet forms, {rows.coins} coins by how they are mined, {rows.pools} names of pools",
        "Gate: l literals found anywhere, o openings of a stream, f sizes of first flights; "
        "shared: let in by others' gates.",
        "Proof: examples that must be found + counterexamples in which nothing may be found "
        "(minewatch signatures test).",
    ]


def totals(signatures: SignatureSet) -> TableTotals:
    """Rows of each table."""
    return TableTotals(
        agents=len(signatures.agents.rules),
        devices=len(signatures.devices.devices),
        efficiencies=len(signatures.devices.ranges),
        wallets=len(signatures.wallets.forms),
        coins=len({coin for coin, _ in signatures.wallets.coins}),
        pools=len(signatures.pools.rows),
    )


def _dialects(dialects: Iterable[Dialect], roomy: bool, everything: bool) -> Table:
    table = _table("Dialects")
    table.add_column("Name", no_wrap=True)
    table.add_column("What it is", overflow="fold", ratio=2)
    if roomy:
        table.add_column("Framings", overflow="fold", ratio=1)
    table.add_column("Coins, algorithms", overflow="fold", ratio=1)
    if roomy:
        table.add_column("Gate", no_wrap=True)
    table.add_column("Proof", no_wrap=True, justify="right")
    table.add_column("Id.rev", no_wrap=True, justify="right")
    for dialect in dialects:
        header, framings = dialect.header, ", ".join(dialect.framings)
        title = _title(header, everything)
        over = title if dialect.framings == USUAL else f"{title}, over {framings}"
        description = [title, framings] if roomy else [over]
        gate = [gated(header)] if roomy else []
        cells = (dialect.name, *description, _names(dialect, everything), *gate, _proof(header), _number(header))
        table.add_row(*map(Text, cells))
    return table


def _others(title: str, headers: Iterable[Header], everything: bool) -> Table:
    table = _table(title)
    for name, right in (("Name", False), ("What it is", False), ("Gate", False), ("Proof", True), ("Id.rev", True)):
        table.add_column(name, no_wrap=name != "What it is", overflow="fold", justify="right" if right else "left")
    for header in headers:
        cells = (header.name, _title(header, everything), gated(header), _proof(header), _number(header))
        table.add_row(*map(Text, cells))
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )


def gated(header: Header) -> str:
    """What lets its traffic in: `2 l 1 o`."""
    gate = header.gate
    counts = ((len(gate.literals), "l"), (len(gate.openings), "o"), (len(gate.flights), "f"))
    return " ".join(f"{count} {letter}" for count, letter in counts if count) or "shared"


def _title(header: Header, everything: bool) -> str:
    """The title without what stands in parentheses, or all of it; with its file if it is not shipped."""
    title = header.title if everything else header.title.partition(" (")[0]
    return f"{title} [{header.file}]" if everything or not header.file.startswith(SHIPPED) else title


def _proof(header: Header) -> str:
    counter = sum(example.counter for example in header.examples)
    return f"{len(header.examples) - counter} + {counter}"


def _number(header: Header) -> str:
    return f"{header.id}.{header.rev}"


def as_object(signatures: SignatureSet) -> dict[str, object]:
    """All that the table shows, for programs."""
    return {
        "signatures": [
            *(
                _object("dialect", dialect.header, dialect.framings, *_mined(dialect))
                for dialect in (*signatures.dialects, *signatures.generic)
            ),
            *(_object("node", node.header) for node in signatures.nodes),
            *(_object("framing", framing.header) for framing in signatures.framings),
        ],
        "tables": asdict(totals(signatures)),
    }


def _object(
    kind: str, header: Header, framings: Iterable[str] = (), coins: Iterable[str] = (), algorithms: Iterable[str] = ()
) -> dict[str, object]:
    counter = sum(example.counter for example in header.examples)
    return {
        "kind": kind,
        "name": header.name,
        "title": header.title,
        "id": header.id,
        "rev": header.rev,
        "file": header.file,
        "framings": list(framings),
        "coins": list(coins),
        "algorithms": list(algorithms),
        "literals": len(header.gate.literals),
        "openings": len(header.gate.openings),
        "flights": len(header.gate.flights),
        "examples": len(header.examples) - counter,
        "counterexamples": counter,
    }


def _mined(dialect: Dialect) -> tuple[list[str], list[str]]:
    """Every coin and algorithm the file itself names, sorted; wallets and jobs may name more."""
    replies = [reply.constants for rule in dialect.messages for reply in rule.replies]
    constants = [rule.constants for rule in dialect.messages] + replies
    coins = {dialect.coin, *(rule.coin for rule in dialect.coins), *(fields.get("coin") for fields in constants)}
    algorithms = {
        dialect.algorithm,
        *(rule.algorithm for rule in dialect.coins),
        *(fields.get("algorithm") for fields in constants),
    }
    return sorted(filter(None, coins)), sorted(filter(None, algorithms))


def _names(dialect: Dialect, everything: bool) -> str:
    coins, algorithms = _mined(dialect)
    found = [*coins, *algorithms]
    shown = (
        found if everything or len(found) <= MOST_NAMES else [*found[:MOST_NAMES], f"… {len(found) - MOST_NAMES} more"]
    )
    return ", ".join(shown) or "told by wallet or job"
