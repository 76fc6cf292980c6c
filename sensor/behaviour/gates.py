"""What must hold before a reading counts, though it is no evidence: the dialect explains nearly all records, its pushes
have few lengths, questions look like shares.

The gates of lengths look only at which lengths there are and how often, so they may choose readings without paying for
it; the gates of order only take readings away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from sensor.behaviour.chances import binomial_tail, gaps_look_exponential, ladder_levels
from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange
from sensor.behaviour.reading import Answered, Sides, Window
from sensor.model.time import SECOND_NS

#: Share of the records of a direction that a dialect must explain.
EXPLAINED = 0.9
#: Jobs of one session have one length, a second one where a counter or a target grows, a third in mixtures.
MAX_JOB_LEVELS = 3
#: A miner that works says little else than shares: its rate, that it is alive, that it wants work.
MAX_OTHER_LENGTHS = 4
#: Below this chance gaps are too even, or shares follow pushes too often, for a search that has no memory.
TOO_UNLIKELY = 1e-3
#: A question this soon after a push may be its consequence.
CONSEQUENCE_NS = SECOND_NS


@dataclass(frozen=True, slots=True)
class Pushes:
    """The server's records that answer nothing."""

    jobs: int
    levels: int
    on_ladder: bool
    explained: int  # of all records of the server


def holds(bounds: Iterable[LengthRange], length: int) -> bool:
    """Whether a length lies in one of the ranges."""
    return any(length in some for some in bounds)


def client_fits(dialect: DialectLengths, lengths: Counter[int], shares: Window) -> bool:
    """Shares within their range, and besides them few lengths, nearly all of what this dialect's miners say."""
    total = sum(lengths.values())
    others = {length: n for length, n in lengths.items() if length not in shares}
    if len(others) > MAX_OTHER_LENGTHS:
        return False
    strange = sum(n for length, n in others.items() if not holds(dialect.asks, length))
    return strange <= (1 - EXPLAINED) * total


def shares_fit(dialect: DialectLengths, shares: Window) -> bool:
    """Whether the window lies in the range of one of the dialect's shares, and is no wider than that allows."""
    return any(
        some.low <= shares.low and shares.high <= some.high + 8 and shares.high - shares.low <= 3 + some.slack
        for some in dialect.submits
    )


def read_pushes(dialect: DialectLengths, lengths: Counter[int], replies: Window, besides: int = 0) -> Pushes:
    """What of the server's lengths are jobs, on how many levels. What else the miner asked, so many times, may be
    acknowledged in another text than shares.
    """
    jobs: Counter[int] = Counter()
    explained, other = 0, 0
    for length, number in lengths.items():
        if length in replies:
            explained += number
        elif holds(dialect.jobs, length):
            jobs[length] += number
        elif holds(dialect.targets, length) or holds(dialect.answers, length):
            explained += number
        elif dialect.asks and holds(dialect.replies, length):
            other += number
    explained += min(other, besides)
    slack = max((some.slack for some in dialect.jobs), default=0)
    on_levels, levels = _levels(jobs, slack + 1)
    on_ladder, rungs = (0, 0) if dialect.step is None else _rungs(jobs, dialect.step)
    if on_ladder > on_levels:
        return Pushes(sum(jobs.values()), rungs, True, explained + on_ladder)
    return Pushes(sum(jobs.values()), levels, False, explained + on_levels)


def _levels(jobs: Counter[int], width: int) -> tuple[int, int]:
    """Jobs on the fullest levels, and how many levels these are. A level is `width` bytes wide."""
    levels: list[list[int]] = []
    for length in sorted(jobs):
        if levels and length - levels[-1][0] < width:
            levels[-1][1] += jobs[length]
        else:
            levels.append([length, jobs[length]])
    fullest = sorted((number for _, number in levels), reverse=True)[:MAX_JOB_LEVELS]
    return sum(fullest), len(fullest)


def _rungs(jobs: Counter[int], step: int) -> tuple[int, int]:
    residue, levels = ladder_levels(jobs.elements(), step)
    return sum(n for length, n in jobs.items() if (length - residue) % step <= 1), levels


def server_fits(pushes: Pushes, total: int) -> bool:
    """At least two jobs, and nearly all records explained."""
    return pushes.jobs >= 2 and pushes.explained >= EXPLAINED * total


def searches_without_memory(sides: Sides, answered: Answered, replies: Window) -> str | None:
    """The reason why the questions are no shares: they come too evenly, or as consequences of pushes."""
    times = [sides.client_ns[i] for i in answered.asked]
    gaps = [(after - before) / SECOND_NS for before, after in pairwise(times)]
    if len(gaps) >= 4 and gaps_look_exponential(gaps)[0] < TOO_UNLIKELY:
        return "questions come too evenly for shares"
    taken = set(answered.drawn)
    pushes = [at for i, at in enumerate(sides.server_ns) if i not in taken and sides.server[i] not in replies]
    if not pushes or not times:
        return None
    soon, covered = _soon_after(times, pushes)
    span = max(times[-1], pushes[-1]) - min(times[0], pushes[0])
    if soon >= 3 and binomial_tail(len(times), soon, min(1.0, covered / max(1, span))) < TOO_UNLIKELY:
        return "questions follow pushes"
    return None


def _soon_after(times: list[int], pushes: list[int]) -> tuple[int, int]:
    """Questions within CONSEQUENCE_NS of a push before them, and the time which that covers."""
    soon, covered, at = 0, 0, 0
    for i, push in enumerate(pushes):
        end = min(push + CONSEQUENCE_NS, pushes[i + 1] if i + 1 < len(pushes) else push + CONSEQUENCE_NS)
        covered += end - push
        while at < len(times) and times[at] < push:
            at += 1
        while at < len(times) and times[at] <= end:
            soon, at = soon + 1, at + 1
    return soon, covered
