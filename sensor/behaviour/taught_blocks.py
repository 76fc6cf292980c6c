"""When new blocks became known, as other sensors heard of them in clear. Used for a coin of which nothing was heard
here. Where several sensors speak of a coin, only blocks count on which two of them agree. Bounded by sensor. Sans-IO.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
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
        self._clocks: dict[str, tuple[array[int], tuple[str, ...]]] | None = {}  # by coin; None: to be made anew
        self.dropped = 0  # of sensors and coins over the bound, or of a time that cannot be

    def replace(self, sensor_id: str, blocks: Sequence[SharedBlock], now_ns: int) -> None:
        """What a sensor shares now, in place of what it did."""
        self._of_sensor.pop(sensor_id, None)
        held = tuple(its for its in blocks if now_ns - OLDEST_NS <= its.seen_ns <= now_ns + AHEAD_NS)
        self.dropped += len(blocks) - len(held)
        self._clocks = None
        if held and len(self._of_sensor) >= self._most_sensors:
            self.dropped += len(held)
        elif held:
            self._of_sensor[sensor_id] = held

    def between(self, first_ns: int, last_ns: int) -> Mapping[str, Sequence[int]]:
        """By coin, the newest blocks of that time; coins without any are left out."""
        found = {}
        for coin, (times, _) in self._agreed_clocks().items():
            inside = times[bisect_left(times, first_ns) : bisect_left(times, last_ns + 1)]
            if inside:
                found[coin] = inside[-MAX_BLOCKS:]
        return found

    def sensors_of(self, coin: str) -> tuple[str, ...]:
        """Who taught the blocks of a coin, some of them."""
        return self._agreed_clocks().get(coin, (array("q"), ()))[1]

    def _agreed_clocks(self) -> dict[str, tuple[array[int], tuple[str, ...]]]:
        if self._clocks is None:
            self._clocks = self._agreed()
        return self._clocks

    def _agreed(self) -> dict[str, tuple[array[int], tuple[str, ...]]]:
        heard: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        speakers: defaultdict[str, list[str]] = defaultdict(list)
        for sensor_id, blocks in sorted(self._of_sensor.items()):
            for its in {(block.coin, block.block): block for block in blocks}.values():
                if its.coin not in heard and len(heard) >= MOST_COINS:
                    self.dropped += 1
                    continue
                heard[its.coin][its.block].append(its.seen_ns)
                if sensor_id not in speakers[its.coin]:
                    speakers[its.coin].append(sensor_id)
        clocks = {}
        for coin, times_ns in heard.items():
            alone = len(speakers[coin]) == 1
            agreed = [time for times in times_ns.values() if (time := _moment(sorted(times), alone)) is not None]
            clocks[coin] = (array("q", sorted(agreed)), tuple(speakers[coin][:MOST_NAMED]))
        return clocks


def _moment(times_ns: Sequence[int], alone: bool) -> int | None:
    """When a block became known: the first of two moments that agree."""
    if alone:
        return times_ns[0]
    return next((first for first, second in pairwise(times_ns) if second - first <= AGREE_NS), None)
