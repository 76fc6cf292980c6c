"""Deterministic address mapping of carrier-grade NAT (RFC 7422).

Which inside address owns an outside port, computed, both ways.

Each outside address serves `ratio` inside addresses and keeps the rest of its ports for whoever needs more; those and
the reserved ports belong to nobody by computation, and only a log can tell. It knows numbers, not files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PORTS = 65_536
#: System ports, which section 2 of the RFC reserves in its example.
SYSTEM_PORTS = 1024


@dataclass(frozen=True)
class Mapping:
    """The parameters that the RFC wants kept instead of logs.

    ValueError where they do not fit: no port left for a subscriber, or more inside addresses than the outside ones
    serve.
    """

    inside_first: int
    inside_count: int
    outside_first: int
    outside_count: int
    dynamic_factor: int = 0  # blocks of ports of each outside address that are given out on demand
    first_port: int = SYSTEM_PORTS
    algorithm: Literal["sequential", "staggered"] = "sequential"

    def __post_init__(self) -> None:
        if self.inside_count < 1 or self.outside_count < 1:
            raise ValueError("there must be inside and outside addresses")
        if not self.block:
            raise ValueError(f"no port is left for each of {self.ratio} subscribers behind one address")

    @property
    def ratio(self) -> int:
        """Inside addresses behind each outside address."""
        return -(-self.inside_count // self.outside_count)

    @property
    def block(self) -> int:
        """Ports of each inside address."""
        return (PORTS - self.first_port) // (self.ratio + self.dynamic_factor)

    @property
    def subscribers(self) -> int:
        """Inside addresses behind one outside address, for people."""
        return self.ratio

    def inside(self, outside: int, port: int) -> int | None:
        """The inside address that owns an outside port.

        None for reserved and dynamic ports, and for addresses that are not of the pool.
        """
        slot = self._slot(port)
        if slot is None or not 0 <= outside - self.outside_first < self.outside_count:
            return None
        position = (outside - self.outside_first) * self.ratio + slot
        return self.inside_first + position if position < self.inside_count else None

    def outside(self, inside: int) -> tuple[int, range] | None:
        """The outside address and the ports of an inside address."""
        position = inside - self.inside_first
        if not 0 <= position < self.inside_count:
            return None
        pool, slot = divmod(position, self.ratio)
        if self.algorithm == "sequential":
            start = self.first_port + slot * self.block
            return self.outside_first + pool, range(start, start + self.block)
        step = self.ratio + self.dynamic_factor
        return self.outside_first + pool, range(
            self.first_port + slot, self.first_port + slot + step * self.block, step
        )

    def _slot(self, port: int) -> int | None:
        if not self.first_port <= port < self.first_port + self.block * (self.ratio + self.dynamic_factor):
            return None
        offset = port - self.first_port
        slot = offset // self.block if self.algorithm == "sequential" else offset % (self.ratio + self.dynamic_factor)
        return slot if slot < self.ratio else None
