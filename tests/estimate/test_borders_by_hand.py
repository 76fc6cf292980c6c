"""Shares and windows at the borders of what counts, reckoned by hand."""

from __future__ import annotations

import pytest

from sensor.estimate.book import ShareBook
from sensor.estimate.hashrate import LEAST_SECONDS, estimate
from sensor.estimate.interval import work_bounds
from sensor.estimate.job_times import JobTimes
from sensor.estimate.windows import Windows
from sensor.model.quantities import WatchedStretch
from sensor.model.trace import WindowEdge
from tests.estimate.test_books_by_hand import times
from tests.estimate.test_figures_by_hand import WORK, S, exposure, tally


def filled(book: ShareBook, jobs: JobTimes, *known_s: int) -> ShareBook:
    for at in known_s:
        book.submit(at * S, WORK, times=jobs)
    return book


@pytest.mark.parametrize("works", [(3, 7, 5), (7, 3), (3, 7), (7, 5, 3)])
def test_the_heaviest_share_stays_the_heaviest_in_whatever_order_shares_come(works: tuple[int, ...]) -> None:
    found = tally(*(work * WORK for work in works))
    assert found.heaviest == 7 * WORK
    assert work_bounds(found, 0) == work_bounds(tally(*(work * WORK for work in sorted(works))), 0)


@pytest.mark.parametrize("watched_ns", [1, S // 2, S - 1])
def test_in_less_than_a_second_there_is_no_hashrate(watched_ns: int) -> None:
    assert LEAST_SECONDS == 1.0
    short, enough = Windows(), Windows()
    short.put(0, watched_ns)
    enough.put(0, S)
    assert estimate(exposure(windows=short)) is None
    assert estimate(exposure(windows=enough)) is not None


def test_a_share_that_is_the_last_packet_is_the_edge_also_where_it_is_alone_since_a_doubt() -> None:
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 5, 10)
    book.doubt(12 * S, 12 * S)  # the next share begins a row
    filled(book, jobs, 25)
    found = book.close(0, 25 * S, jobs, midstream=False)
    assert (found.spent.count, found.submitted, found.windows.total_ns) == (3, 3, 25 * S)
    assert found.edge == WindowEdge(25 * S, WORK, False, 0)


def test_a_share_that_ends_a_stretch_before_a_doubt_is_not_the_edge_of_the_window() -> None:
    """It was the last before the pool was not heard for long; the window ended ten seconds after its last share."""
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 5, 10)
    book.doubt(10 * S + S // 10, 15 * S)
    jobs.doubts.append((10 * S + S // 10, 20 * S))
    filled(book, jobs, 25, 30)
    found = book.close(0, 40 * S, jobs, midstream=False)
    assert (found.spent.count, found.windows.total_ns) == (4, 10 * S + 20 * S)
    assert found.edge == WindowEdge(40 * S, None, False, 0)


def test_a_window_that_ends_in_doubt_has_no_stretch_after_it() -> None:
    book, jobs = ShareBook(), times()
    filled(book, jobs, 1, 5)
    jobs.since_ns = 20 * S
    found = book.close(0, 30 * S, jobs, midstream=False)
    assert found.windows.record() == (WatchedStretch(0, 20 * S, 0),)
    assert found.unrated_windows.record() == (WatchedStretch(20 * S, 30 * S, 0),)
