"""Which of a flow's readings fits best, and which others fit nearly as well. Pure; knows what readings weigh."""

from __future__ import annotations

from collections.abc import Iterable

from sensor.session.reading import Reading
from sensor.signatures.model import Dialect

#: While nothing but common words was said, other dialects fit as well: the best is named once it weighs so much more
#: than any other. A job, a share or an agent of its own weighs more than that against another's reading of it.
NAMED_LEAD = 30
#: Before a job or a share was seen: an agent is a text that anybody may send, and no dialect's own.
EARLY_LEAD = 55


def rank(reading: Reading) -> tuple[bool, int, int, int]:
    """What the miner sends counts before what the pool answers; then the weight of all that was recognised; then the
    lower id.
    """
    return (bool(reading.miner_confirms), reading.score, -reading.dialect.header.id, -reading.miner)


def rivals(best: Reading, readings: Iterable[Reading]) -> tuple[Dialect, ...]:
    """The other dialects that the same messages fit nearly as well. A recomputed share leaves none; and one
    that does not know the message that says what a share must meet does not fit.
    """
    if best.jobs.proven is not None or best.carried:
        return ()
    lead = NAMED_LEAD if has_work(best) else EARLY_LEAD
    tells = best.may_tell()
    found = {
        reading.dialect.name: reading.dialect
        for reading in readings
        if reading.miner == best.miner
        and bool(reading.miner_confirms) == bool(best.miner_confirms)
        and best.score - reading.score < lead
        and (not tells or reading.may_tell())
    }
    found.pop(best.dialect.name, None)
    return tuple(found[name] for name in sorted(found))


def works(reading: Reading) -> bool:
    """Whether both sides confirm it, and there was work: a job or a share."""
    return bool(reading.miner_confirms and reading.pool_confirms and has_work(reading))


def has_work(reading: Reading) -> bool:
    """Whether a job or a share was seen."""
    return bool(reading.jobs.count) or any(account.shares.submitted for account in reading.logins.accounts)
