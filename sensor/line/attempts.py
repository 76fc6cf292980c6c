"""Beginnings that came to nothing, in numbers: of a flood only some are judged one by one, the others are counted.

A flood is more than `FLOOD` in an interval of the packets' clock. Fewer are all judged one by one; while a sensor runs,
the first at once and the others when the interval is over. What is counted is counted by the two ends, and becomes one
finding for each source or pool, with a count. Counts add up the same in whichever order flows end; how many ends are
told apart is bounded. Of an interval that is read in two runs each has a count of its own: the rest of a flood may be
none, and is then judged one by one.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from sensor.line.flow_facts import stable_id
from sensor.model.naming import MIXED
from sensor.model.observation import ObservationPoint
from sensor.model.time import MINUTE_NS

INTERVAL_NS = 10 * MINUTE_NS
#: Attempts of an interval that are a flood. Of one, so many are judged one by one: in all, of one pool, and beside them
#: of those that are looked at more closely.
FLOOD = 1_000
MOST_JUDGED, MOST_OF_A_POOL, MOST_WATCHED = 64, 24, 32
#: Attempts of an interval that wait for its end, to be judged one by one if it was no flood; each has 6 KB at most.
MOST_HELD = 256
#: Pairs of ends told apart in an interval, some 300 bytes each; past it pools are told apart, and past that nothing.
MAX_PAIRS, MAX_POOLS = 4_096, 256
#: Sources, and pools, with a finding of their own in an interval, where they have so many attempts.
MOST_GROUPS, MANY = 5, 8
#: Intervals held at once, 3 MB each at most: a replay's workers may be that far apart.
MAX_INTERVALS = 16
#: While a sensor runs an interval is reported so long after its end, or after one of it that ended later: of a flood
#: that goes on, flows end at any time.
GRACE_NS = MINUTE_NS
#: Stands for several addresses: RFC 1122 3.2.1.3, no address of anybody.
SEVERAL = "0.0.0.0"

Held = TypeVar("Held")


class Ends(NamedTuple):
    """Whose attempts they are: source, pool and login."""

    source: str
    pool: str | None = None
    pool_port: int | None = None
    login: str | None = None

    @property
    def service(self) -> tuple[str | None, int | None]:
        """The pool with its port."""
        return self.pool, self.pool_port


class Beginner(NamedTuple):
    """A flow that only began, by what it is put in order."""

    first_ns: int
    source: str
    pool: str
    pool_port: int
    number: int


@dataclass(slots=True)
class AttemptCount:
    """Attempts between the same ends, or of several."""

    count: int = 0
    answered: int = 0
    first_ns: int = 1 << 63
    last_ns: int = 0
    family: str | None = None
    point: ObservationPoint = field(default_factory=lambda: ObservationPoint("", ()))

    def add(self, other: AttemptCount) -> None:
        """Count what another one has counted."""
        self.family = other.family if self.family in (None, other.family) else MIXED
        self.point = max((self.last_ns, self.point), (other.last_ns, other.point), key=_later)[1]
        self.count, self.answered = self.count + other.count, self.answered + other.answered
        self.first_ns, self.last_ns = min(self.first_ns, other.first_ns), max(self.last_ns, other.last_ns)


def _later(seen: tuple[int, ObservationPoint]) -> tuple[int, str, tuple[int, ...]]:
    return seen[0], seen[1].source, seen[1].vlans


class AttemptGroup(NamedTuple):
    """What one summary is of: a source, a pool, or neither where there are several."""

    source: str | None
    pool: str | None
    pool_port: int | None
    counts: AttemptCount
    sources: int  # told apart
    pools: int

    def identity(self, began_ns: int) -> str:
        """Of what it is in the interval that began then: the same at every replay."""
        return stable_id("attempts", began_ns, self.source, self.pool, self.pool_port)


class AttemptInterval(Generic[Held]):
    """The attempts of one interval."""

    __slots__ = ("counts", "due_ns", "held", "news", "overflow", "total")

    def __init__(self, total: int = 0) -> None:
        self.held: list[tuple[Beginner, Held]] = []  # those that are not judged yet, in order
        self.counts: dict[Ends, AttemptCount] = {}
        self.overflow = 0
        self.news = False
        self.total = total  # attempts so far, however they were dealt with
        self.due_ns: int | None = None  # when a sensor that runs reports it

    def hold(self, beginner: Beginner, flow: Held) -> Held | None:
        """Hold it to be judged later; the one that is only counted instead, the latest of too many."""
        insort(self.held, (beginner, flow), key=itemgetter(0))
        return self.held.pop()[1] if len(self.held) > MOST_HELD else None

    def waiting(self, *, first: bool) -> Iterator[tuple[Held, bool]]:
        """All that are held, in order, and whether each is judged by itself; of a flood only the `first` are."""
        of_pool: Counter[tuple[str, int]] = Counter()
        judged = 0
        held, self.held = self.held, []
        for beginner, flow in held:
            pool = (beginner.pool, beginner.pool_port)
            is_first = first and judged < MOST_JUDGED and of_pool[pool] < MOST_OF_A_POOL
            alone = is_first or self.total <= FLOOD
            of_pool[pool] += 1
            judged += alone
            yield flow, alone

    def count(self, ends: Ends, attempt: AttemptCount) -> None:
        """Count one attempt."""
        if ends not in self.counts and len(self.counts) >= MAX_PAIRS:
            self.overflow += attempt.count
            ends = Ends(SEVERAL, ends.pool, ends.pool_port)
            if ends not in self.counts and len(self.counts) >= MAX_PAIRS + MAX_POOLS:
                ends = Ends(SEVERAL)
        self.counts.setdefault(ends, AttemptCount()).add(attempt)
        self.news = True

    def busiest(self) -> list[tuple[Ends, AttemptCount]]:
        """Those between the same ends that are the most."""
        return sorted(self.counts.items(), key=lambda item: (-item[1].count, str(item[0])))[:MOST_GROUPS]

    def groups(self) -> list[AttemptGroup]:
        """What becomes a finding each: the busiest sources, then the busiest pools, then all others together."""
        left = dict(self.counts)
        found = []
        for name_of in (_source, _service):
            for name in _busiest(left, name_of):
                found.append(_group([ends for ends in left if name_of(ends) == name], left))
        return [*found, _group([*left], left)] if left else found


def _source(ends: Ends) -> object:
    return None if ends.source == SEVERAL else ends.source


def _service(ends: Ends) -> object:
    return None if ends.pool is None else ends.service


def _busiest(counts: dict[Ends, AttemptCount], name_of: Callable[[Ends], object]) -> list[object]:
    """The names with the most attempts, as far as they have many."""
    totals: Counter[object] = Counter()
    for ends, attempts in counts.items():
        name = name_of(ends)
        if name is not None:
            totals[name] += attempts.count
    ordered = sorted(totals, key=lambda name: (-totals[name], str(name)))
    return [name for name in ordered[:MOST_GROUPS] if totals[name] >= MANY]


def _group(its: Sequence[Ends], left: dict[Ends, AttemptCount]) -> AttemptGroup:
    """The group of these, taken out of what is left."""
    whole = AttemptCount()
    for ends in its:
        whole.add(left.pop(ends))
    sources, services = {ends.source for ends in its}, {ends.service for ends in its}
    pool, port = next(iter(services)) if len(services) == 1 else (None, None)
    source = next(iter(sources)) if len(sources) == 1 else None
    return AttemptGroup(None if source == SEVERAL else source, pool, port, whole, len(sources), len(services))


class Room:
    """How many attempts were judged one by one within the last INTERVAL_NS."""

    __slots__ = ("_most", "_most_of_a_pool", "_of_pool", "_taken")

    def __init__(self, most: int, most_of_a_pool: int) -> None:
        self._most, self._most_of_a_pool = most, most_of_a_pool
        self._taken: deque[tuple[int, tuple[str, int]]] = deque()
        self._of_pool: Counter[tuple[str, int]] = Counter()

    def take(self, beginner: Beginner, at_ns: int) -> bool:
        """Whether there is room for one more."""
        while self._taken and self._taken[0][0] + INTERVAL_NS <= at_ns:
            pool = self._taken.popleft()[1]
            self._of_pool[pool] -= 1
            if not self._of_pool[pool]:
                del self._of_pool[pool]
        pool = (beginner.pool, beginner.pool_port)
        if len(self._taken) >= self._most or self._of_pool[pool] >= self._most_of_a_pool:
            return False
        self._taken.append((at_ns, pool))
        self._of_pool[pool] += 1
        return True


class Attempts(Generic[Held]):
    """All attempts of one run; `at_once`: the first of an interval are judged when they end, not later."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once
        self._intervals: dict[int, AttemptInterval[Held]] = {}
        self._over: dict[int, int] = {}  # how many attempts intervals had that are gone: some flows of theirs end late
        self._room, self._watched = Room(MOST_JUDGED, MOST_OF_A_POOL), Room(MOST_WATCHED, MOST_WATCHED)
        self.counters: Counter[str] = Counter()

    def take(self, beginner: Beginner, last_ns: int, flow: Held, *, watched: bool) -> tuple[Held | None, Held | None]:
        """A flow that only began has ended: what is to be judged now, and what is to be counted now; `watched`: as many
        as there is room for are judged in any case."""
        if watched and self._watched.take(beginner, last_ns):
            return flow, None
        interval = self._interval(last_ns)
        interval.total += 1
        if self._at_once and self._room.take(beginner, last_ns):
            return flow, None
        return None, interval.hold(beginner, flow)

    def count(self, ends: Ends, attempt: AttemptCount) -> None:
        """Count an attempt that is not judged."""
        interval = self._interval(attempt.last_ns)
        before = interval.overflow
        interval.count(ends, attempt)
        self.counters["attempts_counted"] += attempt.count
        self.counters["attempts_ends_forgotten"] += interval.overflow - before

    def _interval(self, at_ns: int) -> AttemptInterval[Held]:
        number = at_ns // INTERVAL_NS
        interval = self._intervals.get(number)
        if interval is None:
            interval = self._intervals[number] = AttemptInterval(self._over.pop(number, 0))
        return interval

    def _is_due(self, number: int, now_ns: int) -> bool:
        """Whether an interval is over, and long enough so for a sensor that runs."""
        interval, end_ns = self._intervals[number], (number + 1) * INTERVAL_NS
        if not self._at_once:
            return end_ns <= now_ns
        if interval.due_ns is None:
            interval.due_ns = max(end_ns, now_ns) + GRACE_NS
        return interval.due_ns <= now_ns

    def waiting(self, now_ns: int, *, over: bool = False) -> Iterator[tuple[Held, bool]]:
        """What was held, and whether it is judged by itself: of intervals that are over while a sensor runs, of the
        oldest where there are too many, of all if it is `over`."""
        excess = sorted(self._intervals)[:-MAX_INTERVALS]
        for number in sorted(self._intervals):
            ended = self._at_once and self._is_due(number, now_ns)
            if over or ended or number in excess:
                yield from self._intervals[number].waiting(first=not self._at_once)

    def summaries(
        self, now_ns: int, join: Callable[[Ends, AttemptCount], bool], *, over: bool = False
    ) -> Iterator[tuple[int, AttemptGroup]]:
        """What is to be reported of intervals that are over (`over`: of all): their beginning, and a group. First
        `join` is asked to take each count into a finding of the same ends."""
        excess = sorted(self._intervals)[:-MAX_INTERVALS]
        for number in sorted(self._intervals):
            interval = self._intervals[number]
            ended = self._is_due(number, now_ns)
            if (over or number in excess or (ended and self._at_once)) and interval.news:
                interval.news = False
                for ends, counts in interval.busiest():
                    if join(ends, counts):
                        del interval.counts[ends]
                for group in interval.groups():
                    yield number * INTERVAL_NS, group
            if ended and not interval.held and (self._at_once or len(self._intervals) > MAX_INTERVALS):
                del self._intervals[number]
                self._over[number] = interval.total
                while len(self._over) > MAX_INTERVALS:
                    del self._over[min(self._over)]
