"""What a book counts, takes back and hands on, reckoned by hand."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

from sensor.estimate.book import ShareBook
from sensor.estimate.book_era import ByHashes, count_edge
from sensor.estimate.job_times import JobTimes
from sensor.estimate.tally import Share, Tally
from sensor.estimate.target import Guess
from sensor.model.trace import WindowEdge
from tests.estimate.test_figures_by_hand import WORK, S, exposure, tally


def times(first_s: int = 0, known_s: int | None = 0) -> JobTimes:
    known_ns = None if known_s is None else known_s * S
    return JobTimes(first_s * S, known_ns, known_ns, first_s * S)


def test_a_book_counts_what_was_sent_by_what_is_known_of_it() -> None:
    book, jobs = ShareBook(), times()
    book.submit(1 * S, WORK, times=jobs)
    book.submit(2 * S, 3 * WORK, times=jobs)
    assert (book.submitted, book.unknown, book.unrated) == (2, 0, 0)
    assert book.first is book.rows[0].first
    assert book.last is book.rows[0].last
    assert (book.spent.count, book.spent.work) == (2, 4 * WORK)
    assert [(row.first.ts_ns, row.last.ts_ns) for row in book.rows] == [(1 * S, 2 * S)]


def test_a_share_of_unknown_work_after_a_known_job_is_a_doubt_unless_answers_tell_the_work() -> None:
    book, jobs = ShareBook(), times()
    jobs.heard_ns = 2 * S
    book.submit(1 * S, WORK, times=jobs)
    book.submit(3 * S, None, times=jobs)
    assert (jobs.since_ns, book.unrated, book.unknown, book.spent.count) == (2 * S, 1, 0, 1)
    jobs.heard_ns = 4 * S
    book.submit(5 * S, None, times=jobs)
    assert (jobs.since_ns, book.unrated) == (2 * S, 2)
    told, steady = ShareBook(learnt=True), times()
    told.submit(3 * S, None, times=steady)
    assert (steady.since_ns, told.unrated, told.unknown) == (None, 0, 1)


def test_a_doubt_takes_back_what_hashes_told_and_an_empty_book_has_nothing_to_take() -> None:
    book, jobs = ShareBook(), dataclasses.replace(times(), hashes=20)
    for at in (1, 2):
        book.submit(at * S, WORK, times=jobs)
    book.doubt(1 * S, 9 * S)
    assert (book.by_hashes.tally.count, book.by_hashes.doubtful_work) == (1, Fraction(WORK, 20))
    empty = ShareBook()
    assert empty.submit(1 * S, WORK).hashes == 0
    empty = ShareBook()
    empty.doubt(0, 5)
    assert (empty.unrated, empty.rows) == (0, [])


def test_a_share_of_known_work_says_nothing_of_a_target() -> None:
    book = ShareBook()
    assert book.submit(1 * S, WORK, 5).number == -1
    assert book.guess is None
    book.submit(2 * S, None, 5)
    assert book.guess is not None
    assert book.guess.finished().tally.count == 1


def test_what_was_sent_before_a_difficulty_is_of_unknown_work() -> None:
    book, jobs = ShareBook(), JobTimes(0, None)
    book.submit(1 * S, None, times=jobs)
    book.submit(2 * S, None)
    assert (book.submitted, book.unknown, book.unrated) == (2, 2, 0)
    jobs.put(3 * S, has_work=True)
    book.submit(4 * S, WORK, times=jobs)
    assert (book.submitted, book.unknown, book.unrated, book.spent.count) == (3, 0, 2, 1)


def test_what_was_counted_before_jobs_of_known_difficulty_is_left_out_too() -> None:
    book = ShareBook()
    for at, work in ((1, WORK), (2, WORK), (3, None)):
        book.submit(at * S, work)
    book.submit(4 * S, WORK, times=times(0, 3))
    assert (book.unrated, book.unknown, book.spent.count) == (3, 0, 1)


def test_work_that_comes_with_the_answer_is_counted_then() -> None:
    book = ShareBook()
    share = book.submit(1 * S, None)
    book.learn(share, WORK)
    assert (book.unknown, book.learnt, book.spent.work, share.work) == (0, True, WORK, WORK)
    late = book.submit(2 * S, None)
    late.doubted = True
    book.learn(late, WORK)
    assert (book.unknown, book.spent.count, late.work) == (1, 1, None)
    early = ShareBook()
    of_before = early.submit(1 * S, None)
    early.submit(3 * S, WORK, times=times())
    early.learn(of_before, WORK)
    assert (early.unknown, early.unrated, early.spent.count) == (0, 1, 1)


def test_a_refused_share_is_taken_off_only_while_it_counts() -> None:
    book, jobs = ShareBook(), times()
    kept, old = book.submit(1 * S, WORK, times=jobs), book.submit(2 * S, WORK, times=jobs)
    book.reject(kept)
    assert book.rejected is not None
    assert book.rejected.count == 1
    old.phase = 0
    assert book.phase == 1
    book.reject(old)
    assert book.rejected.count == 1
    book.reject(book.submit(3 * S, None))
    assert book.rejected.count == 1


def test_a_doubt_takes_back_what_was_sent_since_and_no_more() -> None:
    book, jobs = ShareBook(), times()
    shares = [book.submit(at * S, WORK, times=jobs) for at in (1, 2, 3)]
    book.reject(shares[2])
    book.doubt(2 * S, 9 * S)
    assert [share.doubted for share in shares] == [False, False, True]
    assert (book.spent.count, book.unrated, book.rejected) == (2, 1, Tally(0, 0, 0, WORK))
    assert [(row.first.ts_ns, row.last.ts_ns) for row in book.rows] == [(1 * S, 2 * S)]
    again = book.submit(10 * S, WORK, times=times())
    assert [row.first for row in book.rows] == [shares[0], again]


def test_a_difficulty_that_never_held_takes_back_its_era() -> None:
    book, jobs = ShareBook(), times()
    first = book.submit(1 * S, WORK, times=jobs)
    jobs.begin_era(2 * S)
    later = [book.submit(at * S, 2 * WORK, times=jobs) for at in (3, 4)]
    book.reject(later[0])
    book.refute()
    assert (book.spent.count, book.spent.work, book.unrated, book.phase) == (1, WORK, 2, 2)
    assert (book.rejected, [share.doubted for share in later]) == (None, [True, True])
    assert [(row.first, row.last) for row in book.rows] == [(first, first)]
    again = book.submit(9 * S, WORK)
    assert [(row.first, row.last) for row in book.rows] == [(first, first), (again, again)]


def test_a_doubt_in_a_later_row_ends_that_row() -> None:
    book, jobs = ShareBook(), times()
    shares = [book.submit(at * S, WORK, times=jobs) for at in (1, 2)]
    book.doubt(3 * S, 5 * S)
    shares += [book.submit(at * S, WORK, times=times()) for at in (10, 11, 12)]
    book.submit(11 * S + 1, WORK, times=times())  # overtaken by the one before
    assert book.rows[1].last is shares[4]
    book.reject(shares[4])
    book.doubt(11 * S, 20 * S)
    assert [(row.first.ts_ns, row.last.ts_ns) for row in book.rows] == [(1 * S, 2 * S), (10 * S, 11 * S)]
    book.doubt(10 * S, 20 * S)
    assert (book.rows[1].last.ts_ns, book.unrated, book.rejected) == (10 * S, 3, Tally(0, 0, 0, WORK))
    book.doubt(9 * S, 20 * S)
    assert [(row.first, row.last) for row in book.rows] == [(shares[0], shares[1])]


def test_a_refuted_difficulty_leaves_the_rows_of_before_as_they_were() -> None:
    book, jobs = ShareBook(), times()
    shares = [book.submit(1 * S, WORK, times=jobs)]
    book.doubt(2 * S, 5 * S)
    shares += [book.submit(at * S, WORK, times=jobs) for at in (10, 11)]
    jobs.begin_era(12 * S)
    book.submit(13 * S, 2 * WORK, times=jobs)
    book.refute()
    assert [(row.first, row.last) for row in book.rows] == [(shares[0], shares[0]), (shares[1], shares[2])]


@pytest.mark.parametrize("heard_ns", [2 * S, 2 * S + 1])
def test_what_the_pool_spoke_after_cannot_come_into_doubt(heard_ns: int) -> None:
    book, jobs = ShareBook(), times()
    shares = [book.submit(at * S, WORK, times=jobs) for at in (1, 2)]
    jobs.heard_ns = heard_ns
    shares.append(book.submit(3 * S, WORK, times=jobs))
    book.doubt(0, 9 * S)
    assert [share.doubted for share in shares] == [False, True, True]
    assert shares[0].position == 0
    assert not Share(1, 2).doubted


def test_only_the_newest_can_come_into_doubt() -> None:
    book, jobs = ShareBook(), times()
    for at in range(84):
        book.submit(S + at, WORK, times=jobs)
    book.doubt(S - 1, 2 * S)
    assert book.unrated == 65


def test_rescaling_changes_what_is_counted_and_what_may_be_taken_back() -> None:
    book, jobs = ShareBook(), dataclasses.replace(times(), hashes=20)
    book.submit(1 * S, WORK, times=jobs)
    book.reject(book.submit(2 * S, WORK, times=jobs))
    jobs.begin_era(3 * S, 20)
    last = book.submit(4 * S, WORK, times=jobs)
    book.rescale(Fraction(3))
    assert (book.spent.work, book.by_hashes.tally.work, last.work) == (9 * WORK, 9 * WORK, 3 * WORK)
    assert book.rejected is not None
    assert book.rejected.work == 3 * WORK
    book.refute()
    assert (book.spent.work, book.by_hashes.tally.work) == (6 * WORK, 6 * WORK)
    assert book.rejected is not None
    assert book.rejected.work == 3 * WORK


def test_shares_by_hashes_are_a_guess_of_as_many_hashes_as_they_are_as_good_as() -> None:
    found = ByHashes()
    found.put(Share(1, 60, hashes=20))
    assert found.guess() == Guess(tally(60), 1, 20)
    found.put(Share(2, 40, hashes=10))
    assert (found.tally.count, found.tally.work, found.doubtful_work) == (2, 100, 7)
    assert found.guess() == Guess(tally(60, 40), 1, 14)
    found.put(Share(2, 40, hashes=10), -1)
    assert (found.tally.count, found.tally.work, found.doubtful_work) == (1, 60, 3)
    found.put(Share(3, None, hashes=10))
    found.put(Share(3, 5))
    assert found.tally.count == 1
    found.rescale(Fraction(1, 2))
    assert (found.tally.work, found.doubtful_work) == (30, Fraction(3, 2))
    copy = found.copy()
    copy.put(Share(4, 60, hashes=20))
    assert (found.tally.count, copy.tally.count) == (1, 2)
    several = Tally()
    several.put(7, 3)
    assert several == tally(7, 7, 7) == Tally(3, 21, 147, 7)
    assert (Share(1, 2).number, Share(1, 2).position, Share(1, 2).phase) == (-1, 0, 0)
    assert Tally().heaviest == 0
    assert tally(2, 3, 5).without(tally(3)) == Tally(2, 7, 29, 5)
    single = ByHashes()
    single.put(Share(1, 5, hashes=1))
    assert single.guess() == Guess(tally(5), 1, 1)
    little = ByHashes()
    little.put(Share(1, 5, hashes=10))
    assert little.guess() == Guess(tally(5), 1, 10)
    doubled = tally(4, 6)
    doubled.rescale(Fraction(3))
    assert doubled == tally(12, 18)
    assert ByHashes().guess() == Guess() == ByHashes(tally(5)).guess() == ByHashes(Tally(), Fraction(1)).guess()


def test_the_share_that_ended_a_window_counts_in_the_next() -> None:
    for edge, counted in ((WindowEdge(1, WORK, False, 0), (11, 11)), (WindowEdge(1, WORK, True, 0), (11, 10))):
        found = exposure()
        count_edge(found, edge)
        assert (found.submitted, found.spent.count, found.credited.count) == (11, *counted)
    found = exposure()
    count_edge(found, WindowEdge(1, None, False, 0))
    assert found.submitted == 10
