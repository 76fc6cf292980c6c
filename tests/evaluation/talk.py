"""What two ends say to each other: times, sides and lengths of plaintext, on a timeline with the blocks of coins.

Knows nothing of TLS, TCP or of the sensor.
"""

from __future__ import annotations

import gzip
import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

UP, DOWN = 0, 1
#: Mean seconds between blocks, as the coins' protocols set them.
BLOCK_S = {"XMR": 120.0, "BTC": 600.0, "LTC": 150.0, "ETC": 13.0, "RVN": 60.0, "ZEC": 75.0}
#: Real block times of Monero: seconds since the epoch, height, date.
REAL_BLOCKS = Path(__file__).parents[3] / "shared" / "hidden" / "monero_blocks_2020.csv.gz"
#: The first instant of simulated worlds without real blocks: 2020-07-01.
EPOCH_S = 1_593_561_600.0
#: Blocks are simulated from so long before a world's start.
BEFORE_S = 3600.0


class Row(NamedTuple):
    """Lines that one end writes at once."""

    at_s: float
    side: int
    lengths: tuple[int, ...]


class World:
    """A stretch of time: its start, the blocks in it, and the servers that stand in it."""

    def __init__(self, rng: random.Random, span_s: float, real: list[float] | None = None) -> None:
        self.rng, self.span_s = rng, span_s
        self.real = bool(real)
        self.start_s = EPOCH_S + rng.uniform(0, 80 * 86_400)
        if real:
            self.start_s = rng.uniform(real[0] + BEFORE_S, real[-1] - span_s)
        self.blocks = {coin: list(self._simulated(mean_s)) for coin, mean_s in BLOCK_S.items()}
        if real:
            first, last = self.start_s - BEFORE_S, self.start_s + span_s
            self.blocks["XMR"] = [t - self.start_s for t in real[bisect_left(real, first) : bisect_right(real, last)]]
        self._servers: dict[str, list[Server]] = {}

    def _simulated(self, mean_s: float) -> Iterator[float]:
        at = -BEFORE_S
        while at < self.span_s:
            at += self.rng.expovariate(1 / mean_s)
            yield at

    def server(self, family: str, number: int) -> Server:
        """One of the family's servers."""
        servers = self._servers.setdefault(family, [])
        while len(servers) <= number:
            servers.append(Server(random.Random(self.rng.random()), self))
        return servers[number]


class Server:
    """One server of a family: what all its sessions have in common."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world = rng, world
        self._traits: dict[str, Any] = {}

    def trait(self, name: str, draw: Callable[[random.Random], Any]) -> Any:
        """A property of the server, drawn once."""
        if name not in self._traits:
            self._traits[name] = draw(self.rng)
        return self._traits[name]

    def after_blocks(self, coin: str, lag_s: float, missed: float = 0.0) -> list[float]:
        """When this server tells of each block of the coin: later by its own delays."""
        told: list[float] = self.trait(
            f"after {coin}",
            lambda rng: sorted(
                at + rng.gammavariate(2, lag_s / 2) for at in self.world.blocks[coin] if rng.random() >= missed
            ),
        )
        return told


class Talk:
    """One session. Times are seconds since its handshake was over."""

    def __init__(self, rng: random.Random, server: Server, start_s: float, until_s: float) -> None:
        self.rng, self.server = rng, server
        self.start_s, self.until_s = start_s, until_s
        self.rtt_s = rng.uniform(0.01, 0.3)
        self._serves_s = rng.uniform(0.0005, 0.02)
        self.rows: list[Row] = []
        self.shares: list[float] = []  # when answered shares were sent

    def say(self, at_s: float, side: int, *lengths: int) -> None:
        """One end writes lines."""
        self.rows.append(Row(at_s, side, lengths))

    def ask(self, at_s: float, question: int, *answer: int, takes_s: float = 0.0) -> float:
        """The client asks, the server answers; returns when the answer passes."""
        self.rows.append(Row(at_s, UP, (question,)))
        back_s = at_s + self.rtt_s + takes_s + self._serves_s * self.rng.uniform(1, 1.5)
        self.rows.append(Row(back_s, DOWN, answer))
        return back_s

    def submit(self, at_s: float, question: int, *answer: int) -> float:
        """A share and its answer."""
        self.shares.append(at_s)
        return self.ask(at_s, question, *answer)

    def call(self, at_s: float, question: int, *answer: int) -> float:
        """The server asks, the client answers."""
        self.rows.append(Row(at_s, DOWN, (question,)))
        self.rows.append(Row(at_s + self._serves_s, UP, answer))
        return at_s + self._serves_s

    def blocks(self, coin: str, lag_s: float = 0.8, missed: float = 0.0) -> Iterator[float]:
        """When the server tells this session of blocks; all its sessions hear of a block within 50 ms."""
        told = self.server.after_blocks(coin, lag_s, missed)
        for at in told[bisect_right(told, self.start_s) :]:
            if at - self.start_s >= self.until_s:
                return
            yield at - self.start_s + self.rng.uniform(0, 0.05)

    def poisson(self, mean_s: float, first_s: float = 0.0) -> Iterator[float]:
        """At random."""
        at = first_s + self.rng.expovariate(1 / mean_s)
        while at < self.until_s:
            yield at
            at += self.rng.expovariate(1 / mean_s)

    def every(self, period_s: float, jitter: float = 0.0, first_s: float | None = None) -> Iterator[float]:
        """In a period, each gap longer or shorter by up to a part of it."""
        at = self.rng.uniform(0, period_s) if first_s is None else first_s
        while at < self.until_s:
            yield at
            at += period_s * (1 + self.rng.uniform(-jitter, jitter))

    def bursts(self, mean_s: float, most: int, gap_s: float = 1.0) -> Iterator[float]:
        """Several at a time, the bursts at random."""
        for start_s in self.poisson(mean_s):
            at = start_s
            for _ in range(self.rng.randint(1, most)):
                if at < self.until_s:
                    yield at
                at += self.rng.lognormvariate(math.log(gap_s), 0.8)

    def mixed(self, **sources: Iterator[float]) -> list[tuple[float, str]]:
        """Events of several sources in order of time."""
        return sorted((at, name) for name, source in sources.items() for at in source if at < self.until_s)

    def clocked(self, period_s: float, coin: str | None, jitter: float = 0.0, resets: bool = False) -> list[float]:
        """Times of a period (none if 0) and of the coin's blocks together; a block may begin the period anew."""
        blocks = list(self.blocks(coin)) if coin else []
        if not period_s:
            return blocks
        if not resets:
            return sorted([*blocks, *self.every(period_s, jitter)])
        times: list[float] = []
        edges = [0.0, *blocks, self.until_s]
        for number, begun in enumerate(edges[:-1]):
            if number:
                times.append(begun)
            at = begun + period_s * (1 + self.rng.uniform(-jitter, jitter))
            while at < edges[number + 1]:
                times.append(at)
                at += period_s * (1 + self.rng.uniform(-jitter, jitter))
        return times


def digits(number: int) -> int:
    """Decimal digits of a number."""
    return len(str(number))


def real_blocks() -> list[float] | None:
    """Block times of Monero in 2020, where the file is at hand."""
    if not REAL_BLOCKS.is_file():
        return None
    with gzip.open(REAL_BLOCKS, "rt", encoding="ascii") as lines:
        return sorted(float(line.split(",")[0]) for line in lines if line[0].isdigit())
