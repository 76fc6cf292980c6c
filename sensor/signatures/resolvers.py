"""Hosts behind which names are hidden: resolvers asked over HTTPS, and outer names of encrypted hellos. Data.

Connections to them are counted and nothing else: they say where this sensor is blind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.model.domain import longest_suffix
from sensor.signatures.agents import CONFIDENCES
from sensor.signatures.devices import Broken
from sensor.signatures.located import YamlEntry

FILE_KEYS = ("kind", "name", "description", "references", "resolvers", "examples", "counterexamples")
ROW_KEYS = ("host", "hides", "source", "confidence")
#: DNS over HTTPS (RFC 8484), TLS Encrypted Client Hello.
HIDES = ("doh", "ech")


@dataclass(frozen=True, slots=True)
class ResolverExample:
    """A host and what it hides; None for a counterexample."""

    file: str
    line: int
    host: str
    hides: str | None


@dataclass(frozen=True, slots=True)
class ResolverTable:
    """All rows in force: what a host and all below it hide."""

    rows: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[ResolverExample, ...] = ()

    def hides(self, host: str) -> str | None:
        """What the longest suffix of whole labels hides; None for a name that no row has."""
        return longest_suffix(self.rows, host)

    def add(self, other: ResolverTable) -> ResolverTable:
        """Both; where a host stands in both, this one's row counts."""
        return ResolverTable({**other.rows, **self.rows}, self.examples + other.examples)

    def failures(self) -> list[Broken]:
        """Every example that does not hold."""
        return [
            Broken(example.file, example.line, example.host, f"hides {found!r}, expected {example.hides!r}")
            for example in self.examples
            if (found := self.hides(example.host)) != example.hides
        ]


def compile_resolvers(entry: YamlEntry, file: str) -> ResolverTable:
    """One file of resolvers."""
    entry.only(FILE_KEYS)
    rows: dict[str, str] = {}
    if "resolvers" not in entry.keys:
        entry.fail("resolvers is missing")
    for item in entry.keys["resolvers"].each() if "resolvers" in entry.keys else ():
        if item.is_map():
            item.only(ROW_KEYS)
            item.text("source")
            item.choice("confidence", CONFIDENCES)
            host = item.text("host").lower().strip(".")
            if "." not in host:
                item.fail("host must be a host name of at least two labels")
            if host in rows:
                item.fail(f"{host} stands twice")
            rows[host] = item.choice("hides", HIDES)
    examples = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(("host", "hides"))
            examples.append(ResolverExample(file, item.line, item.text("host"), item.choice("hides", HIDES)))
    if not examples:
        entry.fail("examples is missing: a file carries its own proof")
    for item in entry.keys["counterexamples"].each() if "counterexamples" in entry.keys else ():
        examples.append(ResolverExample(file, item.line, str(item.scalar), None))
    return ResolverTable(rows, tuple(examples))
