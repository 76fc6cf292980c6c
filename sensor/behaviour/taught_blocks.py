"""When new blocks became known, as other sensors heard of them in clear. Used for a coin of which nothing was heard
here. Where several sensors speak of a coin, only blocks count on which two of them agree. Bounded by sensor. Sans-IO.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sensor.behaviour.block_clocks import MAX_BLOCKS
from sensor.model.shared_knowledge import SharedBlock
from sensor.model.time import HOUR_NS, MINUTE_NS, SECOND_NS

#: Sensors whose blocks are held, and coins of them all.
MOST_SENSORS, MOST_COINS = 512, 32
#: Two sensors hear of a block within this, where their clocks are right.
AGREE_NS = 30 * SECOND_NS
#: Blocks of other times are not held.
OLDEST_NS, AHEAD_NS = 36 * HOUR_NS, 10 * MINUTE_NS
#: Sensors that are named as the source of a coin's blocks.
MOST_NAMED = 4


class TaughtBlocks:
    """The blocks of all sensors."""

    def __init__(self, most_sensors: int = MOST_SENSORS) -> None:
        self._most_sensors = most_sensors
        self._of_sensor: dict[str, tuple[SharedBlock, ...]] = {}
        self._newest_ns: dict[str, int] = {}  # of each sensor's blocks
        self._speakers: Counter[str] = Counter()  # of each coin
        self._clocks: dict[str, tuple[array[int], tuple[str, ...]]] | None = {}  # by coin; None: to be made anew
        self.dropped = 0  # blocks of sensors and coins over the bound, or of a time that cannot be

    def replace(self, sensor_id: str, blocks: Sequence[SharedBlock], now_ns: int) -> None:
        """What a sensor shares now, in place of what it did. Sensors and coins that come when there are too many are
        left out, so that invented ones push nobody out."""
        self._clocks = None
        for name in [name for name, newest_ns in self._newest_ns.items() if newest_ns < now_ns - OLDEST_NS]:
            self._forget(name)  # else whoever fell silent would be one who disagrees
        self._forget(sensor_id)
        coins = set(self._speakers)
        held = []
        if len(self._of_sensor) < self._most_sensors:
            for its in blocks:
                if not now_ns - OLDEST_NS <= its.seen_ns <= now_ns + AHEAD_NS:
                    continue
                if its.coin in coins or len(coins) < MOST_COINS:
                    coins.add(its.coin)
                    held.append(its)
        self.dropped += len(blocks) - len(held)
        if held:
            self._of_sensor[sensor_id] = tuple(held)
            self._newest_ns[sensor_id] = max(its.seen_ns for its in held)
            self._speakers.update({its.coin for its in held})

    def between(self, first_ns: int, last_ns: int) -> Mapping[str, Sequence[int]]:
        """By coin, the newest blocks of that time; coins without any are left out."""
        found = {}
        for coin, (times, _) in self._agreed_clocks().items():
            inside = times[bisect_left(times, first_ns) : bisect_left(times, last_ns + 1)]
            if inside:
                found[coin] = inside[-MAX_BLOCKS:]
        return found

    def sensors_of(self, coin: str) -> tuple[str, ...]:
        """Who taught the blocks of a coin that count, some of them."""
        return self._agreed_clocks().get(coin, (array("q"), ()))[1]

    def _forget(self, sensor_id: str) -> None:
        self._newest_ns.pop(sensor_id, None)
        for coin in {its.coin for its in self._of_sensor.pop(sensor_id, ())}:
            self._speakers[coin] -= 1
            if not self._speakers[coin]:
                del self._speakers[coin]

    def _agreed_clocks(self) -> dict[str, tuple[array[int], tuple[str, ...]]]:
        if self._clocks is None:
            self._clocks = self._agreed()
        return self._clocks

    def _agreed(self) -> dict[str, tuple[array[int], tuple[str, ...]]]:
        heard: defaultdict[str, defaultdict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for sensor_id, blocks in self._of_sensor.items():
            for its in blocks:
                heard[its.coin][its.block][sensor_id] = its.seen_ns
        clocks = {}
        for coin, named in heard.items():
            alone, agreed, sources = self._speakers[coin] == 1, array("q"), set[str]()
            for times_ns in named.values():
                moment_ns = _moment(sorted(times_ns.values()), alone)
                if moment_ns is not None:
                    agreed.append(moment_ns)
                    sources |= {name for name, its in times_ns.items() if 0 <= its - moment_ns <= AGREE_NS}
            clocks[coin] = (array("q", sorted(agreed)), tuple(sorted(sources)[:MOST_NAMED]))
        return clocks


def _moment(times_ns: Sequence[int], alone: bool) -> int | None:
    """When a block became known: the first of two moments that agree."""
    if alone:
        return times_ns[0]
    return next((first for first, second in pairwise(times_ns) if second - first <= AGREE_NS), None)
