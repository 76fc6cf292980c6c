"""What speaks for a kind of place, as data (signatures/sites): priors, bits of each mark, and the limits from which a
mark holds, each with where its number comes from.

Knows numbers and names; which marks a site has is `sensor/cases/site_class.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from sensor.model.summary import Kind
from sensor.signatures.located import YamlEntry

#: All kinds but "unclear", which is what is left.
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "unclear")
#: "unclear" stands for all that is in no list: the best kind must be likelier than that as well.
PRIORS: tuple[Kind, ...] = (*KINDS, "unclear")
LIMITS = (
    "least-confidence", "many-machines", "several-machines", "farm-power-kw", "home-power-kw", "campaign-enterprises",
    "many-tenants", "many-accounts", "day-and-night", "seldom", "most-of-range", "corner-of-range",
)  # fmt: skip
MARKS = (
    "many-machines", "many-computers", "several-machines", "few-machines", "mostly-asics", "mostly-processors",
    "processors-alone", "mostly-graphics-cards", "cards-at-times", "cards-hours-unknown", "farm-power", "home-power",
    "carries-for-others", "aggregator", "campaign", "elsewhere", "single-payee", "two-tenants",
    "many-tenants", "payees-together", "day-and-night", "seldom", "most-of-range", "corner-of-range",
    "data-centre-range", "public-body", "person", "organisation", "home-line", "business-line",
)  # fmt: skip
FILE_KEYS = ("kind", "name", "description", "references", "priors", "limits", "marks", "examples")
BASES = ("public", "judgement")
#: More would be a certainty that nothing seen of a place can have.
MAX_BITS = 16.0


@dataclass(frozen=True, slots=True)
class SiteExample:
    """Facts of a site by name, and the kind it must be called."""

    file: str
    line: int
    facts: Mapping[str, object]
    kind: str


@dataclass(frozen=True, slots=True)
class SiteWeights:
    """The numbers in force. Priors and bits are by kind; a kind that a mark does not name has 0."""

    priors: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    examples: tuple[SiteExample, ...] = ()

    def add(self, other: SiteWeights) -> SiteWeights:
        """Both; what stands in both counts as it stands here."""
        return SiteWeights(
            {**other.priors, **self.priors},
            {**other.limits, **self.limits},
            {**other.marks, **self.marks},
            other.examples + self.examples,
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Priors, limits and marks that no file has."""
        wanted = {"priors": (PRIORS, self.priors), "limits": (LIMITS, self.limits), "marks": (MARKS, self.marks)}
        return tuple(f"{part}.{name}" for part, (names, had) in wanted.items() for name in names if name not in had)


def compile_sites(entry: YamlEntry, file: str) -> SiteWeights:
    """One file of weights of sites."""
    entry.only(FILE_KEYS)
    priors = {name: _sourced(row, "bits", MAX_BITS) for name, row in _rows(entry, "priors", PRIORS)}
    limits = {name: _sourced(row, "value", 1e6) for name, row in _rows(entry, "limits", LIMITS)}
    marks = {name: _bits(row) for name, row in _rows(entry, "marks", MARKS)}
    if not (priors or limits or marks):
        entry.fail("no weights: one of priors, limits, marks is needed")
    examples = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(("facts", "kind"))
            facts = item.keys["facts"].keys if "facts" in item.keys else {}
            if not facts:
                item.fail("facts is missing")
            named = {name: value.scalar for name, value in facts.items()}
            examples.append(SiteExample(file, item.line, named, item.choice("kind", get_args(Kind))))
    if not examples:
        entry.fail("examples is missing: a file carries its own proof")
    return SiteWeights(priors, limits, marks, tuple(examples))


def _rows(entry: YamlEntry, key: str, names: tuple[str, ...]) -> list[tuple[str, YamlEntry]]:
    """The rows under a key, by name; each a map."""
    part = entry.keys.get(key)
    if part is None or not part.is_map():
        return []
    part.only(names)
    return [(name, row) for name, row in part.keys.items() if row.is_map()]


def _sourced(row: YamlEntry, key: str, most: float) -> float:
    """The number of a row, which says where it comes from."""
    row.only((key, "basis", "source"))
    _check_source(row)
    if key not in row.keys:
        row.fail(f"{key} is missing")
        return 0.0
    return _number(row.keys[key], most)


def _bits(row: YamlEntry) -> dict[str, float]:
    row.only(("bits", "basis", "source"))
    _check_source(row)
    bits = row.keys.get("bits")
    if bits is None or not bits.is_map():
        row.fail("bits is missing")
        return {}
    bits.only(KINDS)
    return {kind: _number(value, MAX_BITS) for kind, value in bits.keys.items()}


def _check_source(row: YamlEntry) -> None:
    row.choice("basis", BASES)
    row.text("source")


def _number(value: YamlEntry, most: float) -> float:
    number = value.scalar
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= most:
        value.fail(f"must be a number from -{most:g} to {most:g}")
        return 0.0
    return float(number)
