"""Targets that hashes tell, and times of jobs, reckoned by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sensor.estimate.hash_target import (
    ABOVE,
    DECISIVE_HASHES,
    FIRST_HASHES,
    HashTarget,
    are_proof_of_work,
    refute,
    work_by_hashes,
)
from sensor.estimate.hash_target import SPACE as HASH_SPACE
from sensor.estimate.job_times import MAX_DOUBTS, JobTimes
from sensor.estimate.tally import Share
from sensor.estimate.target import BLOCK_SHARES, SPACE, Guess, hash_value, work_from
from sensor.signatures.work import UNITS
from tests.estimate.test_figures_by_hand import WORK, tally


def hashes(part: float, count: int, work: int = WORK << 20) -> list[int]:
    """So many hashes, the largest of which is this part of the target."""
    target = HASH_SPACE * UNITS // work
    largest = int(target * Fraction(part))
    return [largest] + [largest // 2] * (count - 1)


def test_hashes_near_the_target_before_say_that_it_holds() -> None:
    work = WORK << 20
    assert work_by_hashes(hashes(0.95, FIRST_HASHES), work) == HashTarget(work, 0)
    assert work_by_hashes(hashes(0.95, FIRST_HASHES - 1), work) is None
    assert work_by_hashes(hashes(0.85, FIRST_HASHES), work) is None  # not yet
    told = work_by_hashes(hashes(0.85, DECISIVE_HASHES), work)
    assert told is not None
    assert told.hashes == DECISIVE_HASHES
    assert told.work == pytest.approx(work / 0.85 / (1 + 1 / DECISIVE_HASHES))


def test_hashes_far_below_or_above_the_target_tell_another_at_once() -> None:
    work = WORK << 20
    for part in (0.4, 1.5):  # 0.4^16 is 4e-7
        told = work_by_hashes(hashes(part, FIRST_HASHES), work)
        assert told is not None
        assert told.work == pytest.approx(work / part / (1 + 1 / FIRST_HASHES))
    assert work_by_hashes(hashes(0.45, FIRST_HASHES), work) is None  # 3e-6
    assert work_by_hashes(hashes(0.5, FIRST_HASHES), None) is not None


def test_a_difficulty_is_refuted_by_three_above_it_or_by_all_far_below() -> None:
    work = WORK << 20
    target = HASH_SPACE * UNITS // work
    below = [target // 2] * 10
    assert not refute([*below, *[target + 1] * (ABOVE - 1)], work)
    assert refute([*below, *[target + 1] * ABOVE], work)
    assert refute([target // 2] * 20, work)  # 2^-20 is 9.5e-7
    assert not refute([target // 2] * 19, work)
    assert not refute([], work)


def test_numbers_are_hashes_of_the_work_if_all_are_small() -> None:
    assert are_proof_of_work([1 << 216])
    assert not are_proof_of_work([(1 << 216) + (1 << 200)])
    assert are_proof_of_work([1 << 236] * 2)
    assert are_proof_of_work([0])
    assert not are_proof_of_work([])


def test_a_block_of_hashes_is_judged_when_it_is_full() -> None:
    guess = Guess()
    for place in range(BLOCK_SHARES):
        assert guess.blocks == 0
        guess.put(Share(place, None, SPACE // 1_000 - place))
    assert (guess.blocks, guess.largest, guess.tally.count) == (1, BLOCK_SHARES, BLOCK_SHARES)
    each = work_from([SPACE // 1_000] * BLOCK_SHARES)
    assert guess.tally.work == BLOCK_SHARES * each
    assert each == pytest.approx(1_000 * UNITS * BLOCK_SHARES / (BLOCK_SHARES + 1))
    guess.put(Share(99, None, SPACE // 2_000))
    guess.put(Share(99, None, SPACE // 2, rejected=True))
    done = guess.finished()
    assert (done.blocks, done.largest, done.tally.count) == (2, BLOCK_SHARES, BLOCK_SHARES + 1)
    assert (guess.blocks, work_from([0])) == (1, SPACE * UNITS)
    other = Guess(tally(1), 3, 99)
    done.add(other)
    done.add(Guess(tally(1), 0, 100))
    assert (done.blocks, done.largest, done.tally.count) == (5, 99, BLOCK_SHARES + 2)


def test_a_hash_is_read_from_its_last_eight_bytes() -> None:
    assert hash_value("00" * 24 + "0100000000000000") == 1
    assert hash_value("00" * 32) is None
    assert hash_value("zz" * 32) is None
    assert hash_value("00" * 31) is None
    assert hash_value(5) is None


def test_work_is_known_from_the_first_job_of_known_difficulty_on() -> None:
    jobs = JobTimes()
    jobs.put(5, has_work=False)
    assert (jobs.first_ns, jobs.known_ns, jobs.in_doubt) == (5, None, False)
    assert not jobs.doubt()
    assert not jobs.refute()
    jobs.put(7, has_work=True)
    jobs.put(9, has_work=True)
    assert (jobs.first_ns, jobs.known_ns) == (5, 7)


def test_a_doubt_lasts_from_what_was_heard_last_until_a_difficulty() -> None:
    jobs = JobTimes(5, 7, heard_ns=11)
    assert jobs.doubt()
    assert not jobs.doubt()
    assert not jobs.refute()
    assert (jobs.in_doubt, jobs.since_ns, jobs.until(20), jobs.until(3)) == (True, 11, [(11, 20)], [(11, 11)])
    jobs.put(13, has_work=False)
    assert jobs.in_doubt
    jobs.put(15, has_work=True)
    assert (jobs.in_doubt, jobs.doubts, jobs.until(20)) == (False, [(11, 15)], [(11, 15)])
    early = JobTimes(5, 7, heard_ns=3)
    assert early.doubt()
    early.settle(6)
    assert early.doubts == [(7, 7)]


def test_a_refuted_difficulty_is_in_doubt_since_it_was_sent() -> None:
    jobs = JobTimes(5, 7)
    jobs.begin_era(9, 16)
    assert (jobs.era, jobs.hashes, jobs.told_ns) == (1, 16, 9)
    assert jobs.refute()
    assert (jobs.since_ns, jobs.refute()) == (9, False)


def test_after_the_last_doubt_that_is_held_there_is_no_end() -> None:
    jobs = JobTimes(0, 0)
    for at in range(MAX_DOUBTS + 1):
        jobs.heard_ns = 10 * at
        jobs.doubt()
        jobs.settle(10 * at + 5)
    assert (len(jobs.doubts), jobs.since_ns) == (MAX_DOUBTS, 10 * MAX_DOUBTS)
