"""What the lengths of one session say: whether a mining dialect explains them, and by how much the relations that hold
go beyond chance.

The p-value is that of the session's own lengths in shuffled order, direction by direction, with times as they were. It
pays for every reading and opening that the lengths allow and that could have given as little, and for every look.
Knows grammars and traces; knows no blocks and no names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from sensor.behaviour.block_beat import BlockBeat
from sensor.behaviour.chances import chance_of_order, gaps_look_exponential
from sensor.behaviour.dialect_lengths import DialectLengths
from sensor.behaviour.gates import (
    Pushes,
    client_fits,
    holds,
    read_pushes,
    searches_without_memory,
    server_fits,
    shares_fit,
)
from sensor.behaviour.message_kinds import Constants, constants_of
from sensor.behaviour.opening import WorkStart, opening_fits, openings_tried, starts
from sensor.behaviour.opening_order import least_opening, opening_relations
from sensor.behaviour.other_protocols import other_protocols
from sensor.behaviour.reading import (
    NOTHING,
    Answered,
    Sides,
    Window,
    answer_places,
)
from sensor.behaviour.reading_chances import Chance, ReadingTest, Search, chances_of
from sensor.behaviour.relation import Relation, Tested
from sensor.behaviour.trace import Trace, without_handshake, without_upgrade
from sensor.model.text import N_
from sensor.model.time import SECOND_NS

#: When a session is looked at; each look has an equal part of the budget.
LOOKS_S = (600, 1_800, 3_600, 21_600)
#: Bytes by which ids and counters grow within a session.
GROWTH = 2
#: Lengths from which shares and replies are chosen; a thin session with more has no grammar of few lines.
MAX_STARTS = 12
#: A digit that question and answer grow by at once is believed from this chance on.
ROLL_OVER_CHANCE = 1e-4
#: A dialect explains a session as well as another if its chance is no more than this many times as large.
ALIKE = 10
#: A reading is taken from this p on, and constants of other protocols are asked for from that.
GRAMMAR_CHANCE, CONSTANTS_FROM = 1e-5, 1e-3
#: Readings of which the constants are asked for.
MAX_READINGS = 6
#: Records of a miner below which there is nothing to read.
LEAST_QUESTIONS, LEAST_PUSHES = 1, 2
#: Jobs that a session without shares must have.
LEAST_PUSHES_ALONE = 5


class _Found(NamedTuple):
    """A reading that the gates let through."""

    p: float
    dialect: DialectLengths
    test: ReadingTest
    start: WorkStart


@dataclass(frozen=True, slots=True)
class GrammarResult:
    """What one look at a session gave."""

    p: float = 1.0  # after search and looks
    dialects: tuple[str, ...] = ()  # that explain it equally well
    relations: tuple[Relation, ...] = ()
    tried: int = 0  # tests that p pays for, looks not counted
    submits: int = 0
    answered: tuple[int, int] = (0, 0)  # shares that were answered: at least, at most
    requests_by_digits: int | None = None  # how many requests there had been when the id grew by a digit
    roll_over: bool = False  # in question and answer at once
    opening: bool = False  # seen, and it fits
    gaps_p: tuple[float, float] = (1.0, 1.0)  # of gaps as even, and as uneven
    constants_p: float = 1.0  # that those of another protocol of this structure fit as closely; 1 where p is not small
    readings: tuple[tuple[float, Constants], ...] = ()  # p as it is, and lengths of the kinds of messages
    untestable: str | None = None


def look_at(trace: Trace, grammars: Sequence[DialectLengths], *, gated: bool = True) -> GrammarResult:
    """The session as far as it is in the trace. `gated=False` leaves the gates open, to measure the p-values alone."""
    return look_at_any((trace,), grammars, gated=gated)[0]


def look_at_any(
    traces: Sequence[Trace], grammars: Sequence[DialectLengths], *, gated: bool = True
) -> tuple[GrammarResult, int]:
    """What the best of several ways to take one session's records gives, and which it is: p pays for all of them."""
    looks = [_readable(trace, grammars, gated) for trace in traces]
    found = [result for result, _ in looks]
    which = min(range(len(found)), key=lambda i: (found[i].p, bool(found[i].untestable), -len(found[i].relations)))
    best = found[which]
    if best.untestable is not None:
        return best, which
    tried = sum(search.price(best.p) for _, searches in looks for search in searches)

    def paid(p: float) -> float:
        return min(1.0, p * max(1, sum(search.price(p) for _, searches in looks for search in searches)) * len(LOOKS_S))

    p = paid(best.p)
    if p > CONSTANTS_FROM:
        return replace(best, p=p, tried=tried, readings=()), which
    near = (entry for entry in best.readings if entry[0] <= best.p or paid(entry[0]) <= GRAMMAR_CHANCE)
    fitting = tuple({some: p for p, some in sorted(near, key=lambda entry: -entry[0])}.items())[-MAX_READINGS:]
    readings = tuple((p, some) for some, p in fitting)
    constants_p = other_protocols(tuple(grammars)).least_chance([some for _, some in readings])
    return replace(best, p=p, tried=tried, readings=readings, constants_p=constants_p), which


