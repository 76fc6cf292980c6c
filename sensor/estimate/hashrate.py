"""The estimate of one finding: which shares it rests on, its interval, and what the reader should know about it. Pure;
knows no flows.

One finding is one login in one dialect and so one algorithm: rates of different algorithms never meet here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sensor.estimate.exposure import Exposure
from sensor.estimate.interval import LEVEL, rate, widened
from sensor.estimate.tally import Tally
from sensor.model.quantities import Interval
from sensor.model.text import N_
from sensor.model.time import SECOND_NS
from sensor.model.work import ASSUMED_FACTOR

#: Below this the time messages take to travel is no longer small against the window.
LEAST_SECONDS = 1.0
#: How the note begins that stays true of an estimate that is made anew.
DISPUTED = N_("pools differ about what a difficulty means for {algorithm}")
#: With more than this missing, what was seen says little about what was not.
MOST_LOSS = 0.9
#: Less of unknown work beside known work changes no figure that anybody reads.
LEAST_BESIDE = 0.01


@dataclass(frozen=True, slots=True)
class HashrateEstimate:
    """Hashes a second: what the pool got, and what the miner spent (rejected shares included); and how that was
    reached.
    """

    hashrate: Interval
    spent: Interval
    notes: tuple[str, ...]


def estimate(exposure: Exposure, level: float = LEVEL) -> HashrateEstimate | None:
    """None where there is no estimate: the miner was not watched, no share's work is known, or too much is missing."""
    seconds = exposure.windows.total_ns / SECOND_NS
    if seconds < LEAST_SECONDS or not exposure.seen_bytes or exposure.loss > MOST_LOSS:
        return None
    inferred = exposure.guess_alone
    credited, spent = (exposure.guess.tally,) * 2 if inferred else (exposure.credited, exposure.spent)
    next_work = exposure.next_work[1] if exposure.next_work and not inferred else 0
    if exposure.submitted and not spent.count:
        return None  # shares were sent, but what one is worth was never sent
    known_share = spent.count / exposure.submitted if exposure.submitted else 1.0
    seen = known_share * (1.0 - exposure.loss)
    hashrate = _interval(credited, seconds, seen, next_work, level)
    total = _interval(spent, seconds, seen, next_work, level)
    if hashrate is None or total is None:
        return None
    if inferred:
        hashrate, total = exposure.guess.applied(hashrate), exposure.guess.applied(total)
    elif exposure.guess.blocks and spent.work > 0:
        part = min(1.0, exposure.guess.tally.work / spent.work)
        hashrate, total = exposure.guess.applied(hashrate, part), exposure.guess.applied(total, part)
    hashrate, total = (_opened(interval, exposure) for interval in (hashrate, total))
    return HashrateEstimate(hashrate, total, tuple(_notes(exposure, credited, inferred, seconds)))


def _opened(interval: Interval, exposure: Exposure) -> Interval:
    """The interval with what loss and connections of unknown work leave open.

    Of the bytes that were missed not the same part need be shares as of those that were seen: half of the correction is
    open in either direction. Connections beside may have had the rate of the known ones, give or take half: the high
    end has them, the others have not.
    """
    if exposure.loss:
        half = math.sqrt(1.0 - exposure.loss)
        interval = widened(interval, half, 1.0 / half)
    more = 1.0 + ASSUMED_FACTOR * exposure.beside
    return interval if more == 1.0 else replace(interval, high=interval.high * more)


def _interval(tally: Tally, seconds: float, seen: float, next_work: int, level: float) -> Interval | None:
    return rate(tally, seconds, seen=seen, next_work=next_work, level=level)


#: Notes for one share, for several, and for none.
FROM = (
    N_("hashrate from {count} share in {seconds} s"),
    N_("hashrate from {count} shares in {seconds} s"),
    N_("hashrate from no share in {seconds} s"),
)
BY_HASHES = (
    N_("the difficulty of {count} share was not seen; the hashes of accepted shares tell it"),
    N_("the difficulty of {count} shares was not seen; the hashes of accepted shares tell it"),
)
LEFT_OUT = (
    N_("{count} share of unknown difficulty and {seconds} s are left out"),
    N_("{count} shares of unknown difficulty and {seconds} s are left out"),
)


def _notes(exposure: Exposure, credited: Tally, inferred: bool, seconds: float) -> list[str]:
    notes = [_number(credited.count, FROM).format(count=credited.count, seconds=f"{seconds:.0f}")]
    if inferred:
        notes.append(N_("the share target was not seen; it is inferred from the shares' own hashes"))
    elif exposure.guess.tally.count > 0:
        by_hashes = exposure.guess.tally.count
        notes.append(_number(by_hashes, BY_HASHES).format(count=by_hashes))
    if exposure.unknown and credited.count and not inferred:
        like = N_("{count} shares of unknown difficulty are taken to be like the others")
        notes.append(like.format(count=exposure.unknown))
    if exposure.unrated or exposure.unknown_seconds >= LEAST_SECONDS:
        left_out = exposure.unrated
        notes.append(_number(left_out, LEFT_OUT).format(count=left_out, seconds=f"{exposure.unknown_seconds:.0f}"))
    if exposure.beside >= LEAST_BESIDE:
        notes.append(N_("connections of unknown difficulty ran beside the others: the high end alone has their part"))
    if exposure.loss:
        lost = N_("{part} of the miner's bytes were not captured; the hashrate is corrected for them")
        notes.append(lost.format(part=f"{exposure.loss:.1%}"))
    return notes


def _number(count: int, forms: tuple[str, ...]) -> str:
    """The form of a note for one, for any other number, and, where there is a third, for none."""
    return forms[0] if count == 1 else forms[1] if count or len(forms) == 2 else forms[2]
