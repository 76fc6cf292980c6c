"""The beginning of a session: whether its first records are the messages with which a dialect's sessions begin, each
answered as there, with a first job at their end.

All of it is a gate; the chances are elsewhere (`opening_order`). Knows one dialect and one trace at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange, LineOpening
from sensor.behaviour.reading import Sides, Window
from sensor.behaviour.trace import CLIENT, SERVER, Trace
from sensor.model.time import SECOND_NS

#: A pool may take its time over a login (5.2 s in a public capture of XMRig).
LOGIN_NS = 30 * SECOND_NS
#: A first job comes with the answer to the last request of the opening, or right behind it.
FIRST_JOB_NS = 2 * SECOND_NS
#: Where a target comes with it, a job may come so much later.
LATE_JOB_NS = 30 * SECOND_NS
#: A miner sends the next request of its opening as soon as it has an answer, or does not wait for one.
NEXT_REQUEST_NS = 2 * SECOND_NS
#: A pool writes several lines at one moment, in records of their own.
TOGETHER_NS, MAX_TOGETHER = SECOND_NS // 20, 4
#: Requests that an opening may have besides those of the example: what else its miners ask.
MAX_BESIDES = 3
#: Bytes by which an id in the opening has fewer digits than later ones.
FEWER_DIGITS = 2
#: A name in an answer may be as much longer than in the example.
OTHER_TEXT = 16
#: What a pool may write in one answer and not in another: an error of null (13 or 15 bytes), the version (16 or 18).
MEMBERS = (0, 13, 15, 16, 18, -13, -15, -16, -18)
#: Jobs of one session differ by the digits of what they count, and by names of jobs; what differs more is another kind.
JOBS_APART = 16
#: A record this much longer than an answer is the answer and more lines with it.
MERGED = 40
NO_LENGTH = LengthRange(0, 0)


@dataclass(frozen=True, slots=True)
class WorkStart:
    """Where the work begins, and the opening before it; None where it was not seen or the dialect shows none."""

    skip: int  # records of the opening
    opening: LineOpening | None = None
    requests: tuple[int, ...] = ()  # which records are the requests of the opening
    answers: tuple[int, ...] = ()  # and which their answers
    first: int = 0  # the length of the first answer
    job: int = 0  # the commonest length that jobs may have
    jobs: LengthRange = NO_LENGTH  # and those near it
    places: tuple[int, ...] = ()  # of the requests' answers among the server's records


def starts(trace: Trace, whole: Sides, dialect: DialectLengths) -> Iterator[WorkStart]:
    """Where the work may begin: at once in a session that was joined, else behind an opening that fits. A dialect
    whose examples show no opening does not explain a session whose opening was seen.
    """
    if not trace.opening:
        yield WorkStart(0)
        return
    if not len(trace) or trace.directions[0] != CLIENT:
        return
    for opening in dialect.openings:
        start = _start(trace, whole, opening, dialect)
        if start is not None:
            yield start


def openings_tried(whole: Sides, grammars: Iterable[DialectLengths]) -> int:
    """How many different openings the lengths allow, in whatever order they came: p pays for each."""
    tried = set()
    for dialect in grammars:
        _, jobs = _usual_jobs(whole, dialect)
        for opening in dialect.openings:
            requests = frozenset(length for length in whole.client_counts if length in opening.requests[0])
            answers = frozenset(fitting_answers(whole.server_counts, opening, jobs))
            if requests and answers:
                tried.add((requests, answers, len(opening.requests)))
    return len(tried)


def _usual_jobs(whole: Sides, dialect: DialectLengths) -> tuple[int, LengthRange]:
    """The commonest length that jobs may have, 0 if there is none, and those of the session near it."""
    jobs = {length: n for length, n in whole.server_counts.items() if any(length in some for some in dialect.jobs)}
    usual = max(jobs, key=lambda length: jobs[length], default=0)
    near = [length for length in jobs if abs(length - usual) <= JOBS_APART]
    return usual, LengthRange(min(near), max(near)) if near else NO_LENGTH


def _start(trace: Trace, whole: Sides, opening: LineOpening, dialect: DialectLengths) -> WorkStart | None:
    requests = _requests(trace, opening, dialect)
    if requests is None or not whole.server:
        return None
    if not all(_soon_after(trace, before, after) for before, after in pairwise(requests)):
        return None
    answers = _answers(trace, requests)
    if answers is None:
        return None
    job, jobs = _usual_jobs(whole, dialect)
    if whole.server[0] not in fitting_answers(whole.server_counts, opening, jobs):
        return None
    places = tuple(trace.directions[:answer].count(SERVER) for answer in dict.fromkeys(answers))
    return WorkStart(answers[-1] + 1, opening, requests, answers, whole.server[0], job, jobs, places)


def _answers(trace: Trace, requests: Sequence[int]) -> tuple[int, ...] | None:
    """The record in which each request is answered, by times alone: the first of the server's behind it. Of requests
    that did not wait for an answer each has one of its own, if it comes as long after its request as the one before
    did; else they are answered together. None if one is not answered.
    """
    found: list[int] = []
    took_ns = 0
    for request in requests:
        place = _answer(trace, request)
        if place is None:
            return None
        if found and place <= found[-1]:
            end_ns = trace.times_ns[request] + took_ns + TOGETHER_NS
            own = _answer(trace, found[-1])
            place = own if own is not None and trace.times_ns[own] <= end_ns else found[-1]
        found.append(place)
        took_ns = trace.times_ns[place] - trace.times_ns[request]
    return tuple(found)


def _requests(trace: Trace, opening: LineOpening, dialect: DialectLengths) -> tuple[int, ...] | None:
    """The records that are the opening's requests, in its order, the first of the session first."""
    found: list[int] = []
    besides = 0
    for i, (side, length) in enumerate(zip(trace.directions, trace.lengths, strict=True)):
        if side != CLIENT:
            continue
        if length in opening.requests[len(found)]:
            found.append(i)
            if len(found) == len(opening.requests):
                return tuple(found)
        elif besides < MAX_BESIDES and any(length in some for some in dialect.asks):
            besides += 1
        else:
            return None
    return None


