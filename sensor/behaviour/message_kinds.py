"""The lengths of a session's kinds of messages, as a reading takes them: its questions at the beginning and their
answers, its shares and theirs, its jobs.

Knows one reading of one session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange
from sensor.behaviour.gates import holds
from sensor.behaviour.opening import FIRST_JOB_NS, WorkStart, together
from sensor.behaviour.reading import Sides, Window
from sensor.behaviour.trace import SERVER, Trace

#: A push beside the first job that could set a target: shorter and longer ones are in no dialect.
EXTRA_BYTES = (40, 110)
#: Records of the server at the beginning among which it is looked for.
MOST_FIRST = 8


@dataclass(frozen=True, slots=True)
class Constants:
    """The lengths of a session's kinds of messages, each the shortest or commonest of its kind."""

    requests: tuple[int, ...]  # of the opening; none if it was not seen
    answers: tuple[tuple[int, ...], ...]  # to these, of each the records at one moment
    share: int | None
    reply: int | None
    job: int
    extras: tuple[int, ...] = ()  # what one more push at the beginning could measure
    jobs: LengthRange | None = None  # of jobs near the commonest, one of which the first answer may carry

    @property
    def pushed(self) -> LengthRange:
        """The lengths of jobs."""
        return self.jobs or LengthRange(self.job, self.job)


def constants_of(
    trace: Trace, sides: Sides, shares: Window, replies: Window, start: WorkStart, dialect: DialectLengths
) -> Constants:
    """Those of a reading of this trace, in which the dialect explains the jobs."""
    jobs = {
        n: length for length, n in sides.server_counts.items() if length not in replies and holds(dialect.jobs, length)
    }
    job = jobs[max(jobs)] if jobs else start.job
    reply = replies.low if shares else None
    return Constants(
        requests=tuple(trace.lengths[i] for i in start.requests),
        answers=tuple(tuple(together(trace, i)) for i in start.answers),
        share=shares.low if shares else None,
        reply=reply,
        job=job,
        extras=tuple(dict.fromkeys(_extras(trace, start, job, reply))),
        jobs=start.jobs if start.opening is not None and start.opening.envelope is not None else None,
    )


def _extras(trace: Trace, start: WorkStart, job: int, reply: int | None) -> Iterator[int]:
    """Lengths that a push between the first answer and the first job can have, alone or with these in one record."""
    if not start.answers or start.opening is None:
        return
    end_ns = trace.times_ns[start.skip - 1] + FIRST_JOB_NS
    after = range(start.answers[0], len(trace))
    first = [i for i in after if trace.directions[i] == SERVER and trace.times_ns[i] <= end_ns][:MOST_FIRST]
    lengths = [trace.lengths[i] for i in first]
    if start.opening.envelope is not None or start.first in start.opening.first_answer:
        lengths = lengths[1:]  # it is the first answer, and nothing else
    low, high = EXTRA_BYTES
    apart = reply is None or any(reply - 1 <= length <= reply for length in lengths)
    acknowledged = () if reply is None else range(reply - 1, reply + 3)
    for length in lengths:
        if length in acknowledged:
            continue
        for around in (0,) if apart or reply is None else (0, reply - 1, reply):
            for more in (0, job):
                if low <= length - around - more <= high:
                    yield length - around - more
