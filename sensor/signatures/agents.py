"""What an agent string names: program, version, machine, class, stated rate, and whether it is a proxy.

The rows are data, the first match wins. An agent is chosen by whoever sends it: a hint with a source and a
confidence, never proof. Knows no sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.signatures.devices import Broken, per_second
from sensor.signatures.located import YamlEntry

FILE_KEYS = ("kind", "name", "description", "references", "agents", "examples")
ROW_KEYS = (
    "match",
    "software",
    "vendor",
    "class",
    "role",
    "algorithm",
    "algorithms",
    "device",
    "extract",
    "unit",
    "note",
    "source",
    "confidence",
)
EXAMPLE_KEYS = ("agent", "software", "version", "device", "class", "role", "algorithm", "nominal_hps")
ROLES = ("proxy", "aggregator", "gateway", "rental", "node")
CONFIDENCES = ("high", "medium", "low")
GROUPS = frozenset({"version", "device", "nominal"})
#: A version as most programs write it: after the name and a slash, hyphen or blank.
VERSION = re.compile(r"^[^/\s]*?[/\s_-]v?(\d[0-9A-Za-z.+_-]*)", re.IGNORECASE)
#: Rows are searched in no more of an agent than this; it is as much as is kept of it.
MAX_AGENT_TEXT = 256
#: Agent strings that are remembered with what they name.
MAX_REMEMBERED = 256
#: Above any machine; a string may state anything.
MAX_NOMINAL_HPS = 1e18


@dataclass(frozen=True, slots=True)
class Agent:
    """What one agent string names."""

    software: str
    version: str | None
    vendor: str | None
    device: str | None
    device_class: str | None  # "asic-sha256", "gpu", "cpu-or-gpu", ...
    role: str | None  # proxy, aggregator, gateway, rental, node; None for a program that mines itself
    algorithm: str | None  # the only one this machine works on
    algorithms: tuple[str, ...]  # all that the program computes, where they are few
    nominal_hps: float | None  # the rate the string states
    confidence: str


@dataclass(frozen=True, slots=True)
class AgentRule:
    """One row of the data."""

    match: re.Pattern[str]
    software: str
    vendor: str | None
    device_class: str | None
    role: str | None
    algorithm: str | None
    algorithms: tuple[str, ...]
    device: str | None
    extract: re.Pattern[str] | None
    unit_hps: float
    source: str
    confidence: str

    def read(self, agent: str) -> Agent:
        """The row applied to a string it matches."""
        found = self.extract.search(agent) if self.extract else None
        groups = {name: (text or "").strip() for name, text in found.groupdict().items()} if found else {}
        plain = VERSION.search(agent)
        device = groups.get("device") or self.device
        nominal = float(groups["nominal"]) * self.unit_hps if groups.get("nominal") else None
        return Agent(
            software=self.software,
            version=groups.get("version") or (plain[1] if plain and "version" not in groups else None),
            vendor=self.vendor,
            device=device,
            device_class=self.device_class,
            role=self.role,
            algorithm=self.algorithm,
            algorithms=self.algorithms,
            nominal_hps=nominal if nominal and nominal <= MAX_NOMINAL_HPS else None,
            confidence=self.confidence,
        )


@dataclass(frozen=True, slots=True)
class AgentExample:
    """A string and what must be read from it; what is not named is not checked."""

    file: str
    line: int
    agent: str
    expect: Mapping[str, object]
    rules: tuple[AgentRule, ...]  # those of its own file: another file's may come before them


@dataclass(frozen=True, slots=True)
class AgentTable:
    """All rows in force, in order."""

    rules: tuple[AgentRule, ...] = ()
    examples: tuple[AgentExample, ...] = ()
    _remembered: dict[str, Agent | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def lookup(self, agent: str | None) -> Agent | None:
        """What an agent string names, or None if no row knows it."""
        if not agent:
            return None
        text = agent[:MAX_AGENT_TEXT]
        if text not in self._remembered:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            read = next((rule.read(text) for rule in self.rules if rule.match.search(text)), None)
            self._remembered[text] = read
        return self._remembered[text]

    def add(self, other: AgentTable) -> AgentTable:
        """Both, the first before the other's."""
        return AgentTable(self.rules + other.rules, self.examples + other.examples)

    def failures(self) -> list[Broken]:
        """Every example that does not hold."""
        wrong = []
        for example in self.examples:
            found = AgentTable(example.rules).lookup(example.agent)
            for key, wanted in example.expect.items():
                actual = getattr(found, "device_class" if key == "class" else key) if found else None
                if actual != wanted:
                    wrong.append(
                        Broken(example.file, example.line, example.agent, f"{key} is {actual!r}, expected {wanted!r}")
                    )
        return wrong


def compile_agents(entry: YamlEntry, file: str) -> AgentTable:
    """One file of agents."""
    entry.only(FILE_KEYS)
    rules = []
    for item in entry.keys["agents"].each() if "agents" in entry.keys else ():
        if item.is_map():
            rule = _rule(item)
            if rule is not None:
                rules.append(rule)
    if "agents" not in entry.keys:
        entry.fail("agents is missing")
    examples = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(EXAMPLE_KEYS)
            expect = {key: value.scalar for key, value in item.keys.items() if key != "agent"}
            examples.append(AgentExample(file, item.line, item.text("agent"), expect, tuple(rules)))
    if not examples:
        entry.fail("examples is missing: a file carries its own proof")
    return AgentTable(tuple(rules), tuple(examples))


def _rule(entry: YamlEntry) -> AgentRule | None:
    entry.only(ROW_KEYS)
    match = _pattern(entry, "match")
    if match is None:
        if "match" not in entry.keys:
            entry.fail("match is missing")
        return None
    extract = _pattern(entry, "extract")
    for name in set(extract.groupindex) - GROUPS if extract else ():
        entry.keys["extract"].fail(f"group {name!r} is not one of {', '.join(sorted(GROUPS))}")
    unit = entry.optional("unit")
    scale = per_second(unit) if unit else 1.0
    if scale is None:
        entry.keys["unit"].fail("must be a unit such as GH/s or kSol/s")
    return AgentRule(
        match=match,
        software=entry.text("software"),
        vendor=entry.optional("vendor"),
        device_class=entry.optional("class"),
        role=entry.choice("role", ROLES) if "role" in entry.keys else None,
        algorithm=entry.optional("algorithm"),
        algorithms=entry.texts("algorithms"),
        device=entry.optional("device"),
        extract=extract,
        unit_hps=scale or 1.0,
        source=entry.text("source"),
        confidence=entry.choice("confidence", CONFIDENCES),
    )


def _pattern(entry: YamlEntry, key: str) -> re.Pattern[str] | None:
    if key not in entry.keys:
        return None
    try:
        return re.compile(entry.text(key), re.IGNORECASE)
    except re.error as error:
        entry.keys[key].fail(f"is not a regular expression: {error}")
        return None
