"""What evidence weighs: a prior and bits for each kind and strength of observation, as data (signatures/weights).

Knows numbers and names; what they come to together is `sensor/line/combine.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sensor.model.observation import KINDS
from sensor.signatures.located import YamlEntry

FILE_KEYS = ("kind", "name", "description", "references", "prior_bits", *KINDS, "examples")
EXAMPLE_KEYS = ("observations", "confidence")
#: More would be a probability that no evidence of a network can have.
MAX_BITS = 64.0


@dataclass(frozen=True, slots=True)
class WeightExample:
    """Observations as `kind/strength`, and the confidence they must come to."""

    file: str
    line: int
    observations: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class WeightTable:
    """The weights in force."""

    prior_bits: float | None = None  # None: no file has said it
    bits: Mapping[tuple[str, str], float] = field(default_factory=dict)  # by kind and strength
    examples: tuple[WeightExample, ...] = ()

    def of(self, kind: str, strength: str) -> float:
        """The bits of a kind of evidence at a strength. Raises KeyError for a strength that the tables do not have."""
        return self.bits[kind, strength]

    @property
    def prior(self) -> float:
        """The prior in bits. Raises ValueError where no file has said it."""
        if self.prior_bits is None:
            raise ValueError("no signature file of the kind weights has prior_bits")
        return self.prior_bits

    def add(self, other: WeightTable) -> WeightTable:
        """Both; what stands in both counts as it stands here."""
        prior_bits = other.prior_bits if self.prior_bits is None else self.prior_bits
        return WeightTable(prior_bits, {**other.bits, **self.bits}, self.examples + other.examples)


def compile_weights(entry: YamlEntry, file: str) -> WeightTable:
    """One file of weights."""
    entry.only(FILE_KEYS)
    bits: dict[tuple[str, str], float] = {}
    for kind in KINDS:
        for strength, value in entry.keys[kind].keys.items() if kind in entry.keys else ():
            bits[kind, strength] = _bits(value)
    if not bits:
        entry.fail(f"no weights: one of {', '.join(KINDS)} is needed")
    examples = []
    for item in entry.keys["examples"].each() if "examples" in entry.keys else ():
        if item.is_map():
            item.only(EXAMPLE_KEYS)
            confidence = item.keys["confidence"].scalar if "confidence" in item.keys else None
            if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
                item.fail("confidence must be a number from 0 to 1")
                continue
            examples.append(WeightExample(file, item.line, item.texts("observations"), float(confidence)))
    if not examples:
        entry.fail("examples is missing: a file carries its own proof")
    prior_bits = _bits(entry.keys["prior_bits"]) if "prior_bits" in entry.keys else None
    return WeightTable(prior_bits, bits, tuple(examples))


def _bits(value: YamlEntry) -> float:
    number = value.scalar
    if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > MAX_BITS:
        value.fail(f"must be a number of bits from -{MAX_BITS:g} to {MAX_BITS:g}")
        return 0.0
    return float(number)
