"""The window of a book, and which shares are its edges and not counted, reckoned by hand."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.estimate.book import ShareBook
from sensor.estimate.exposure import Exposure
from sensor.estimate.job_times import JobTimes
from sensor.model.trace import WindowEdge
from tests.estimate.test_books_by_hand import times
from tests.estimate.test_figures_by_hand import WORK, S


def test_where_all_work_is_told_by_hashes_those_at_the_edges_are_in_no_guess() -> None:
    book, jobs = ShareBook(), dataclasses.replace(times(), hashes=20)
    for at in (10, 20, 30):
        book.submit(at * S, WORK, times=jobs)
    found = book.close(0, 30 * S + 1, jobs, midstream=False)
    assert (found.spent.count, found.guess.tally.count, found.guess.largest) == (2, 2, 20)
    whole = book.close(0, 40 * S, jobs, midstream=False)
    assert (whole.spent.count, whole.guess.tally.count) == (3, 3)


def test_of_two_shares_none_is_an_edge_at_the_beginning() -> None:
    for shares, counted in (((S // 2,), 1), ((S // 2, 10 * S), 2), ((S // 2, 10 * S, 20 * S), 2)):
        book, jobs = ShareBook(), times()
        for at_ns in shares:
            book.submit(at_ns, WORK, times=jobs)
        found = book.close(0, 30 * S, jobs, midstream=True)
        assert (found.spent.count, found.windows.total_ns) == (counted, 30 * S - S // 2)


def test_joined_long_before_a_share_it_is_no_edge() -> None:
    for first_ns in (S, 2 * S):
        book, jobs = ShareBook(), times()
        for at_ns in (first_ns, 10 * S, 20 * S):
            book.submit(at_ns, WORK, times=jobs)
        found = book.close(0, 30 * S, jobs, midstream=True)
        assert (found.spent.count, found.windows.total_ns) == (3, 30 * S)


def test_shares_of_before_the_first_known_job_are_of_unknown_work_at_the_end_too() -> None:
    book = ShareBook()
    book.submit(1 * S, WORK)
    found = book.close(0, 30 * S, times(5, 5), midstream=False)
    assert (found.spent.count, found.unrated, found.windows.total_ns) == (0, 1, 25 * S)


def test_of_a_share_whose_work_is_never_told_the_time_from_the_difficulty_on_is_unknown() -> None:
    book = ShareBook()
    book.submit(9 * S, None)
    found = book.close(0, 30 * S, JobTimes(1 * S, None, 7 * S), midstream=False)
    assert (found.unrated, found.windows.total_ns, found.unrated_windows.total_ns) == (1, 0, 23 * S)


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
    assert [inferred(last_s).submitted for last_s in (25.0, 40.5)] == [20, 20]


def test_where_hashes_tell_the_work_of_some_time_the_rest_is_not_theirs() -> None:
    found = inferred(20.5, known_s=0, doubts=((5, 15),))
    assert [tuple(stretch) for stretch in found.windows.record()] == [(5 * S, 15 * S, 0)]
    assert (found.submitted, found.unknown) == (20, 20)
    at_the_end = inferred(20.5, known_s=0, doubts=((5, 15), (18, 30)))
    assert [(stretch.start_ns, stretch.end_ns) for stretch in at_the_end.windows.record()] == [
        (5 * S, 15 * S),
        (18 * S, 20 * S),
    ]


def test_a_single_share_whose_hash_tells_its_work_is_counted_at_the_end_too() -> None:
    book = ShareBook()
    book.submit(20 * S, None, 1 << 40)
    found = book.close(0, 20 * S, times(0, None), midstream=True)
    assert (found.submitted, found.unknown, found.windows.total_ns) == (1, 1, 20 * S)
    book.submit(21 * S, None, 1 << 40)
    two = book.close(0, 21 * S, times(0, None), midstream=True)
    assert (two.submitted, two.unknown, two.guess.tally.count) == (1, 1, 2)


def test_before_the_work_was_known_hashes_tell_it_and_the_last_of_those_times_has_the_edge() -> None:
    found = inferred(20.5, known_s=3, doubts=((18, 30),))
    assert [(each.start_ns // S, each.end_ns // S) for each in found.windows.record()] == [(0, 3), (18, 20)]
    assert found.submitted == 19


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
    nothing_known = ShareBook(1 * S, before=earlier).close(2 * S, 40 * S, times(5, None), midstream=True, unbroken=True)
    assert nothing_known.windows.record()[0].start_ns == 5 * S
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


@pytest.mark.parametrize(("noticed_ns", "counted"), [(11 * S + S // 2, 2), (11 * S + S // 2 - 1, 3), (20 * S, 2)])
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


def test_of_two_shares_the_one_at_the_end_is_the_edge() -> None:
    book, jobs = ShareBook(login_ns=0), times(0, 10)
    for at in (20, 30):
        book.submit(at * S, WORK, times=jobs)
    found = book.close(0, 30 * S + 1, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns, found.unrated_windows.total_ns) == (1, 20 * S, 10 * S)
    later = ShareBook(before=WindowEdge(5 * S, WORK, False, 0)).close(6 * S, 30 * S, times(), midstream=False)
    assert (later.spent.count, later.windows.total_ns) == (0, 24 * S)


def test_a_share_whose_answer_was_lost_is_of_work_like_the_others() -> None:
    book = ShareBook()
    book.learn(book.submit(10 * S, None), WORK)
    book.submit(20 * S, None)
    found = book.close(0, 40 * S, JobTimes(0), midstream=False)
    assert (found.submitted, found.unknown, found.unrated, found.spent.count) == (2, 1, 0, 1)


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


def test_a_book_goes_on_where_the_window_before_ended() -> None:
    def closed(before_until_ns: int, *, unbroken: bool) -> Exposure:
        book, jobs = ShareBook(before=WindowEdge(before_until_ns, 5 * WORK, False, 0)), times()
        for at in (20, 30):
            book.submit(at * S, WORK, times=jobs)
        return book.close(10 * S, 40 * S, jobs, midstream=False, unbroken=unbroken)

    goes_on = closed(10 * S, unbroken=True)
    assert (goes_on.spent.work, goes_on.submitted, goes_on.windows.total_ns) == (7 * WORK, 3, 30 * S)
    earlier = closed(9 * S, unbroken=True)
    assert (earlier.spent.count, earlier.windows.total_ns) == (3, 31 * S)
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
