"""When new blocks of each coin became known: from a file, or from jobs that were read in clear. Bounded. Sans-IO."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence

from sensor.behaviour.block_beat import MAX_COINS

#: Blocks remembered of one coin's jobs: 34 hours of Monero, and more than the last look of a session goes back.
MAX_BLOCKS = 1_024
#: Names of blocks that are known to have been told of, by any coin.
MAX_NAMES = 4_096
#: Blocks whose names are remembered with their times, of all coins.
MAX_RECENT = 512


class BlockClocks:
    """The blocks of all coins."""

    __slots__ = ("_loaded_ns", "_names", "_recent", "_times_ns", "refused")

    def __init__(self) -> None:
        self._loaded_ns: dict[str, array[int]] = {}  # of files
        self._times_ns: dict[str, array[int]] = {}  # of jobs
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._recent: deque[tuple[str, str, int]] = deque(maxlen=MAX_RECENT)
        self.refused = 0  # blocks of more coins than there is room for

    def load(self, coin: str, times_ns: Iterable[int]) -> None:
        """Blocks of a file, instead of what was loaded of this coin before: all of them, for captures may be old."""
        if coin in self._loaded_ns or len(self._loaded_ns) < MAX_COINS:
            self._loaded_ns[coin] = array("q", sorted(set(times_ns)))
        else:
            self.refused += 1

    def note(self, coin: str, block: str, ts_ns: int) -> None:
        """A job of this block was pushed; the first to tell of it counts."""
        name = (coin, block)
        if name in self._names:
            return
        self._names[name] = None
        if len(self._names) > MAX_NAMES:
            self._names.popitem(last=False)
        self._recent.append((coin, block, ts_ns))
        self._put(coin, ts_ns)

    def recent(self, since_ns: int) -> list[tuple[str, str, int]]:
        """Coin, name and time of the newest blocks that jobs told of since then."""
        return [each for each in self._recent if each[2] >= since_ns]

    def between(self, first_ns: int, last_ns: int) -> Mapping[str, Sequence[int]]:
        """By coin, the newest MAX_BLOCKS blocks of that time, by a file where there is one; coins without any are left
        out."""
        found = {}
        for coin, times in (self._times_ns | self._loaded_ns).items():
            inside = times[bisect_left(times, first_ns) : bisect_left(times, last_ns + 1)]
            if inside:
                found[coin] = inside[-MAX_BLOCKS:]
        return found

    def _put(self, coin: str, ts_ns: int) -> None:
        times = self._times_ns.get(coin)
        if times is None:
            if len(self._times_ns) >= MAX_COINS:
                self.refused += 1
                return
            times = self._times_ns[coin] = array("q")
        insort(times, ts_ns)
        if len(times) > MAX_BLOCKS:
            del times[0]