def _soon_after(trace: Trace, before: int, after: int) -> bool:
    """Whether a request follows the one before it, or its answer, at once."""
    place = _answer(trace, before)
    since_ns = trace.times_ns[before if place is None or place > after else place]
    return trace.times_ns[after] - since_ns <= NEXT_REQUEST_NS


def _answer(trace: Trace, request: int) -> int | None:
    """The first record of the server after a request, if it comes soon."""
    for i in range(request + 1, len(trace)):
        if trace.times_ns[i] - trace.times_ns[request] > LOGIN_NS:
            return None
        if trace.directions[i] == SERVER:
            return i
    return None


def together(trace: Trace, place: int) -> list[int]:
    """The server's records at one moment, in which an answer may stand behind other lines."""
    end_ns = trace.times_ns[place] + TOGETHER_NS
    rows = zip(trace.times_ns[place:], trace.directions[place:], trace.lengths[place:], strict=True)
    return [length for at, side, length in rows if side == SERVER and at <= end_ns][:MAX_TOGETHER]


def fitting_answers(lengths: Iterable[int], opening: LineOpening, jobs: LengthRange) -> set[int]:
    """Lengths that the first answer may have. One that carries a job is as much longer as the dialect says, than any of
    the session's jobs.
    """
    first = opening.first_answer
    if opening.envelope is not None:
        carrying = opening.envelope.around(jobs)
        return {length for length in lengths if length in carrying}
    merged = LengthRange(first.low, max(first.high, first.low + 4_000)) if len(opening.requests) == 1 else first
    return {length for length in lengths if length in merged}


def opening_fits(trace: Trace, start: WorkStart, dialect: DialectLengths, shares: Window, replies: Window) -> bool:
    """Whether the opening agrees with the session's later lengths: its answers with those of shares, its login with
    the shares that repeat it, its first job with later jobs.
    """
    opening = start.opening
    if opening is None:
        return True
    if trace.lengths[start.requests[-1]] in shares:
        return False  # the first share taken for it
    login = trace.lengths[start.requests[opening.login]]
    if opening.share_minus_login is not None:
        apart = opening.share_minus_login
        if shares.high - login < apart.low or shares.low - login > apart.high:
            return False
    for place, bounds, as_share in zip(start.answers, opening.answers, opening.as_share, strict=True):
        lengths = together(trace, place)
        if bounds is not None and not any(is_answer(length, bounds, as_share, replies) for length in lengths):
            return False
    return opening.envelope is not None or _first_job(trace, start, dialect, replies)


def is_answer(length: int, bounds: LengthRange, as_share: bool, replies: Window) -> bool:
    """The answer alone, or with more lines in its record."""
    if as_share:
        if not replies or length >= replies.low + MERGED:
            return length >= bounds.low
        return any(replies.low - FEWER_DIGITS <= length + members <= replies.high for members in MEMBERS)
    return bounds.low <= length <= bounds.high + OTHER_TEXT or length >= bounds.low + MERGED


def _first_job(trace: Trace, start: WorkStart, dialect: DialectLengths, replies: Window) -> bool:
    """A job comes with the opening: of a length of later jobs, alone or behind other lines in one record."""
    end_ns = trace.times_ns[start.skip - 1] + FIRST_JOB_NS
    rows = list(zip(trace.times_ns, trace.directions, trace.lengths, strict=True))
    if _target_first(rows, start, dialect, replies, end_ns):
        end_ns += LATE_JOB_NS
    first = {length for at, side, length in rows if side == SERVER and at <= end_ns}
    later = {length for at, side, length in rows if side == SERVER and at > end_ns and length not in replies}
    later = {length for length in later if any(length in some for some in dialect.jobs)}
    answers = [*range(replies.low - FEWER_DIGITS, replies.high + 1)] if replies else []
    before = {0, *answers}
    for some in dialect.targets[:2]:
        before |= {x + target for x in before for target in range(some.low, some.high + 1)}
    slack = 1 + max(some.slack for some in dialect.jobs)
    return any(_is_job(length - x, later, dialect, slack) for length in first for x in before)


def _target_first(
    rows: Sequence[tuple[int, int, int]], start: WorkStart, dialect: DialectLengths, replies: Window, end_ns: int
) -> bool:
    """Whether one target, or two in one record, came with the opening in place of a job."""
    first = [length for at, side, length in rows[start.skip :] if side == SERVER and at <= end_ns]
    targets = {n for some in dialect.targets for n in range(some.low, some.high + 1)}
    both = {a + b for a in targets for b in targets}
    return any(length not in replies and (length in targets or length in both) for length in first)


def _is_job(length: int, later: set[int], dialect: DialectLengths, slack: int) -> bool:
    """A length that jobs may have, and that later ones have but for counters and branches."""
    if not any(length in some for some in dialect.jobs):
        return False
    step = dialect.step
    return any(abs(length - job) <= slack or (step is not None and (length - job) % step <= 1) for job in later)
