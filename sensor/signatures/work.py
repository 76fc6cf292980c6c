"""How a difficulty or a target becomes expected hashes (or solutions) per share, as the `work` block of a dialect says.

Results are whole numbers of 2^-32 hashes: sums of them are exact and do not depend on their order. Knows no messages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from sensor.signatures.located import YamlEntry
from sensor.signatures.message_values import DEFAULT_CONVERSIONS, MessageValues, Taken, as_record, value_of
from sensor.signatures.take import hex_number

#: Units of work in one hash.
UNITS = 1 << 32
#: Above any share difficulty that can be met; a pool that says more is lying.
MAX_WORK = 1 << 256
#: Results of a dialect that are remembered: pools send few difficulties, and say each again and again.
MAX_REMEMBERED = 64
SPACE = 1 << 256

FORMS = (
    "scaled",
    "boundary",
    "reversed",
    "little-endian",
    "packed",
    "compact",
    "power-of-two",
    "shared-base",
    "base-alone",
)
#: How near a difficulty comes to the base that it repeats; both are rounded.
NEAR = Fraction(1, 100)
#: Forms that need two values.
OF_TWO = frozenset({"shared-base", "base-alone"})


class ScaleOrigin(NamedTuple):
    """Where a factor comes from."""

    sources: tuple[str, ...] = ()  # two that do not rest on each other, where there are two
    basis: str | None = None  # what was compared
    sample: str | None = None  # the session by which it was checked


UNSOURCED = ScaleOrigin()


@dataclass(frozen=True, slots=True)
class WorkRule:
    """One way to compute the work of a share from taken values."""

    use: tuple[str, ...]
    form: str
    factor: Fraction
    divisors: Mapping[str, Fraction]  # by algorithm: the diff-1 target is this many times easier
    disputed: frozenset[str] = frozenset()  # algorithms for which pools differ about what difficulty 1 is
    usual: frozenset[str] = frozenset()  # algorithms of the factor as it stands, where others have divisors
    within: tuple[int, int] | None = None  # what a share of this dialect can be worth; anything else is not believed
    origin: ScaleOrigin = UNSOURCED


@dataclass(frozen=True, slots=True)
class Work:
    """The rules of a dialect, the first that has its values wins; `initial` holds until the pool says otherwise."""

    unit: str
    rules: tuple[WorkRule, ...]
    initial: MessageValues
    _shares: dict[object, int | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def by_algorithm(self) -> bool:
        """Whether the same number means different work for different algorithms."""
        return any(rule.divisors for rule in self.rules)

    def has_scale(self, algorithm: str | None) -> bool:
        """Whether it is known what a number means for this algorithm (None: not known which)."""
        if not self.by_algorithm:
            return True
        return any(algorithm in rule.divisors or algorithm in rule.usual for rule in self.rules if rule.divisors)

    def disputed(self, algorithm: str | None) -> bool:
        """Whether pools differ about what a difficulty means for this algorithm."""
        return any(algorithm in rule.disputed for rule in self.rules)

    def per_share(self, values: MessageValues, algorithm: str | None) -> int | None:
        """Expected work of one share in 2^-32 hashes, or None if it is not known."""
        key = (algorithm, *values.items(), *map(type, values.values()))  # for 1, 1.0 and True are equal
        if key not in self._shares:
            if len(self._shares) >= MAX_REMEMBERED:
                self._shares.clear()
            self._shares[key] = self._per_share(values, algorithm)
        return self._shares[key]

    def _per_share(self, values: MessageValues, algorithm: str | None) -> int | None:
        for rule in self.rules:
            used = [value for name in rule.use if (value := value_of(values, name)) is not None]
            if len(used) == len(rule.use):
                hashes = _hashes(rule, used, algorithm)
                if hashes is not None and rule.within is not None and not rule.within[0] <= hashes <= rule.within[1]:
                    continue
                if hashes is not None and 0 < hashes <= MAX_WORK:
                    return max(1, int(hashes * UNITS))
        return None


def _hashes(rule: WorkRule, values: list[Taken], algorithm: str | None) -> Fraction | None:
    first = values[0]
    if rule.form == "scaled":
        number = _positive(first)
        return number * rule.factor / rule.divisors.get(algorithm or "", Fraction(1)) if number else None
    if rule.form == "boundary":
        hashes = boundary(first)
        return hashes * rule.factor if hashes is not None else None
    if rule.form == "reversed":
        return reversed_boundary(first)
    if rule.form == "little-endian":
        return little_endian(first)
    if rule.form == "packed":
        return packed(first)
    if rule.form == "compact":
        return compact(first)
    if rule.form == "power-of-two":
        return power_of_two(first)
    base, difficulty = _positive(first), _positive(values[-1])
    if rule.form == "base-alone":
        return SPACE / base if base and difficulty and abs(base * difficulty / SPACE - 1) < NEAR else None
    return SPACE / (base * difficulty) if base and difficulty else None


def _positive(value: Taken) -> Fraction | None:
    if isinstance(value, str):
        number: int | float | None = int(value) if re.fullmatch(r"[0-9]{1,80}", value) else None
    else:
        number = value
    if number is None or (isinstance(number, float) and not math.isfinite(number)) or not 0 < number < SPACE:
        return None
    return Fraction(number)


def boundary(target: Taken) -> Fraction | None:
    """2^256/(t+1) of a big-endian target; missing leading zeros are the sender's habit, so it is read as a number."""
    number = hex_number(target) if isinstance(target, str) else target
    return Fraction(SPACE, int(number) + 1) if number is not None and number > 0 else None


