"""The chances of an opening: that the first records of each direction are its requests and its answers, one after
another, if the lengths of each direction stood in shuffled order.

Knows one opening and one trace at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from sensor.behaviour.dialect_lengths import LengthRange, LineOpening
from sensor.behaviour.opening import MERGED, WorkStart, fitting_answers, is_answer
from sensor.behaviour.reading import Sides, Window
from sensor.behaviour.relation import Relation, Tested
from sensor.model.text import N_

#: Requests of an opening, and answers, whose order is tested.
MAX_NESTED = 4


def opening_relations(whole: Sides, start: WorkStart, shares: Window, replies: Window) -> list[Tested]:
    """The chances that the first records of each direction are the requests and the answers of the opening, in its
    order: under a shuffle, as far as they are. Lengths of shares are no request, and those of their answers are no
    first answer.
    """
    opening = start.opening
    if opening is None:
        return []
    found = []
    asked = [_within(whole.client_counts, bounds, shares) for bounds in opening.requests]
    levels = nested_chances(whole.client_counts, asked)
    agree = _agreeing(whole.client, range(len(asked)), asked)
    if len(whole.client) > 1:  # a single record is the first in any order
        what = N_("{sizes} bytes, as a login or subscription").format(sizes=_sizes(whole.client[: max(1, agree)]))
        found.append(_tested(N_("first request"), what, levels, agree, whole.client[: max(1, agree)], "miner"))
    fitting = {length for length in fitting_answers(whole.server_counts, opening, start.jobs) if length not in replies}
    answers = [fitting, *_later_answers(whole, opening, replies)][: len(start.places)]
    levels = nested_chances(whole.server_counts, answers)
    agree = _agreeing(whole.server, start.places, answers)
    heard = [whole.server[place] for place in start.places[: max(1, agree)]]
    what = N_("answer of {sizes} bytes").format(sizes=_sizes(heard))
    if opening.envelope is not None:
        what = N_("answer of {whole} bytes = a job of {job} + {rest}").format(
            whole=start.first, job=start.job, rest=start.first - start.job
        )
    found.append(_tested(N_("first answer"), what, levels, agree, heard, "pool"))
    return found


def nested_chances(counts: Mapping[int, int], wanted: Sequence[Collection[int]]) -> list[float]:
    """For each k the chance that k records, drawn one after another without putting back, have the lengths that are
    wanted of the first, the second, up to the k-th.

    Lengths that are wanted at the same places are counted together: a session may have hundreds of them.
    """
    wanted = wanted[:MAX_NESTED]
    kinds: Counter[tuple[bool, ...]] = Counter()
    for length, number in counts.items():
        kinds[tuple(length in some for some in wanted)] += number
    total, chances, orders = kinds.total(), list[float](), 1
    for k in range(1, min(len(wanted), total) + 1):
        orders *= total - k + 1
        chances.append(_draws(kinds, range(k)) / orders)
    return chances


def _draws(left: Counter[tuple[bool, ...]], places: Sequence[int]) -> int:
    """In how many ways records can be drawn for these places."""
    fitting = [kind for kind, number in left.items() if number and kind[places[0]]]
    if len(places) == 1:
        return sum(left[kind] for kind in fitting)
    ways = 0
    for kind in fitting:
        number = left[kind]
        left[kind] -= 1
        ways += number * _draws(left, places[1:])
        left[kind] += 1
    return ways


def _within(counts: Mapping[int, int], bounds: LengthRange, but: Window) -> set[int]:
    return {length for length in counts if length in bounds and length not in but}


def _later_answers(whole: Sides, opening: LineOpening, replies: Window) -> Iterator[set[int]]:
    """Lengths of the answers to the second request and those behind it, each alone in its record."""
    for bounds, as_share in zip(opening.answers[1:], opening.as_share[1:], strict=True):
        if bounds is None:
            return
        yield {
            length
            for length in whole.server_counts
            if length < bounds.low + MERGED and is_answer(length, bounds, as_share, replies)
        }


def _agreeing(lengths: Sequence[int], places: Iterable[int], wanted: Sequence[Collection[int]]) -> int:
    """How many of the first records are as they are wanted, up to the first that is not."""
    agree = 0
    for place, some in zip(places, wanted, strict=False):
        if agree >= MAX_NESTED or place >= len(lengths) or lengths[place] not in some:
            break
        agree += 1
    return agree


def _tested(
    name: str, what: str, levels: Sequence[float], agree: int, lengths: Sequence[int], sent_by: Literal["miner", "pool"]
) -> Tested:
    p = levels[agree - 1] if agree else 1.0
    possible = tuple(sorted({level for level in levels if 0 < level < 1}))
    return Tested(Relation(name, what, p, tuple(lengths), sent_by), (*possible, 1.0))


def _sizes(lengths: Sequence[int]) -> str:
    return " and ".join(map(str, lengths))


def least_opening(whole: Sides) -> float:
    """The least chance that an opening can have: each of its records the only one of its length."""
    chances = 1.0
    for total in (len(whole.client), len(whole.server)):
        for k in range(min(MAX_NESTED, total)):
            chances /= total - k
    return chances
