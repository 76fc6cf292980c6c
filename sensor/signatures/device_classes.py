"""Classes of machines: what one may draw, and how much more its socket gives than its data sheet says. The rows are
data.

A class is physical (asic, gpu, cpu, server, phone, ...). What an agent row states may stand for several of them
("cpu-or-gpu"). Knows no algorithm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class WallFactor(NamedTuple):
    """Watts at the wall for each watt of a row's own figure."""

    low: float = 1.0
    typical: float = 1.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of machines."""

    name: str
    agents: tuple[str, ...]  # classes of agents that this one is possible for
    least_watts: float  # a machine of this class that mines draws at least this
    most_watts: float  # and at most this: one machine, however many boards are in it
    wall: WallFactor
    source: str


def classes_of(rows: Iterable[ClassRow], stated: str | None) -> frozenset[str] | None:
    """The physical classes an agent's class stands for; None if it says nothing that is known.

    A class that no row names is taken by its first word: gpu-intel is a gpu.
    """
    if stated is None:
        return None
    table = list(rows)
    first = stated.partition("-")[0] if "-or-" not in stated else stated
    for name in (stated, first):
        found = frozenset(row.name for row in table if name == row.name or name in row.agents)
        if found:
            return found
    return None
