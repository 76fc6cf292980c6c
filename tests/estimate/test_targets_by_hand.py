"""Targets that hashes tell, and times of jobs, reckoned by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sensor.estimate.hash_target import HashTarget, are_proof_of_work, refute, work_by_hashes
from sensor.estimate.interval import widened
from sensor.estimate.job_times import JobTimes
from sensor.estimate.tally import Share
from sensor.estimate.target import SPACE, Guess, hash_value, target_factors, work_from
from sensor.model.quantities import Interval
from sensor.signatures.work import UNITS
from tests.estimate.test_figures_by_hand import WORK, tally

#: Hashes are below it.
SPACE_OF_HASHES = 1 << 256


def hashes(part: float, count: int, work: int = WORK << 20) -> list[int]:
    """So many hashes, the largest of which is this part of the target."""
    target = SPACE_OF_HASHES * UNITS // work
    largest = int(target * Fraction(part))
    return [largest] + [largest // 2] * (count - 1)


def test_hashes_near_the_target_before_say_that_it_holds() -> None:
    work = WORK << 20
    assert work_by_hashes(hashes(0.95, 16), work) == HashTarget(work, 0)
    assert work_by_hashes(hashes(0.95, 15), work) is None
    assert work_by_hashes(hashes(0.85, 16), work) is None  # not yet
    assert work_by_hashes(hashes(0.85, 31), work) is None
    assert work_by_hashes(hashes(0.85, 40), work) is not None
    told = work_by_hashes(hashes(0.85, 32), work)
    assert told is not None
    assert told.hashes == 32
    assert told.work == pytest.approx(work / 0.85 / (1 + 1 / 32))


def test_hashes_far_below_or_above_the_target_tell_another_at_once() -> None:
    work = WORK << 20
    for part in (0.4, 1.5):  # 0.4^16 is 4e-7
        told = work_by_hashes(hashes(part, 16), work)
        assert told is not None
        assert told.work == pytest.approx(work / part / (1 + 1 / 16))
    assert work_by_hashes(hashes(0.45, 16), work) is None  # 3e-6
    assert work_by_hashes(hashes(0.5, 16), None) is not None


def test_a_difficulty_is_refuted_by_three_above_it_or_by_all_far_below() -> None:
    work = WORK << 20
    target = SPACE_OF_HASHES * UNITS // work
    below = [target // 2] * 10
    assert not refute([*below, *[target + 1] * 2], work)
    assert refute([*below, *[target + 1] * 3], work)
    assert refute([*below, *[target + 1] * 4], work)
    assert refute([*below, *[target * 2] * 3], work)
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
    assert guess.largest == 0
    for place in range(16):
        assert guess.blocks == 0
        guess.put(Share(place, None, SPACE // 1_000 - place))
    assert (guess.blocks, guess.largest, guess.tally.count) == (1, 16, 16)
    each = work_from([SPACE // 1_000] * 16)
    assert guess.tally.work == 16 * each
    assert each == pytest.approx(1_000 * UNITS * 16 / (16 + 1))
    guess.put(Share(99, None, SPACE // 2_000))
    guess.put(Share(99, None, SPACE // 2, rejected=True))
    done = guess.finished()
    assert (done.blocks, done.largest, done.tally.count) == (2, 16, 16 + 1)
    assert (guess.blocks, work_from([0])) == (1, SPACE * UNITS)
    other = Guess(tally(1), 3, 99)
    done.add(other)
    done.add(Guess(tally(1), 0, 100))
    assert (done.blocks, done.largest, done.tally.count) == (5, 99, 16 + 2)


def test_how_far_a_target_may_lie_from_the_largest_hash() -> None:
    low, high = target_factors(4, 0.9)
    assert (low, high) == pytest.approx((0.05**0.25 / 0.8, 0.95**0.25 / 0.8))
    assert target_factors(4, 0.4) == pytest.approx((0.3**0.25 / 0.8, 0.7**0.25 / 0.8))
    interval = Interval(10.0, 20.0, 30.0, 0.9)
    found = Guess(tally(1), 4, 4).applied(interval)
    assert found == widened(interval, low**0.5, high**0.5)
    assert Guess(tally(1), 0, 4).applied(interval) == interval


def test_hashes_of_nothing_are_worth_all_there_is() -> None:
    assert work_by_hashes([0] * 16, None) == HashTarget((1 << 256) * UNITS, 16)
    assert work_from([1, 2]) == (1 << 64) * UNITS // 3


def test_a_hash_is_read_from_its_last_eight_bytes() -> None:
    assert hash_value("00" * 24 + "0100000000000000") == 1
    assert hash_value("00" * 32) is None
    assert hash_value("zz" * 32) is None
    assert hash_value("01" * 31) is None
    assert hash_value("01" * 33) is None
    assert hash_value(5) is None


def test_work_is_known_from_the_first_job_of_known_difficulty_on() -> None:
    jobs = JobTimes()
    assert jobs == JobTimes(None, None, None, 0, [], None, 0, 0, 0)
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
    from_the_first = JobTimes(0, 0)
    assert from_the_first.doubt()
    assert from_the_first.since_ns == 0
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
    jobs.begin_era(12)
    assert (jobs.era, jobs.hashes) == (2, 0)
    at_once = JobTimes(0, 0)
    assert at_once.refute()
    assert at_once.since_ns == 0


def test_after_the_last_doubt_that_is_held_there_is_no_end() -> None:
    jobs = JobTimes(0, 0)
    for at in range(256 + 1):
        jobs.heard_ns = 10 * at
        jobs.doubt()
        jobs.settle(10 * at + 5)
    assert (len(jobs.doubts), jobs.since_ns) == (256, 10 * 256)
