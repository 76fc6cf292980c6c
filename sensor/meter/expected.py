"""What mining should show on a meter: energy by the hour as the sensor saw it, since when and until when. Plain data
with sums; knows no readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sensor.model.figures import Owner
from sensor.model.summary import Range


class SeenEnergy(NamedTuple):
    """Energy of mining in [from_ns, to_ns), as it was seen."""

    from_ns: int
    to_ns: int
    kwh: Range


class Listened(NamedTuple):
    """A stretch in which a sensor listened."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class SeenMining:
    """What sensors saw in the time that a table of readings is of, by site, and when they listened; None: all of the
    time."""

    by_site: Mapping[int, tuple[SeenEnergy, ...]]
    listened: tuple[Listened, ...] | None


@dataclass(frozen=True, slots=True)
class ExpectedLoad:
    """What mining should show on the meter: energy within [from_ns, to_ns), and since when."""

    from_ns: int
    to_ns: int
    energy_kwh: Range  # as if the sensor had listened all of the time
    power_watts: Range  # mean since it began
    began_ns: int  # mining first seen, ever
    coverage: float = 1.0  # part of the period in which the sensor listened
    owner: Owner | None = None
    ended_ns: int | None = None  # mining last seen, where it was not seen again before the period ended
    seen: tuple[SeenEnergy, ...] = ()  # before, in and after the period; empty: the mean power since it began
    listened: tuple[Listened, ...] | None = None  # None: all of the time

    def seen_kwh(self, from_ns: int, to_ns: int) -> Range:
        """What was seen of it in [from_ns, to_ns); a piece over a border counts in part."""
        if not self.seen:
            hours = max(0, to_ns - max(from_ns, self.began_ns)) / 3.6e12
            return self.power_watts.scaled(hours / 1000.0)
        total = Range()
        for piece in self.seen:
            shared = min(piece.to_ns, to_ns) - max(piece.from_ns, from_ns)
            if shared > 0:
                total += piece.kwh.scaled(shared / (piece.to_ns - piece.from_ns))
        return total

    def listened_part(self, spans: Iterable[tuple[int, int]]) -> float:
        """The part of some time in which a sensor listened."""
        listened = whole = 0
        for from_ns, to_ns in spans:
            whole += to_ns - from_ns
            if self.listened is None:
                listened += to_ns - from_ns
                continue
            for stretch in self.listened:
                listened += max(0, min(stretch.to_ns, to_ns) - max(stretch.from_ns, from_ns))
        return listened / whole if whole else 0.0
