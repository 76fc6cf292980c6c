"""Sums of shares and of times whose parts have bits in common, reckoned by hand."""

from __future__ import annotations

import pytest

from sensor.estimate.book import ShareBook
from sensor.estimate.exposure import Exposure
from sensor.estimate.hash_target import work_by_hashes
from sensor.estimate.hashrate import estimate
from sensor.estimate.interval import rate
from sensor.estimate.job_times import JobTimes
from sensor.estimate.target import SPACE, work_from
from sensor.estimate.windows import MAX_STRETCHES, Windows
from sensor.model.quantities import WatchedStretch
from sensor.model.trace import WindowEdge
from sensor.signatures.work import UNITS
from tests.estimate.test_books_by_hand import times
from tests.estimate.test_figures_by_hand import WORK, S, exposure, tally, windows
from tests.estimate.test_targets_by_hand import SPACE_OF_HASHES, hashes


def filled(book: ShareBook, jobs: JobTimes, *known_s: int) -> ShareBook:
    for at in known_s:
        book.submit(at * S, WORK, times=jobs)
    return book


def test_shares_without_work_are_all_that_there_were() -> None:
    assert Exposure(submitted=3, unrated=1).without_work().unrated == 4


def test_a_tally_less_a_part_of_it_has_the_rest() -> None:
    left = tally(*[WORK] * 5).without(tally(*[WORK] * 3))
    assert (left.count, left.work, left.work_squared) == (2, 2 * WORK, 2 * WORK * WORK)


def test_time_of_unknown_work_apart_from_the_known_is_not_beside_it() -> None:
    """Of 60 s of unknown work 20 s came after the known 100 s; 40 s ran beside them."""
    beside = Exposure(windows((0, 100)), unrated_windows=windows((60, 120)), unrated_ns=60 * S, rated_ns=100 * S)
    assert beside.beside == 0.4


def test_an_empty_window_of_which_part_was_not_captured_may_have_had_more() -> None:
    nothing = exposure(credited=tally(), spent=tally(), submitted=0, next_work=(1, WORK), missed_bytes=300)
    found, plain = estimate(nothing), rate(tally(), 100.0, seen=0.75, next_work=WORK)
    assert found is not None
    assert plain is not None
    assert found.hashrate.best == 0.0
    assert found.hashrate.high == pytest.approx(plain.high / 0.75**0.5)


@pytest.mark.parametrize("count", [17, 19, 33])
def test_the_target_of_an_odd_number_of_hashes_is_above_the_largest_by_its_part(count: int) -> None:
    values = hashes(0.4, count)
    target = work_by_hashes(values, None)
    assert target is not None
    assert target.work == SPACE_OF_HASHES * UNITS // (max(values) * (count + 1) // count)
    assert type(target.work) is int
    assert work_from([9, 9, 9]) == SPACE * UNITS // 12


def test_what_a_refuted_difficulty_counted_is_of_unknown_work() -> None:
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 2, 3)
    jobs.era = 1
    filled(book, jobs, 4, 5)
    book.refute()
    assert (book.spent.count, book.unrated) == (3, 2)


def test_what_was_sent_before_the_first_known_job_is_of_unknown_work() -> None:
    book, jobs = ShareBook(learnt=True), JobTimes(0, None, None, 0)
    for at in (1, 2, 3):
        book.submit(at * S, None, times=jobs)
    filled(book, jobs, 4)
    jobs_at_20_s = times(known_s=20)
    book.close(0, 30 * S, jobs_at_20_s, midstream=False)
    assert (book.unknown, book.unrated, book.spent.count) == (0, 4, 0)


def test_shares_of_doubted_and_of_unknown_work_are_all_left_out() -> None:
    for learnt, unrated, submitted in ((False, 4, 2), (True, 3, 3)):
        book = ShareBook(learnt=learnt)
        book.submit(1 * S, WORK)
        book.submit(2 * S, WORK)
        book.unrated = 3
        book.submit(20 * S, None)
        found = book.close(0, 40 * S, times(), midstream=False)
        assert (found.unrated, found.submitted) == (unrated, submitted)


def test_where_hashes_tell_the_work_shares_in_doubt_are_among_them() -> None:
    book = ShareBook()
    for at in range(20):
        book.submit(at * S, None, hashes(0.5, 1)[0])
    book.unrated = 4
    found = book.close(0, 60 * S, JobTimes(0, None), midstream=False)
    assert (found.submitted, found.unknown, found.unrated) == (24, 24, 0)


