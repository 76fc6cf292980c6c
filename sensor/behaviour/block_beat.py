"""Whether a flow's unasked records follow the blocks of a coin.

For a wait d from a block to the flow's next unasked record, if blocks do not depend on the flow, the chance of a wait
that short is the sum of min(gap, d) over the sum of the flow's own gaps: a block falls anywhere in time. It holds for
heartbeats and bursts as for Poisson traffic, if every block counts: with the first of each gap only, long gaps count
less often than they are long (2.7 % of unrelated flows by day and night were below 0.01). A beat is not mining:
wallets, explorers and nodes follow blocks by design. Knows times only; where blocks are learnt is elsewhere.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sensor.behaviour.chances import fisher
from sensor.model.text import N_
from sensor.model.time import SECOND_NS

#: Bins of gaps: up to 0.1 s, and each twice as long as the one before; the last has all above 1,638 s.
BINS, FIRST_EDGE_S = 16, 0.1
#: Waits that are remembered of one coin; 512 blocks of Monero are 17 hours.
MAX_WAITS = 512
#: Blocks of one gap that are remembered, and coins that one flow is tested against.
MAX_OPEN, MAX_COINS = 64, 32
#: Waits below which a beat is not judged, and the chance from which on it is.
LEAST_WAITS, FOLLOWS = 5, 1e-4
#: Gaps below which a flow cannot be compared with blocks.
LEAST_GAPS = 8

BeatAnswer = Literal["follows", "does not", "not enough blocks", "not testable"]
#: The answers for translation.
BEAT_ANSWERS = (N_("follows"), N_("does not"), N_("not enough blocks"), N_("not testable"))


class GapBins:
    """A flow's gaps: for each bin how many and how long together. 16 bins and no more, however long the flow."""

    __slots__ = ("_numbers", "_sums_s", "number", "total_s")

    def __init__(self) -> None:
        self._numbers = array("I", bytes(4 * BINS))
        self._sums_s = array("d", bytes(8 * BINS))
        self.number = 0
        self.total_s = 0.0

    def add(self, gap_s: float) -> None:
        """One more gap."""
        place, edge = 0, FIRST_EDGE_S
        while place < BINS - 1 and gap_s > edge:
            place, edge = place + 1, edge * 2
        self._numbers[place] += 1
        self._sums_s[place] += gap_s
        self.number += 1
        self.total_s += gap_s

    def chance(self, wait_s: float) -> float:
        """The chance of a wait as short as this. Within a bin it is rounded up: the sum of min(gap, d) is at most the
        sum of the gaps, and at most d for each.
        """
        if self.total_s <= 0:
            return 1.0
        rows = zip(self._numbers, self._sums_s, strict=True)
        return min(1.0, sum(min(sum_s, number * wait_s) for number, sum_s in rows) / self.total_s)


@dataclass(frozen=True, slots=True)
class BlockBeat:
    """What one flow's records say of one coin's blocks."""

    coin: str
    answer: BeatAnswer
    blocks: int  # that a record came after
    p: float
    waits_s: tuple[float, float, float] | None = None  # quartiles


class _CoinWaits:
    """What is remembered of one coin."""

    __slots__ = ("blocks", "first_ns", "latest_ns", "open_ns", "waits_s")

    def __init__(self, ts_ns: int) -> None:
        self.first_ns = self.latest_ns = ts_ns
        self.blocks = 0
        self.open_ns: list[int] = []  # in the gap that has not ended
        self.waits_s = array("f")


class BeatFollower:
    """One flow and the blocks of some coins. Records and blocks come in order of time; what is older counts as now."""

    __slots__ = ("_coins", "_first_ns", "_latest_ns", "gaps")

    def __init__(self) -> None:
        self.gaps = GapBins()
        self._first_ns: int | None = None
        self._latest_ns = 0
        self._coins: dict[str, _CoinWaits] = {}

    def note_block(self, coin: str, ts_ns: int) -> None:
        """A block was found. Before the first record there is no gap that it could lie in."""
        if self._first_ns is None or (coin not in self._coins and len(self._coins) >= MAX_COINS):
            return
        ts_ns = max(ts_ns, self._latest_ns)
        own = self._coins.setdefault(coin, _CoinWaits(ts_ns))
        own.latest_ns, own.blocks = ts_ns, own.blocks + 1
        if len(own.open_ns) < MAX_OPEN:
            own.open_ns.append(ts_ns)

    def note_record(self, ts_ns: int) -> None:
        """The server sent something that answers nothing."""
        if self._first_ns is None:
            self._first_ns = self._latest_ns = ts_ns
            return
        ts_ns = max(ts_ns, self._latest_ns)
        self.gaps.add((ts_ns - self._latest_ns) / SECOND_NS)
        self._latest_ns = ts_ns
        for own in self._coins.values():
            room = MAX_WAITS - len(own.waits_s)
            own.waits_s.extend(max(0, ts_ns - at) / SECOND_NS for at in own.open_ns[:room])
            own.open_ns.clear()

    def beat(self, coin: str) -> BlockBeat:
        """What is to be said of this coin by now, before other flows and coins are counted."""
        own = self._coins.get(coin)
        waits = sorted(own.waits_s) if own is not None else []
        if self.gaps.number < LEAST_GAPS:
            return BlockBeat(coin, "not testable", len(waits), 1.0)
        if own is None or len(waits) < LEAST_WAITS:
            return BlockBeat(coin, "not enough blocks", len(waits), 1.0)
        between_s = (own.latest_ns - own.first_ns) / SECOND_NS / max(1, own.blocks - 1)
        if between_s < self.gaps.total_s / self.gaps.number:
            return BlockBeat(coin, "not testable", len(waits), 1.0)  # blocks are closer than gaps
        p = fisher([self.gaps.chance(wait) for wait in waits])
        first, second, third = (waits[len(waits) * n // 4] for n in (1, 2, 3))
        return BlockBeat(coin, "follows" if p <= FOLLOWS else "does not", len(waits), p, (first, second, third))


def beats_of(records_ns: Iterable[int], blocks_ns: Mapping[str, Sequence[int]]) -> list[BlockBeat]:
    """The beats of a flow whose records and blocks are all at hand."""
    follower = BeatFollower()
    events = [(ts_ns, "") for ts_ns in records_ns]
    events += [(ts_ns, coin) for coin, times in blocks_ns.items() for ts_ns in times]
    for ts_ns, coin in sorted(events, key=lambda event: event[0]):
        if coin:
            follower.note_block(coin, ts_ns)
        else:
            follower.note_record(ts_ns)
    return [follower.beat(coin) for coin in blocks_ns]


def with_all_tried(beats: Sequence[BlockBeat]) -> list[BlockBeat]:
    """The same beats of all flows and coins together, each p adjusted for the number that was tested (Benjamini and
    Hochberg 1995), and judged by that.
    """
    tested = sorted((beat.p, place) for place, beat in enumerate(beats) if beat.answer in ("follows", "does not"))
    adjusted, least = list(beats), 1.0
    for rank in range(len(tested), 0, -1):
        p, place = tested[rank - 1]
        least = min(least, p * len(tested) / rank)
        beat = beats[place]
        answer: BeatAnswer = "follows" if least <= FOLLOWS else "does not"
        adjusted[place] = BlockBeat(beat.coin, answer, beat.blocks, least, beat.waits_s)
    return adjusted