def constants_of_coin(own: GrammarResult, grammars: Sequence[DialectLengths], beat: BlockBeat | None) -> float | None:
    """The chance of the constants by the dialects of the coin whose blocks a session may follow; None where none of
    them is among those that explain it best."""
    if beat is None or beat.p > CONSTANTS_FROM or not own.readings:
        return None
    if not any(each.dialect in own.dialects and beat.coin in each.coins for each in grammars):
        return None
    return other_protocols(tuple(grammars)).least_chance([some for _, some in own.readings], beat.coin)


def _readable(trace: Trace, grammars: Sequence[DialectLengths], gated: bool) -> tuple[GrammarResult, list[Search]]:
    """The best reading, its p as it is, and all searches for it."""
    if trace.width:
        known_to = N_("lengths are known to {count} bytes only").format(count=trace.width + 1)
        return GrammarResult(untestable=known_to), []
    best, searches, readings = GrammarResult(), list[Search](), list[tuple[float, Constants]]()
    for stripped in without_handshake(trace):
        for within, fitting in _carried(stripped, grammars):
            found, search = _search(within, fitting, gated)
            searches.append(search)
            readings.extend(found.readings)
            if found.p < best.p or (found.relations and not best.relations):
                best = found
    if any(search.leasts for search in searches):
        return replace(best, readings=tuple(readings)), searches
    sides = Sides(trace)
    few = len(sides.client) < LEAST_QUESTIONS or len(sides.server) < LEAST_PUSHES
    return replace(best, untestable=N_("too few records") if few else None), searches


def _carried(trace: Trace, grammars: Sequence[DialectLengths]) -> Iterator[tuple[Trace, Sequence[DialectLengths]]]:
    """The trace for every grammar, and where it may begin with a change to WebSocket, what follows for those of it."""
    yield trace, grammars
    changed = without_upgrade(trace)
    if changed is not None:
        yield changed, [grammar for grammar in grammars if grammar.transport == "websocket"]


def over_looks(results: Sequence[GrammarResult]) -> GrammarResult:
    """The look at a session that says most. Each p has paid for all looks, so the least of them stands."""
    return min(results, key=lambda result: result.p, default=GrammarResult(untestable=N_("not looked at")))


def _search(trace: Trace, grammars: Sequence[DialectLengths], gated: bool) -> tuple[GrammarResult, Search]:
    """The best reading of a trace with p as it is, and the different tests that its lengths allow."""
    tests: dict[ReadingTest, Chance] = {}
    best: list[_Found] = []
    whole = Sides(trace)
    parts = {0: whole}
    readings: dict[WorkStart, list[float]] = {}
    for dialect in grammars:
        for start in starts(trace, whole, dialect) if gated else (WorkStart(0),):
            if start.skip not in parts:
                parts[start.skip] = Sides(trace, start.skip)
            sides = parts[start.skip]
            for test, beginning in _tests(dialect, whole, sides, start, gated):
                if test not in tests:
                    tests[test] = chances_of(sides, test, beginning)
                    readings.setdefault(start, []).append(tests[test].least_later)
                fits = not gated or opening_fits(trace, start, dialect, test.shares, test.replies)
                if fits and (not gated or _in_order(sides, test)):
                    best.append(_Found(tests[test].p, dialect, test, start))
    search = Search(tuple(some.least for some in tests.values()))
    if gated and trace.opening and tests:
        # Openings that the lengths allow and the order does not were tried, too, each with as many readings.
        search = replace(
            search,
            readings=tuple(map(tuple, readings.values())),
            openings=openings_tried(whole, grammars),
            least_opening=least_opening(whole),
        )
    if not best:
        return GrammarResult(), search
    least = min(best, key=lambda found: found.p)
    test = least.test
    alike = (
        found.dialect.dialect
        for found in best
        if found.p <= least.p * ALIKE
        and (found.test.shares.low, found.test.replies.low) == (test.shares.low, test.replies.low)
    )
    result = _result(parts[test.skip], test, tuple(dict.fromkeys(alike)), tests[test])
    ways = (
        (
            each.p,
            constants_of(trace, parts[each.test.skip], each.test.shares, each.test.replies, each.start, each.dialect),
        )
        for each in best
    )
    return replace(result, readings=tuple(dict.fromkeys(ways))), search


