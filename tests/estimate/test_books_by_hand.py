"""What a book counts, takes back and hands on, reckoned by hand."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

from sensor.estimate.book import MAX_RECENT, ShareBook
from sensor.estimate.book_era import ByHashes, count_edge
from sensor.estimate.exposure import Exposure
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
    assert (book.spent.count, book.spent.work) == (2, 4 * WORK)
    assert [(row.first.ts_ns, row.last.ts_ns) for row in book.rows] == [(1 * S, 2 * S)]


def test_a_share_of_known_work_says_nothing_of_a_target() -> None:
    book = ShareBook()
    assert book.submit(1 * S, WORK, 5).number == -1
    assert book.guess is None
    book.submit(2 * S, None, 5)
    assert book.guess is not None
    assert book.guess.finished().tally.count == 1


def inferred(last_s: float, *, known_s: int | None = None, doubts: tuple[tuple[int, int], ...] = ()) -> Exposure:
    """Of twenty shares, one a second, none of which the pool said the work of."""
    book, jobs = ShareBook(), times(0, known_s)
    jobs.doubts = [(start * S, end * S) for start, end in doubts]
    for at in range(1, 21):
        book.submit(at * S, None, 1 << 40)
    return book.close(0, int(last_s * S), jobs, midstream=True)


def test_where_hashes_tell_the_work_a_share_at_the_end_is_the_edge() -> None:
    whole, edged = inferred(21.0), inferred(20.999)
    assert (whole.submitted, whole.unknown, whole.unrated, whole.windows.total_ns) == (20, 20, 0, 21 * S)
    assert (edged.submitted, edged.unknown, edged.unrated, edged.windows.total_ns) == (19, 19, 0, 20 * S)
    assert (whole.guess.tally.count, edged.guess.tally.count) == (20, 20)


def test_where_hashes_tell_the_work_of_some_time_the_rest_is_not_theirs() -> None:
    found = inferred(20.5, known_s=0, doubts=((5, 15),))
    assert [tuple(stretch) for stretch in found.windows.record()] == [(5 * S, 15 * S, 0)]
    assert (found.submitted, found.unknown) == (20, 20)
    at_the_end = inferred(20.5, known_s=0, doubts=((5, 15), (18, 30)))
    assert [(stretch.start_ns, stretch.end_ns) for stretch in at_the_end.windows.record()] == [
        (5 * S, 15 * S),
        (18 * S, 20 * S),
    ]


def test_without_a_share_the_window_begins_with_the_first_job_or_where_its_work_was_known() -> None:
    def begins(*, midstream: bool, before: WindowEdge | None = None, login_s: int | None = 1) -> int:
        book = ShareBook(None if login_s is None else login_s * S, before=before)
        found = book.close(2 * S, 40 * S, times(5, 8), midstream=midstream, unbroken=True)
        return found.windows.record()[0].start_ns // S

    assert begins(midstream=False) == 5
    assert begins(midstream=False, login_s=6) == 6
    assert begins(midstream=False, login_s=None) == 2
    assert begins(midstream=True) == 8
    earlier = WindowEdge(2 * S, None, False, 0)
    assert begins(midstream=True, before=earlier) == 8
    assert begins(midstream=True, before=WindowEdge(30 * S, None, False, 0)) == 8


@pytest.mark.parametrize(("end_ns", "counted"), [(31 * S - 1, 2), (31 * S, 3)])
def test_a_share_within_a_second_of_the_end_is_the_edge(end_ns: int, counted: int) -> None:
    book, jobs = ShareBook(), times()
    for at in (10, 20, 30):
        book.submit(at * S, WORK, times=jobs)
    found = book.close(0, end_ns, jobs, midstream=False)
    assert found.spent.count == counted
    assert found.edge == (WindowEdge(30 * S, WORK, False, 0) if counted == 2 else WindowEdge(end_ns, None, False, 0))


def test_each_stretch_ends_with_its_own_last_share() -> None:
    book, jobs = ShareBook(), times()
    jobs.doubts = [(25 * S, 35 * S)]
    for at in (10, 20, 40, 50):
        if at == 40:
            book.doubt(25 * S, 35 * S)
        book.submit(at * S, WORK, times=jobs)
    found = book.close(0, 50 * S + 1, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns, found.submitted) == (3, 40 * S, 3)


@pytest.mark.parametrize(("noticed_ns", "counted"), [(11 * S + S // 2, 2), (11 * S + S // 2 - 1, 3)])
def test_where_a_doubt_begins_a_share_is_the_edge_unless_it_came_at_once(noticed_ns: int, counted: int) -> None:
    book, jobs = ShareBook(), times()
    for at in (5, 10):
        book.submit(at * S, WORK, times=jobs)
    since_ns = 10 * S + S // 2
    jobs.doubts = [(since_ns, 20 * S)]
    book.doubt(since_ns, noticed_ns)
    book.submit(30 * S, WORK, times=jobs)
    found = book.close(0, 40 * S, jobs, midstream=False)
    assert found.spent.count == counted


def test_a_doubt_from_the_beginning_leaves_no_empty_stretch() -> None:
    jobs = times(0, 10)
    jobs.doubts = [(5 * S * 2, 15 * S), (20 * S, 25 * S)]
    found = ShareBook().close(0, 40 * S, jobs, midstream=True)
    assert [(each.start_ns // S, each.end_ns // S) for each in found.windows.record()] == [(15, 20), (25, 40)]
    assert found.unrated_windows.total_ns == 20 * S


def test_a_share_soon_after_the_work_was_known_is_no_edge() -> None:
    book, jobs = ShareBook(), times(0, 10)
    for at_ns in (10 * S + S // 2, 20 * S, 30 * S):
        book.submit(at_ns, WORK, times=jobs)
    found = book.close(0, 40 * S, jobs, midstream=True)
    assert (found.spent.count, found.windows.total_ns, found.unrated_windows.total_ns) == (3, 30 * S, 10 * S)


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


def test_only_the_newest_can_come_into_doubt() -> None:
    book, jobs = ShareBook(), times()
    for at in range(MAX_RECENT + 20):
        book.submit(S + at, WORK, times=jobs)
    book.doubt(S - 1, 2 * S)
    assert book.unrated == MAX_RECENT + 1


def test_a_book_goes_on_where_the_window_before_ended() -> None:
    def closed(before_until_ns: int, *, unbroken: bool) -> Exposure:
        book, jobs = ShareBook(before=WindowEdge(before_until_ns, 5 * WORK, False, 0)), times()
        for at in (20, 30):
            book.submit(at * S, WORK, times=jobs)
        return book.close(10 * S, 40 * S, jobs, midstream=False, unbroken=unbroken)

    goes_on = closed(10 * S, unbroken=True)
    assert (goes_on.spent.work, goes_on.submitted, goes_on.windows.total_ns) == (7 * WORK, 3, 30 * S)
    for other in (closed(10 * S, unbroken=False), closed(10 * S + 1, unbroken=True)):
        assert (other.spent.work, other.submitted) == (2 * WORK, 2)


def test_joined_in_the_midst_the_first_share_is_an_edge_only_where_the_window_begins() -> None:
    def closed(*, midstream: bool) -> Exposure:
        book, jobs = ShareBook(), times()
        for at_ns in (S // 2, 10 * S, 20 * S):
            book.submit(at_ns, WORK, times=jobs)
        return book.close(0, 30 * S, jobs, midstream=midstream)

    assert (closed(midstream=True).spent.count, closed(midstream=True).windows.total_ns) == (2, 30 * S - S // 2)
    assert (closed(midstream=False).spent.count, closed(midstream=False).windows.total_ns) == (3, 30 * S)


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
    assert (Share(1, 2).number, Share(1, 2).position) == (-1, 0)
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
