"""What the lengths of one session say: whether a mining dialect explains them, and by how much the relations that hold
go beyond chance.

The p-value is that of the session's own lengths in shuffled order, direction by direction, with times as they were. It
pays for every reading and opening that the lengths allow, and for every look. Knows grammars and traces; knows no
blocks and no names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sensor.behaviour.chances import chance_of_ladder, chance_of_order, fisher, gaps_look_exponential, ladder_levels
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
from sensor.behaviour.opening import WorkStart, opening_fits, opening_relations, openings_tried, starts
from sensor.behaviour.reading import (
    NOTHING,
    Answered,
    AnswersRelation,
    RollOver,
    Sides,
    Window,
    answer_places,
    answers_relation,
    roll_over,
)
from sensor.behaviour.relation import Relation
from sensor.behaviour.trace import Trace, without_handshake
from sensor.model.time import SECOND_NS

#: When a session is looked at; each look has an equal part of the budget.
LOOKS_S = (600, 1_800, 3_600, 21_600)
#: Bytes by which ids and counters grow within a session.
GROWTH = 2
#: Lengths from which shares and replies are chosen; a thin session with more has no grammar of few lines.
MAX_STARTS = 12
#: A digit that question and answer grow by at once is believed from this chance on.
ROLL_OVER_CHANCE = 1e-4
#: The relation of the miner's ids.
SHARE_IDS = "id of shares"
#: A dialect explains a session as well as another if its chance is no more than this many times as large.
ALIKE = 10
#: Records of a miner below which there is nothing to read.
LEAST_QUESTIONS, LEAST_PUSHES = 1, 2
#: Jobs that a session without shares must have.
LEAST_PUSHES_ALONE = 5


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
    untestable: str | None = None


@dataclass(frozen=True, slots=True)
class _Test:
    """Everything of which a chance depends; two dialects with one test are tried together."""

    shares: Window
    replies: Window
    all_asked: bool
    step: int | None
    skip: int
    opening: tuple[float, ...]


def look_at(trace: Trace, grammars: Sequence[DialectLengths], *, gated: bool = True) -> GrammarResult:
    """The session as far as it is in the trace. `gated=False` leaves the gates open, to measure the p-values alone."""
    if trace.width:
        return GrammarResult(untestable=f"lengths are known to {trace.width + 1} bytes only")
    best, tried = GrammarResult(), 0
    for stripped in without_handshake(trace):
        found, tests = _search(stripped, grammars, gated)
        tried += tests
        if found.p < best.p or (found.relations and not best.relations):
            best = found
    if not tried and not best.untestable:
        sides = Sides(trace)
        few = len(sides.client) < LEAST_QUESTIONS or len(sides.server) < LEAST_PUSHES
        return replace(best, untestable="too few records" if few else None)
    return replace(best, p=min(1.0, best.p * tried * len(LOOKS_S)), tried=tried)


def over_looks(results: Sequence[GrammarResult]) -> GrammarResult:
    """The look at a session that says most. Each p has paid for all looks, so the least of them stands."""
    return min(results, key=lambda result: result.p, default=GrammarResult(untestable="not looked at"))


def _search(trace: Trace, grammars: Sequence[DialectLengths], gated: bool) -> tuple[GrammarResult, int]:
    """The best reading of a trace with p as it is, and the number of different tests that its lengths allow."""
    tests: dict[_Test, tuple[float, tuple[Relation, ...]]] = {}
    best: list[tuple[float, str, _Test]] = []
    whole = Sides(trace)
    parts = {0: whole}
    readings: Counter[WorkStart] = Counter()
    for dialect in grammars:
        for start in starts(trace, whole, dialect) if gated else (WorkStart(0),):
            if start.skip not in parts:
                parts[start.skip] = Sides(trace, start.skip)
            sides = parts[start.skip]
            for shares, replies, pushes in _readings(dialect, sides, start, gated):
                for all_asked in (False, True) if shares and not _only(sides, shares) else (False,):
                    opening = tuple(some.p for some in opening_relations(whole, start, shares, replies))
                    step = dialect.step if dialect.step is None or pushes.on_ladder else None
                    test = _Test(shares, replies, all_asked, step, start.skip, opening)
                    if test not in tests:
                        tests[test] = _chances(whole, sides, test, start)
                        readings[start] += 1
                    if not gated or (_in_order(sides, test) and opening_fits(trace, start, dialect, shares, replies)):
                        best.append((tests[test][0], dialect.dialect, test))
    tried = len(tests)
    if gated and trace.opening and tests:
        # Openings that the lengths allow and the order does not were tried, too, each with as many readings.
        tried = max(tried, openings_tried(whole, grammars) * max(readings.values()))
    if not best:
        return GrammarResult(), tried
    p, _, test = min(best, key=lambda entry: entry[0])
    alike = (
        name
        for chance, name, other in best
        if chance <= p * ALIKE and (other.shares.low, other.replies.low) == (test.shares.low, test.replies.low)
    )
    return _result(parts[test.skip], test, tuple(dict.fromkeys(alike)), p, tests[test][1]), tried


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
        for base in _lowest(Counter({length: n for length, n in server.items() if holds(dialect.replies, length)})):
            replies = Window(base, base + GROWTH)
            pushes = read_pushes(dialect, server, replies)
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


def _chances(whole: Sides, sides: Sides, test: _Test, start: WorkStart) -> tuple[float, tuple[Relation, ...]]:
    """All relations of a test that can be tested, and their chance together."""
    answered = answer_places(sides, None if test.all_asked else test.shares)
    relation = answers_relation(sides, answered, test.replies)
    found = opening_relations(whole, start, test.shares, test.replies)
    relations = list(found)
    if test.shares:
        relations.append(_answers(relation, test.replies))
    for name, lengths, window in (
        ("id of answers", sides.server, test.replies),
        (SHARE_IDS, sides.client, test.shares),
    ):
        rolled = roll_over(lengths, window)
        if rolled is not None:
            relations.append(_rolled(name, rolled))
    if test.step is not None:
        jobs = [length for length in sides.server if length not in test.replies]
        _, levels = ladder_levels(jobs, test.step)
        if levels >= 3:
            detail = f"{levels} lengths of jobs in steps of {test.step}"
            chance = chance_of_ladder(levels, test.step)
            relations.append(Relation("branches", detail, chance, tuple(sorted(set(jobs)))[:MAX_STARTS]))
    return fisher([some.p for some in relations]), tuple(relations)


def _answers(found: AnswersRelation, replies: Window) -> Relation:
    detail = (
        f"{found.hits} of {found.places} questions are answered at once by one of the {found.replies} short records"
        f" among {found.records}"
    )
    return Relation("answers", detail, found.p, tuple(range(replies.low, replies.high + 1)))


def _rolled(name: str, rolled: RollOver) -> Relation:
    detail = f"{rolled.before} bytes {rolled.at} times, then up to {rolled.after}, of {rolled.of}"
    lengths = tuple(range(rolled.before, rolled.after + 1))
    return Relation(name, detail, rolled.p, lengths, "miner" if name == SHARE_IDS else "pool")


def _in_order(sides: Sides, test: _Test) -> bool:
    """The gates that look at times and order."""
    answered = answer_places(sides, test.shares)
    hits = sum(sides.server[place] in test.replies for place in answered.drawn)
    if hits < 0.7 * len(answered.asked) - 1:
        return False
    return searches_without_memory(sides, answered, test.replies) is None


def _result(
    sides: Sides, test: _Test, dialects: tuple[str, ...], p: float, relations: tuple[Relation, ...]
) -> GrammarResult:
    answered = answer_places(sides, test.shares)
    hits = sum(sides.server[place] in test.replies for place in answered.drawn)
    times = [sides.client_ns[i] for i in answered.asked]
    gaps = [(after - before) / SECOND_NS for before, after in pairwise(times)]
    rolled = _rolled_together(sides, test, answered)
    return GrammarResult(
        p=p,
        dialects=dialects,
        relations=relations,
        submits=len(times),
        answered=(hits, len(times)),
        requests_by_digits=rolled,
        roll_over=rolled is not None,
        opening=bool(test.opening),
        gaps_p=gaps_look_exponential(gaps),
    )


def _rolled_together(sides: Sides, test: _Test, answered: Answered) -> int | None:
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
