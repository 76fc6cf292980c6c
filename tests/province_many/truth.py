"""What is so, by address, holder and algorithm: the time in which at least one sensor could see it mine, the hashes
that pools accepted, the energy. Nothing of it was estimated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sensor.model.time import DAY_NS, SECOND_NS
from tests.province_many.connections import WireConnection
from tests.province_many.roster import FIRST_NS, REJECTED, ManyMachine, Roster, Span, common, joined, seconds
from tests.province_many.seen import PUE

JOULES_PER_KWH = 3.6e6
WEEK_NS = 7 * DAY_NS


class TruthKey(NamedTuple):
    """What a line of the ledger is of."""

    address: str
    holder: str  # "": in no book
    premises: str
    algorithm: str


@dataclass
class TrueAmount:
    """Sums of machines while they were watched."""

    seconds: float = 0.0
    hashes: float = 0.0
    kwh: float = 0.0
    numbers: set[int] = field(default_factory=set)  # of machines


@dataclass(frozen=True)
class TruePeriod:
    """A week, or all of them."""

    name: str
    span: Span
    amounts: Mapping[TruthKey, TrueAmount]

    @property
    def addresses(self) -> set[str]:
        """Where mining was seen."""
        return {key.address for key in self.amounts}

    @property
    def holders(self) -> set[str]:
        """Who mined, as far as the books know."""
        return {key.holder for key in self.amounts} - {""}


class ManyTruth:
    """The truth of a province."""

    def __init__(self, roster: Roster, wires: Mapping[int, Sequence[WireConnection]]) -> None:
        self.roster, self._wires = roster, wires
        self._watched = [
            (machine, wire.address, watched(roster, machine, wire))
            for machine in roster.of_kind("mining")
            for wire in wires[machine.number]
        ]
        self.persons = {
            machine.premises.holder.name
            for machine in roster.machines
            if machine.premises.holder is not None and machine.premises.holder.category == "个人"
        }
        self.innocent = {
            machine.premises.holder.name
            for machine in roster.machines
            if machine.kind != "mining" and machine.premises.holder is not None
        }

    def weeks(self) -> Iterator[TruePeriod]:
        """Each week; part of one at the end is left out."""
        for number in range(self.roster.days // 7):
            start_ns = FIRST_NS + number * WEEK_NS
            yield self.period(f"2026-W{10 + number}", (start_ns, start_ns + WEEK_NS))

    def whole(self) -> TruePeriod:
        """All days."""
        return self.period("all", (FIRST_NS, self.roster.end_ns))

    def period(self, name: str, span: Span) -> TruePeriod:
        """One stretch of time."""
        amounts: defaultdict[TruthKey, TrueAmount] = defaultdict(TrueAmount)
        for machine, address, spans in self._watched:
            watched_s = seconds(common(spans, [span]))
            if not watched_s:
                continue
            amount = amounts[key_of(machine, address)]
            amount.seconds += watched_s
            amount.hashes += watched_s * machine.rate_hps * (1.0 - REJECTED)
            amount.kwh += watched_s * machine.watts * PUE / JOULES_PER_KWH
            amount.numbers.add(machine.number)
        return TruePeriod(name, span, dict(amounts))

    def mining_spans(self) -> dict[tuple[str, str], list[Span]]:
        """When anybody mined, seen or not: by holder and premises, or by address."""
        found: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
        for machine in self.roster.of_kind("mining"):
            holder = machine.premises.holder
            for stay in machine.stays:
                subject = (holder.name, machine.premises.text) if holder else ("", stay.address)
                found[subject] += common(list(machine.on), [stay.span])
        return {subject: joined(spans) for subject, spans in found.items()}

    def listened(self, address: str, machine_numbers: set[int], span: Span) -> float:
        """The part of a period in which that sensor listened that listened least, of those that had seen these machines
        at the address before it."""
        numbers = {
            number
            for machine in machine_numbers
            for number in self.roster.machines[machine].premises.sensors
            for wire in self._wires[machine]
            if wire.address == address
            and common(list(self.roster.sensors[number].up), [(wire.begin_ns, min(wire.end_ns, span[0]))])
        }
        length_s = (span[1] - span[0]) / SECOND_NS
        return min(seconds(common(list(self.roster.sensors[one].up), [span])) / length_s for one in numbers)

    def coverage(self, span: Span) -> float:
        """The part of their hours in which sensors listened."""
        length_s = (span[1] - span[0]) / SECOND_NS
        parts = [seconds(common(list(plan.up), [span])) / length_s for plan in self.roster.sensors]
        return sum(parts) / len(parts)


def key_of(machine: ManyMachine, address: str) -> TruthKey:
    """What a machine's line at an address is of."""
    place, holder = machine.premises, machine.premises.holder
    if holder is None:
        return TruthKey(address, "", "", machine.device.algorithm)
    return TruthKey(address, holder.name, place.text, machine.device.algorithm)


def watched(roster: Roster, machine: ManyMachine, wire: WireConnection) -> list[Span]:
    """When at least one sensor saw a connection."""
    ups = [span for number in machine.premises.sensors for span in roster.sensors[number].up]
    return common(joined(ups), [(wire.begin_ns, wire.end_ns)])