def _tests(
    dialect: DialectLengths, whole: Sides, sides: Sides, start: WorkStart, gated: bool
) -> Iterator[tuple[ReadingTest, list[Tested]]]:
    """What is asked of each reading, with the relations of the opening."""
    for shares, replies, pushes in _readings(dialect, sides, start, gated):
        beginning = opening_relations(whole, start, shares, replies)
        opening = tuple((some.relation.p, *some.levels) for some in beginning)
        step = dialect.step if pushes.on_ladder else None
        for all_asked in (False, True) if shares and not _only(sides, shares) else (False,):
            yield ReadingTest(shares, replies, all_asked, step, start.skip, opening), beginning


def _readings(
    dialect: DialectLengths, sides: Sides, start: WorkStart, gated: bool
) -> Iterator[tuple[Window, Window, Pushes]]:
    """Every choice of shares and replies that the lengths allow, whatever their order."""
    client, server = sides.client_counts, sides.server_counts
    total = len(sides.server)
    if start.opening is not None and client_fits(dialect, client, NOTHING):
        pushes = read_pushes(dialect, server, NOTHING)
        if pushes.jobs >= LEAST_PUSHES_ALONE and server_fits(pushes, total):
            yield NOTHING, NOTHING, pushes
    slack = max(some.slack for some in dialect.submits)
    for low in _lowest(client):
        shares = Window(low, low + GROWTH + slack)
        if gated and not (shares_fit(dialect, shares) and client_fits(dialect, client, shares)):
            continue
        questions = sum(n for length, n in client.items() if length in shares)
        short = Counter({length: n for length, n in server.items() if holds(dialect.replies, length)})
        for base in _lowest(short):
            replies = Window(base, base + GROWTH)
            pushes = read_pushes(dialect, server, replies, len(sides.client) - questions)
            number = sum(n for length, n in server.items() if length in replies)
            if gated and not (server_fits(pushes, total) and number <= len(sides.client) * 1.1 + 2):
                continue
            if questions >= LEAST_QUESTIONS and (not gated or number >= 0.6 * questions - 1):
                yield shares, replies, pushes


def _only(sides: Sides, shares: Window) -> bool:
    return all(length in shares for length in sides.client_counts)


def _lowest(lengths: Counter[int]) -> list[int]:
    """Lengths at which a kind of message may begin: the commonest, and none right above another."""
    commonest = [length for length, _ in lengths.most_common(MAX_STARTS)]
    return [length for length in sorted(commonest) if not any(length - d in lengths for d in range(1, GROWTH + 1))]


def _in_order(sides: Sides, test: ReadingTest) -> bool:
    """The gates that look at times and order."""
    answered = answer_places(sides, test.shares)
    hits = sum(sides.server[place] in test.replies for place in answered.drawn)
    if hits < 0.7 * len(answered.asked) - 1:
        return False
    return searches_without_memory(sides, answered, test.replies) is None


def _result(sides: Sides, test: ReadingTest, dialects: tuple[str, ...], chance: Chance) -> GrammarResult:
    answered = answer_places(sides, test.shares)
    hits = sum(sides.server[place] in test.replies for place in answered.drawn)
    times = [sides.client_ns[i] for i in answered.asked]
    gaps = [(after - before) / SECOND_NS for before, after in pairwise(times)]
    rolled = _rolled_together(sides, test, answered)
    return GrammarResult(
        p=chance.p,
        dialects=dialects,
        relations=chance.relations,
        submits=len(times),
        answered=(hits, len(times)),
        requests_by_digits=rolled,
        roll_over=rolled is not None,
        opening=bool(test.opening),
        gaps_p=gaps_look_exponential(gaps),
    )


def _rolled_together(sides: Sides, test: ReadingTest, answered: Answered) -> int | None:
    """At which question both lengths grew, if at one and the same and in neither before or after."""
    pairs = [
        (sides.client[i], sides.server[place])
        for i, place in zip(answered.asked, answered.places, strict=True)
        if place is not None and sides.server[place] in test.replies
    ]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(pairs)]
    grown = [n for n, step in enumerate(steps, 1) if step == (1, 1)]
    if not grown or any(step not in ((0, 0), (1, 1)) for step in steps):
        return None
    chance = chance_of_order([a for a, _ in pairs]) * chance_of_order([b for _, b in pairs])
    return grown[0] if chance <= ROLL_OVER_CHANCE else None
