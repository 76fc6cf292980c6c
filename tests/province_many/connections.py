"""What crosses the province's wires: each machine's connections, with every share's moment. Shares fall by chance at
the machine's true rate; nothing here knows of sensors or estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.model.time import DAY_NS, SECOND_NS
from tests.province_many.roster import REJECTED, ManyMachine, Roster, Span, common

#: How long connections last on average.
LASTS_NS = 3 * DAY_NS
#: Bytes of a sign-in and of a share in the miner's stream; of a sign-in's answer and of a job in the pool's, and how
#: often there is one.
LOGIN_BYTES, SHARE_BYTES, ANSWER_BYTES, JOB_BYTES, JOB_NS = 300, 200, 500, 400, 60 * SECOND_NS


@dataclass(frozen=True, eq=False)
class WireConnection:
    """One connection of a machine."""

    machine: ManyMachine
    address: str
    port: int
    number: int
    begin_ns: int
    end_ns: int
    shares_ns: NDArray[np.int64]  # when each was sent, in order
    rejected: NDArray[np.bool_]

    def miner_position(self, at_ns: int) -> int:
        """How far the miner's stream had come."""
        return LOGIN_BYTES + SHARE_BYTES * int(np.searchsorted(self.shares_ns, at_ns))

    def pool_position(self, at_ns: int) -> int:
        """How far the pool's stream had come."""
        return ANSWER_BYTES + JOB_BYTES * self.jobs(self.begin_ns, at_ns)

    def jobs(self, from_ns: int, to_ns: int) -> int:
        """How many jobs came in a stretch."""
        return max(0, (to_ns - self.begin_ns) // JOB_NS - (from_ns - self.begin_ns) // JOB_NS)


def connections_of(roster: Roster, machine: ManyMachine, seed: str) -> list[WireConnection]:
    """The connections of a machine, in order."""
    rng = np.random.default_rng([*seed.encode(), machine.number])
    made: list[WireConnection] = []
    for stay in machine.stays:
        for start, end in common(list(machine.on), [stay.span]):
            for begin_ns, end_ns in _broken(rng, (start, end)):
                number = machine.number * 1_000 + len(made)
                shares_ns = _shares(rng, machine, begin_ns, end_ns)
                rejected = rng.random(len(shares_ns)) < REJECTED
                port = 20_000 + int(rng.integers(40_000))
                made.append(WireConnection(machine, stay.address, port, number, begin_ns, end_ns, shares_ns, rejected))
    assert roster.end_ns >= max((one.end_ns for one in made), default=0)
    return made


def _broken(rng: np.random.Generator, span: Span) -> list[Span]:
    """A span with breaks: seconds in which the machine connects anew."""
    parts, at = [], span[0]
    while at < span[1]:
        end = min(span[1], at + max(60 * SECOND_NS, int(rng.exponential(LASTS_NS))))
        parts.append((at, end))
        at = end + int(rng.uniform(5, 30) * SECOND_NS)
    return parts


def _shares(rng: np.random.Generator, machine: ManyMachine, begin_ns: int, end_ns: int) -> NDArray[np.int64]:
    if machine.kind not in ("mining", "suppressed"):
        return np.zeros(0, np.int64)
    count = rng.poisson((end_ns - begin_ns) / SECOND_NS / machine.share_s)
    return np.sort(rng.integers(begin_ns + SECOND_NS, end_ns, count))
