"""Whose an address was while a finding lasted: the stretches of time in which the books say one thing.

Each connection is asked for in every stretch of its own time, so the hours before a row began are nobody's, and those
of an earlier holder stay the earlier one's. Where connections of the same time lead to different holders, nobody is
named for that time. Reads the books' index; knows no file and no clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from sensor.attribution.answer.borders import borders
from sensor.attribution.answer.claims import Claims
from sensor.attribution.answer.connections import Asked, AskedTime, merge_answers
from sensor.attribution.answer.decision import Decision, Question
from sensor.model.attribution import Attribution, HolderStretch
from sensor.sheets.dates import ALWAYS, FOREVER

#: Stretches of one finding; the newest stay, and what lies before them is nobody's.
MOST_STRETCHES = 64

Ask = Callable[[Asked, int], Question | None]
Decide = Callable[[Question], Decision]
Explain = Callable[[Asked, Question | None, Decision], Attribution]


class _Segment(NamedTuple):
    """A time in which one answer holds for a connection."""

    from_ns: int
    to_ns: int
    answer: Hashable


class Answers(NamedTuple):
    """The stretches in order, and what the connections lead to where a book speaks; in the last stretch if it speaks
    nowhere."""

    stretches: list[HolderStretch]
    spoken: list[Attribution]


class HolderTimes:
    """Asks for the connections of one finding."""

    def __init__(self, claims: Claims, ask: Ask, decide: Decide, explain: Explain) -> None:
        self._claims, self._ask, self._decide, self._explain = claims, ask, decide, explain
        self._answers: dict[Hashable, Attribution] = {}
        self._borders: dict[Asked, list[int]] = {}
        self._asked: dict[tuple[Asked, int], Hashable] = {}

    def of(self, times: Sequence[AskedTime]) -> Answers:
        """The stretches of all these connections together."""
        from_ns, to_ns = min(time.from_ns for time in times), max(time.to_ns for time in times)
        for asked in {time.asked for time in times}:
            question = self._ask(asked, from_ns)
            self._borders[asked] = [] if question is None else borders(self._claims, question, from_ns, to_ns)
        segments = [segment for time in times for segment in self._segments(time)]
        stretches: list[HolderStretch] = []
        spoken: dict[Hashable, Attribution] = {}
        last: list[Attribution] = []
        for start, end, answers in _overlaid(segments):
            last = [self._answers[answer] for answer in answers]
            stretch = HolderStretch(start, end, merge_answers(last))
            if stretch.attribution.result != "unknown":
                spoken.update((answer, self._answers[answer]) for answer in answers)
            self._append(stretches, stretch)
        if stretches:
            points = list(dict.fromkeys(time.asked._replace(port=None) for time in times))
            stretches = [replace(stretch, wholly=self._is_wholly(stretch, points)) for stretch in stretches]
            self._extended(stretches, points)
        return Answers(stretches[-MOST_STRETCHES:], list(spoken.values()) or last)

    def _segments(self, time: AskedTime) -> Iterable[_Segment]:
        """The time of a connection, cut at the borders."""
        cuts = self._borders[time.asked]
        at = bisect_right(cuts, time.from_ns)
        start = time.from_ns
        while start < time.to_ns:
            end = min(time.to_ns, cuts[at]) if at < len(cuts) else time.to_ns
            key = (time.asked, at)
            if key not in self._asked:
                self._asked[key] = self._answer(time.asked, start)
            yield _Segment(start, end, self._asked[key])
            start, at = end, at + 1

    def _answer(self, asked: Asked, at_ns: int) -> Hashable:
        """What tells an answer from others; the answer itself is made once."""
        question = self._ask(asked, at_ns)
        decision = Decision([]) if question is None else self._decide(question)
        # One row may stand for many: of a computed translator each port is another address, of a lease the account may
        # change hands.
        key = (
            decision.result,
            decision.deciding,
            *decision.rows,
            decision.inside,
            decision.enterprise,
            decision.site,
        )
        if key not in self._answers:
            self._answers[key] = self._explain(asked, question, decision)
        return key

    def _append(self, stretches: list[HolderStretch], stretch: HolderStretch) -> None:
        """Add a stretch; it goes on with the one before it if the holder is the same, and was between them."""
        if stretches and _party(stretches[-1].attribution) == _party(stretch.attribution):
            before = stretches[-1]
            pause = {at for cuts in self._borders.values() for at in _within(cuts, before.to_ns, stretch.from_ns)}
            if not pause:
                stretches[-1] = HolderStretch(before.from_ns, stretch.to_ns, before.attribution)
                return
        stretches.append(stretch)

    def _extended(self, stretches: list[HolderStretch], points: Sequence[Asked]) -> None:
        """Let the first stretch begin, and the last one end, as far away as the address is its holder's, whichever the
        port."""
        first, last = stretches[0], stretches[-1]
        if first.wholly:
            cuts = self._cuts(points, ALWAYS, first.from_ns)
            starts = [ALWAYS, *cuts]
            since_ns = first.from_ns
            for start in reversed(starts[-MOST_STRETCHES:]):
                if not self._is_whole(first, points, start):
                    break
                since_ns = start
            stretches[0] = replace(first, from_ns=min(since_ns, first.from_ns))
        if last.wholly:
            until_ns = last.to_ns
            for end in [*self._cuts(points, last.to_ns - 1, FOREVER), FOREVER][:MOST_STRETCHES]:
                if not self._is_whole(last, points, until_ns):
                    break
                until_ns = max(until_ns, end)
            stretches[-1] = replace(stretches[-1], to_ns=until_ns)

    def _cuts(self, points: Sequence[Asked], from_ns: int, to_ns: int) -> list[int]:
        """The moments between two others at which another answer may begin for one of these points."""
        cuts: set[int] = set()
        for point in points:
            question = self._ask(point, from_ns)
            if question is not None:
                cuts.update(borders(self._claims, question, from_ns, to_ns))
        return sorted(cuts)

    def _is_wholly(self, stretch: HolderStretch, points: Sequence[Asked]) -> bool:
        """Whether the address is a stretch's holder's all the time, whichever the port."""
        if stretch.attribution.result != "named":
            return False
        cuts = self._cuts(points, stretch.from_ns, stretch.to_ns)
        return all(self._is_whole(stretch, points, at_ns) for at_ns in (stretch.from_ns, *cuts))

    def _is_whole(self, stretch: HolderStretch, points: Sequence[Asked], at_ns: int) -> bool:
        """The same at a moment."""
        for point in points:
            question = self._ask(point, at_ns)
            if question is None or _decided(self._decide(question)) != _party(stretch.attribution):
                return False
        return True


def is_always(stretches: Sequence[HolderStretch]) -> bool:
    """Whether one answer holds of all time, so that nothing more is to be said."""
    first, last = stretches[0], stretches[-1]
    if first is not last or first.attribution.result != "named":
        return first is last
    return first.wholly and first.from_ns <= ALWAYS and first.to_ns >= FOREVER


def _overlaid(segments: Sequence[_Segment]) -> Iterable[tuple[int, int, list[Hashable]]]:
    """The times in which the same segments are there, each with their answers in the order in which they came."""
    begins = sorted(segments, key=lambda segment: segment.from_ns)
    ends = sorted(segments, key=lambda segment: segment.to_ns)
    present: Counter[Hashable] = Counter()
    begun = ended = 0
    cuts = sorted({at for segment in segments for at in (segment.from_ns, segment.to_ns)})
    for start, end in pairwise(cuts):
        while ended < len(ends) and ends[ended].to_ns <= start:
            present[ends[ended].answer] -= 1
            if not present[ends[ended].answer]:
                del present[ends[ended].answer]
            ended += 1
        while begun < len(begins) and begins[begun].from_ns <= start:
            present[begins[begun].answer] += 1
            begun += 1
        if present:
            yield start, end, list(present)


def _party(answer: Attribution) -> tuple[Hashable, ...]:
    return answer.result, answer.enterprise and answer.enterprise.enterprise_id, answer.site


def _decided(decision: Decision) -> tuple[Hashable, ...]:
    return decision.result, decision.enterprise and decision.enterprise.enterprise_id, decision.site


def _within(cuts: Sequence[int], from_ns: int, to_ns: int) -> Sequence[int]:
    """The cuts at or after one moment and at or before another, that are not where two stretches meet."""
    if from_ns >= to_ns:
        return ()
    return cuts[bisect_right(cuts, from_ns - 1) : bisect_right(cuts, to_ns)]
