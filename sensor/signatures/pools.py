"""Who is behind a name: pools, rental proxies and front ends by the suffix of the host that was asked for.

The rows are data. A name is a fact about the other end, never about mining: only messages make a finding.
Knows no sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sensor.model.domain import longest_suffix, registrable
from sensor.signatures.agents import CONFIDENCES
from sensor.signatures.devices import Broken
from sensor.signatures.located import YamlEntry

FILE_KEYS = ("kind", "name", "description", "references", "pools", "examples", "counterexamples")
ROW_KEYS = ("suffix", "name", "operator", "coins", "ports", "tls_ports", "serves", "stale", "source", "confidence")
EXAMPLE_KEYS = ("host", "name", "operator", "serves")
#: RFC 1035 section 2.3.4; a longer text is no host name.
MAX_HOST_TEXT = 255
#: What is behind a name: miners alone are sent there, pages and an api, or both; both where it is not known.
Serves = Literal["stratum", "web", "both"]
SERVES: tuple[Serves, ...] = ("stratum", "web", "both")
#: First labels of hosts that people and programs visit, whatever the rest of the name is.
WEB_LABELS = frozenset(("www", "api", "web", "app", "dashboard", "stats", "status", "docs", "blog", "help", "support"))


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """One row of the data."""

    suffix: str
    name: str
    operator: str
    coins: tuple[str, ...]
    ports: tuple[int, ...]
    tls_ports: tuple[int, ...]
    stale: bool  # closed, renamed, or not seen for long
    source: str
    confidence: str
    serves: Serves = "both"
    table: str = "pools"  # the name of the table that it stands in


@dataclass(frozen=True, slots=True)
class PoolExample:
    """A host and what it must be; nothing for a counterexample."""

    file: str
    line: int
    host: str
    expect: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class PoolTable:
    """All rows in force, by suffix."""

    rows: Mapping[str, PoolEntry] = field(default_factory=dict)
    examples: tuple[PoolExample, ...] = ()

    def lookup(self, host: str | None) -> PoolEntry | None:
        """The row of the longest suffix of whole labels; None for a name that no row knows. Case does not matter."""
        name = (host or "")[: MAX_HOST_TEXT + 1].rstrip(".")
        return longest_suffix(self.rows, name) if len(name) <= MAX_HOST_TEXT else None

    def add(self, other: PoolTable) -> PoolTable:
        """Both; where a suffix stands in both, this one's row counts."""
        return PoolTable({**other.rows, **self.rows}, self.examples + other.examples)

    def failures(self) -> list[Broken]:
        """Every example that does not hold."""
        wrong = []
        for example in self.examples:
            found = self.lookup(example.host)
            if example.expect is None and found is not None:
                wrong.append(Broken(example.file, example.line, example.host, f"must not be found: {found.name}"))
            for key, wanted in (example.expect or {}).items():
                actual = getattr(found, key) if found else None
                if actual != wanted:
                    wrong.append(
                        Broken(example.file, example.line, example.host, f"{key} is {actual!r}, expected {wanted!r}")
                    )
        return wrong


def may_serve_stratum(host: str) -> bool:
    """Whether a host can be for miners alone: a domain itself, and names like www and api, are visited by others."""
    return host != registrable(host) and host.partition(".")[0] not in WEB_LABELS


def compile_pools(entry: YamlEntry, file: str) -> PoolTable:
    """One file of pools."""
    entry.only(FILE_KEYS)
    rows: dict[str, PoolEntry] = {}
    if "pools" not in entry.keys:
        entry.fail("pools is missing")
    for item in entry.keys["pools"].each() if "pools" in entry.keys else ():
        if item.is_map():
            row = _row(item, entry.text("name", "pools"))
            if row.suffix in rows:
                item.fail(f"{row.suffix} stands twice")
            rows[row.suffix] = row
    examples = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(EXAMPLE_KEYS)
            expect = {key: value.scalar for key, value in item.keys.items() if key != "host"}
            examples.append(PoolExample(file, item.line, item.text("host"), expect))
    if not examples:
        entry.fail("examples is missing: a file carries its own proof")
    for item in entry.keys["counterexamples"].each() if "counterexamples" in entry.keys else ():
        examples.append(PoolExample(file, item.line, str(item.scalar), None))
    return PoolTable(rows, tuple(examples))


def _row(entry: YamlEntry, table: str) -> PoolEntry:
    entry.only(ROW_KEYS)
    suffix = entry.text("suffix").lower().strip(".")
    if "." not in suffix:
        entry.fail("suffix must be a host name of at least two labels, or an address")
    return PoolEntry(
        suffix=suffix,
        name=entry.text("name"),
        operator=entry.text("operator"),
        coins=entry.texts("coins"),
        ports=_ports(entry, "ports"),
        tls_ports=_ports(entry, "tls_ports"),
        stale="stale" in entry.keys and entry.keys["stale"].scalar is True,
        source=entry.text("source"),
        confidence=entry.choice("confidence", CONFIDENCES),
        serves=_serves(entry, suffix),
        table=table,
    )


def _serves(entry: YamlEntry, suffix: str) -> Serves:
    chosen = entry.choice("serves", SERVES, "both")
    if chosen == "stratum" and not may_serve_stratum(suffix):
        entry.keys["serves"].fail(f"{suffix} may have a web site: must be web or both, not stratum")
    return next(serves for serves in SERVES if serves == chosen)


def _ports(entry: YamlEntry, key: str) -> tuple[int, ...]:
    found = []
    for item in entry.keys[key].each() if key in entry.keys else ():
        if isinstance(item.scalar, int) and not isinstance(item.scalar, bool) and 0 < item.scalar < 65_536:
            found.append(item.scalar)
        else:
            item.fail("must be a port from 1 to 65535")
    return tuple(found)