def reversed_boundary(target: Taken) -> Fraction | None:
    """getwork: the same over 32 bytes of which the least significant comes first."""
    if not isinstance(target, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", target):
        return None
    return boundary(bytes.fromhex(target)[::-1].hex())


def little_endian(target: Taken) -> Fraction | None:
    """CryptoNote: 8 or 16 hex digits, least significant byte first, rounded down as pools do; 64 are big-endian."""
    if not isinstance(target, str) or not re.fullmatch(r"[0-9a-fA-F]{8}|[0-9a-fA-F]{16}|[0-9a-fA-F]{64}", target):
        return None
    if len(target) == 64:
        return boundary(target)
    number = int.from_bytes(bytes.fromhex(target), "little")
    return Fraction(((1 << 4 * len(target)) - 1) // number) if number else None


def packed(value: Taken) -> Fraction | None:
    """Beam: 8 bits of exponent, 24 of mantissa with a hidden one."""
    if not isinstance(value, int) or not 0 <= value < 1 << 32:
        return None
    return Fraction((1 << 24) + (value & 0xFFFFFF)) * Fraction(2) ** ((value >> 24) - 24)


def compact(value: Taken) -> Fraction | None:
    """Bitcoin's nBits, eight hex digits: 8 bits of exponent, a sign, 23 bits of mantissa."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{8}", value):
        return None
    exponent, mantissa = int(value[:2], 16), int(value[2:], 16)
    if not 3 <= exponent <= 32 or not 0 < mantissa < 1 << 23:
        return None
    return Fraction(SPACE, (mantissa << 8 * (exponent - 3)) + 1)


def power_of_two(value: Taken) -> Fraction | None:
    """Hathor's weight: the logarithm to base 2 of the hashes."""
    return Fraction(2.0**value) if isinstance(value, int | float) and 0 <= value <= 256 else None


def ratio(entry: YamlEntry) -> Fraction:
    """A number written as powers, products and quotients: `2^48/65535`."""
    text = str(entry.scalar)
    if not re.fullmatch(r"\d{1,20}(\^\d{1,3})?([*/]\d{1,20}(\^\d{1,3})?)*", text):
        entry.fail("must be a number such as 2^32 or 2^48/65535")
        return Fraction(1)
    result = Fraction(1)
    for operator, number, power in re.findall(r"([*/]?)(\d+)(?:\^(\d+))?", text):
        factor = Fraction(int(number)) ** int(power or 1)
        if operator == "/" and not factor:
            entry.fail("divides by zero")
            return Fraction(1)
        result = result / factor if operator == "/" else result * factor
    return result


def compile_work(entry: YamlEntry | None) -> Work:
    """The `work` block of a dialect."""
    if entry is None or not entry.is_map():
        return Work("hashes", (), {})
    entry.only(("unit", "rules", "initial"))
    rules = []
    for item in entry.keys["rules"].each() if "rules" in entry.keys else ():
        if item.is_map():
            rules.append(_rule(item))
    initial: dict[str, Taken] = {}
    for name, value in entry.keys["initial"].keys.items() if "initial" in entry.keys else ():
        if name in DEFAULT_CONVERSIONS and isinstance(value.scalar, int | float | str):
            initial[name] = value.scalar
        else:
            value.fail("must be a number or text under a name that is taken")
    return Work(entry.choice("unit", ("hashes", "solutions"), "hashes"), tuple(rules), as_record(initial))


def _rule(entry: YamlEntry) -> WorkRule:
    entry.only(("use", "form", "factor", "divisors", "usual", "disputed", "within", "sources", "basis", "sample"))
    form = entry.choice("form", FORMS)
    use = entry.texts("use")
    for name in use:
        if name not in DEFAULT_CONVERSIONS:
            entry.keys["use"].fail(f"{name!r} is not a name that is taken")
    if len(use) != (2 if form in OF_TWO else 1):
        entry.fail("use must name one value (two for shared-base and base-alone: the base, then the difficulty)")
    factor = ratio(entry.keys["factor"]) if "factor" in entry.keys else Fraction(1)
    divisors = {}
    if "divisors" in entry.keys and entry.keys["divisors"].is_map():
        divisors = {name: ratio(value) for name, value in entry.keys["divisors"].keys.items()}
    divisors = {name: divisor for name, divisor in divisors.items() if divisor}
    disputed = frozenset(entry.texts("disputed"))
    usual = frozenset(entry.texts("usual"))
    bounds = _bounds(entry.keys.get("within"))
    return WorkRule(use or ("difficulty",), form, factor, divisors, disputed, usual, bounds, _origin(entry))


def _origin(entry: YamlEntry) -> ScaleOrigin:
    """Where a factor comes from, as the table of scales shows it."""
    return ScaleOrigin(entry.texts("sources"), entry.optional("basis"), entry.optional("sample"))


def _bounds(entry: YamlEntry | None) -> tuple[int, int] | None:
    if entry is None:
        return None
    numbers = [
        item.scalar for item in entry.each() if isinstance(item.scalar, int) and not isinstance(item.scalar, bool)
    ]
    if len(numbers) == 2 and 0 < numbers[0] <= numbers[1]:
        return numbers[0], numbers[1]
    entry.fail("must be a list of the least and the most work of a share")
    return None
