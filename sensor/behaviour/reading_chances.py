"""The chance of one reading of a session, its opening and all relations that it allows together, and what a search
through many readings costs.

Knows lengths and windows; knows no dialects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sensor.behaviour.chances import (
    LEAST,
    chance_of_ladder,
    hypergeometric_tails,
    ladder_levels,
    product_tail,
)
from sensor.behaviour.reading import (
    AnswersRelation,
    RollOver,
    Sides,
    Window,
    answer_places,
    answers_relation,
    roll_over,
)
from sensor.behaviour.relation import Relation, Tested
from sensor.model.text import N_

#: The relation of the miner's ids.
SHARE_IDS = N_("id of shares")
#: Lengths of jobs that are shown.
MAX_SHOWN = 12
#: Chances nearer than this part of them are one.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class ReadingTest:
    """Everything of which a chance depends; two dialects with one test are tried together."""

    shares: Window
    replies: Window
    all_asked: bool
    step: int | None
    skip: int
    opening: tuple[tuple[float, ...], ...]  # the chances that its relations may have, and have


class Chance(NamedTuple):
    """What a test gave."""

    p: float
    least: float  # that it could have given with these lengths in another order
    least_later: float  # the same without the opening
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The tests that the lengths of a trace allow: of each the least p that some order of them gives."""

    leasts: tuple[float, ...] = ()
    readings: tuple[tuple[float, ...], ...] = ()  # for each opening those behind it
    openings: int = 0  # that the lengths allow
    least_opening: float = 1.0  # the least chance that any of them can have

    def price(self, p: float) -> int:
        """How many of them can give p or less: others cannot be what gave it (Tarone 1990)."""
        p *= 1 + ROUNDING
        own = sum(least <= p for least in self.leasts)
        most = max((sum(least * self.least_opening <= p for least in some) for some in self.readings), default=0)
        return max(own, self.openings * most)


def chances_of(sides: Sides, test: ReadingTest, beginning: Sequence[Tested]) -> Chance:
    """All relations of a test that can be tested, those of its opening among them, and their chance together."""
    answered = answer_places(sides, None if test.all_asked else test.shares)
    found = list[Tested]()
    if test.shares:
        found.append(_answers(answers_relation(sides, answered, test.replies), test.replies))
    found.extend(_ids(sides, test))
    if test.step is not None:
        jobs = [length for length in sides.server if length not in test.replies]
        _, levels = ladder_levels(jobs, test.step)
        if levels >= 3:
            detail = N_("{count} lengths of jobs in steps of {step}").format(count=levels, step=test.step)
            chance = chance_of_ladder(levels, test.step)
            relation = Relation(N_("branches"), detail, chance, tuple(sorted(set(jobs)))[:MAX_SHOWN])
            found.append(Tested(relation, (chance, 1.0)))
    least_later = _least(found)
    found = [*beginning, *found]
    log_p = math.fsum(math.log(max(LEAST, each.p)) for each in found)
    p = product_tail([each.levels for each in found], log_p)
    return Chance(p, _least(found), least_later, tuple(_shown(found)))


def _ids(sides: Sides, test: ReadingTest) -> list[Tested]:
    """Ids that grow in the miner's questions, and in answers where they do in questions: every JSON-RPC has answers
    whose ids grow, and where nothing grows in what is taken for the questions, they answer something else.
    """
    asked = roll_over(sides.client, test.shares)
    if asked is None:
        return []
    heard, relation = roll_over(sides.server, test.replies), _rolled(SHARE_IDS, asked)
    if heard is None:
        return [Tested(relation, (asked.least, 1.0))]
    beside = _rolled(N_("id of answers"), heard)
    if asked.p >= 1:
        beside = replace(beside, p=1.0)
    return [Tested(relation, (asked.least * heard.least, asked.least, 1.0), beside)]


def _shown(found: Sequence[Tested]) -> Iterator[Relation]:
    for each in found:
        if each.beside is not None:
            yield each.beside
        yield each.relation


def _least(found: Sequence[Tested]) -> float:
    log_p = math.fsum(math.log(max(LEAST, each.levels[0])) for each in found)
    return math.exp(max(log_p, math.log(LEAST)))


def _answers(found: AnswersRelation, replies: Window) -> Tested:
    detail = N_(
        "{hits} of {places} questions are answered at once by one of the {replies} short records among {records}"
    ).format(hits=found.hits, places=found.places, replies=found.replies, records=found.records)
    relation = Relation(N_("answers"), detail, found.p, tuple(range(replies.low, replies.high + 1)))
    return Tested(relation, hypergeometric_tails(found.records, found.replies, found.places))


def _rolled(name: str, rolled: RollOver) -> Relation:
    detail = N_("{before} bytes {times} times, then up to {after}, of {of}").format(
        before=rolled.before, times=rolled.at, after=rolled.after, of=rolled.of
    )
    lengths = tuple(range(rolled.before, rolled.after + 1))
    return Relation(name, detail, rolled.p, lengths, "miner" if name == SHARE_IDS else "pool")