def test_of_a_share_of_known_and_one_of_unknown_work_the_last_is_the_edge() -> None:
    book, jobs = ShareBook(learnt=True), times()
    book.submit(1 * S, None, times=jobs)
    filled(book, jobs, 20)
    found = book.close(0, 20 * S + S // 2, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns) == (0, 20 * S)


def test_a_first_share_from_before_its_login_begins_the_window_and_is_no_event_in_it() -> None:
    book, jobs = ShareBook(login_ns=15 * S), times()
    filled(book, jobs, 10, 20, 30)
    found = book.close(0, 40 * S, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns) == (2, 30 * S)
    at_once = ShareBook(login_ns=10 * S)
    found = filled(at_once, times(), 10, 20, 30).close(0, 40 * S, times(), midstream=False)
    assert (found.spent.count, found.windows.total_ns) == (3, 30 * S)


@pytest.mark.parametrize(("first_ns", "counted"), [(5 * S + S // 2, 2), (6 * S, 3), (7 * S, 3)])
def test_joined_in_the_midst_a_share_within_a_second_is_the_edge(first_ns: int, counted: int) -> None:
    book, jobs = ShareBook(), times()
    book.submit(first_ns, WORK, times=jobs)
    filled(book, jobs, 10, 20)
    found = book.close(5 * S, 30 * S, jobs, midstream=True)
    assert found.spent.count == counted


def test_joined_in_the_midst_the_first_share_of_several_rows_is_the_edge() -> None:
    book, jobs = ShareBook(), times()
    book.submit(S // 2, WORK, times=jobs)
    filled(book, jobs, 10)
    book.doubt(12 * S, 12 * S)  # the next share begins a row
    filled(book, jobs, 20, 25)
    found = book.close(0, 40 * S, jobs, midstream=True)
    assert (found.spent.count, found.windows.total_ns) == (3, 40 * S - S // 2)


def test_a_connection_whose_difficulty_became_known_later_does_not_count_the_share_before() -> None:
    """It ended the window before, but of this one the beginning is of unknown work."""
    book = ShareBook(before=WindowEdge(10 * S, 5 * WORK, False, 0))
    jobs = times(known_s=15)
    filled(book, jobs, 20, 30)
    found = book.close(10 * S, 40 * S, jobs, midstream=False, unbroken=True)
    assert (found.spent.work, found.submitted, found.windows.total_ns) == (2 * WORK, 2, 25 * S)
    assert found.unrated_windows.total_ns == 5 * S


def test_a_doubt_that_was_over_before_the_window_is_no_time_of_it() -> None:
    book, jobs = ShareBook(login_ns=30 * S), times()
    jobs.doubts.append((10 * S, 20 * S))
    found = filled(book, jobs, 40, 50).close(0, 60 * S, jobs, midstream=False)
    assert (found.windows.total_ns, found.unrated_windows.total_ns) == (30 * S, 0)


def test_a_stretch_without_a_share_of_its_own_ends_where_it_ends() -> None:
    """The last share came before the doubt, less than a second before the end."""
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 5, 10)
    jobs.doubts.append((10 * S + S // 4, 10 * S + S // 2))
    found = book.close(0, 10 * S + 3 * S // 4, jobs, midstream=False)
    assert found.windows.total_ns + found.unrated_windows.total_ns == 10 * S + 3 * S // 4 - S // 4
    assert found.spent.count == 2


def test_the_last_share_of_several_rows_is_the_edge() -> None:
    book, jobs = ShareBook(), times()
    filled(book, jobs, 5, 10)
    book.doubt(12 * S, 12 * S)
    filled(book, jobs, 20, 25)
    found = book.close(0, 25 * S + S // 2, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns) == (3, 25 * S)


def test_joined_in_the_midst_shares_of_unknown_work_are_among_those_that_leave_the_first_out() -> None:
    book, jobs = ShareBook(learnt=True), times()
    book.submit(S // 2, WORK, times=jobs)
    for at in (10, 20):
        book.submit(at * S, None, times=jobs)
    filled(book, jobs, 30)
    found = book.close(0, 40 * S, jobs, midstream=True)
    assert (found.spent.count, found.unknown, found.windows.total_ns) == (1, 2, 40 * S - S // 2)


def test_a_doubt_takes_back_to_the_newest_share_that_the_pool_has_answered_since() -> None:
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 2)
    jobs.heard_ns = 3 * S
    filled(book, jobs, 4, 5)
    book.doubt(3 * S, 9 * S)
    assert [(row.first.ts_ns, row.last.ts_ns) for row in book.rows] == [(1 * S, 2 * S)]


def test_stretches_that_touch_are_one() -> None:
    for stretches in (((0, 10), (10, 20)), ((10, 20), (0, 10)), ((0, 10), (20, 30), (10, 20))):
        found = windows(*stretches)
        assert found.record() == (WatchedStretch(0, max(end for _, end in stretches) * S, 0),)


@pytest.mark.parametrize("near", [501, 502, 0])
def test_whichever_two_stretches_are_nearest_become_one(near: int) -> None:
    """Each pause is another, so that those of other stretches would tell."""
    held = Windows.of(WatchedStretch(1_000 * at, 1_000 * at + 50, at % 31) for at in range(MAX_STRETCHES))
    held.add(Windows.of([WatchedStretch(1_000 * near + 55, 1_000 * near + 90, 2)]))
    record = held.record()
    assert len(record) == MAX_STRETCHES
    assert record[near] == WatchedStretch(1_000 * near, 1_000 * near + 90, near % 31 + 5 + 2)
    assert record[near + 1] == WatchedStretch(1_000 * near + 1_000, 1_000 * near + 1_050, (near + 1) % 31)
