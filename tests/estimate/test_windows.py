"""What counts as watched time, and which share stands at its edge."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.estimate import Exposure, JobTimes, ShareBook, estimate
from sensor.estimate.windows import MAX_NS, MAX_STRETCHES, Windows
from sensor.signatures.work import UNITS

NS = 1_000_000_000
WORK = 1000 * UNITS


def book(*seconds: float, login: float | None = 0.0, work: int | None = WORK) -> ShareBook:
    result = ShareBook(login_ns=None if login is None else int(login * NS))
    for at in seconds:
        result.submit(int(at * NS), work)
    return result


def closed(
    shares: ShareBook, last: float, *, first: float = 0.0, job: float | None = 0.0, midstream: bool = False
) -> Exposure:
    jobs = JobTimes()
    if job is not None:
        jobs.put(int(job * NS), has_work=True)
    result = shares.close(int(first * NS), int(last * NS), jobs, midstream)
    result.seen_bytes = 1000
    return result


def seconds(exposure: Exposure) -> float:
    return exposure.windows.total_ns / NS


def test_the_window_goes_from_the_first_job_to_the_last_packet() -> None:
    found = closed(book(20, 30, 40, login=5.0), 60, job=10)
    assert (seconds(found), found.credited.count) == (50.0, 3)


def test_a_share_that_ends_the_window_is_its_end_and_not_counted() -> None:
    found = closed(book(10, 20, 30), 30.04)
    assert (seconds(found), found.credited.count, found.submitted) == (30.0, 2, 2)


def test_a_single_share_is_counted_even_there() -> None:
    assert closed(book(30), 30.04).credited.count == 1


def test_joined_at_a_share_the_window_starts_with_it() -> None:
    found = closed(book(100, 110, 120, 130, login=None), 140, first=100, midstream=True)
    assert (seconds(found), found.credited.count) == (40.0, 3)


def test_joined_before_the_difficulty_was_said_the_time_until_then_is_left_out() -> None:
    shares = book(10, 20, login=None, work=None)
    times = JobTimes()
    times.put(30 * NS, has_work=True)
    for at in (40, 50):
        shares.submit(at * NS, WORK, times=times)
    found = shares.close(0, 60 * NS, times, midstream=True)
    assert (seconds(found), found.credited.count, found.unknown) == (30.0, 2, 0)
    assert (found.unknown_shares, found.unknown_seconds) == (2, 30.0)


def test_time_in_doubt_is_cut_out_with_its_shares_and_goes_back_to_what_was_heard_last() -> None:
    shares, times = ShareBook(login_ns=0), JobTimes()
    times.put(0, has_work=True)
    for at in (10, 20, 30):
        shares.submit(at * NS, WORK, times=times)
        times.heard_ns = at * NS + NS // 10
    shares.submit(40 * NS, WORK, times=times)  # after the last message of the pool: the lost one may have come before
    assert times.doubt()
    shares.doubt(times.heard_ns, 45 * NS)
    for at in (50, 60):
        shares.submit(at * NS, WORK, times=times)
    times.put(70 * NS, has_work=True)
    shares.submit(80 * NS, 4 * WORK, times=times)
    shares.submit(90 * NS, 4 * WORK, times=times)
    found = shares.close(0, 100 * NS, times, midstream=False)
    assert seconds(found) == pytest.approx(30.1 + 30.0)
    assert (found.spent.count, found.spent.work) == (5, 3 * WORK + 8 * WORK)
    assert (found.unknown_shares, found.unknown_seconds) == (3, pytest.approx(70 - 30.1))


def test_rejected_shares_cost_power_but_are_no_proof() -> None:
    shares = book(10, 20)
    shares.reject(shares.submit(30 * NS, WORK))
    shares.submit(40 * NS, WORK)
    found = estimate(closed(shares, 60))
    assert found is not None
    assert found.hashrate.best == pytest.approx(3 * 1000 / 60)
    assert found.spent.best == pytest.approx(4 * 1000 / 60)


def test_a_rejected_share_at_the_end_is_taken_back_once() -> None:
    shares = book(10, 20)
    shares.reject(shares.submit(60 * NS, WORK))
    found = closed(shares, 60.1)
    assert (found.credited.count, found.spent.count) == (2, 2)


def test_unknown_shares_are_not_like_the_others() -> None:
    shares = book(10, 20, 30)
    shares.submit(40 * NS, None)
    exposure = closed(shares, 60)
    found = estimate(exposure)
    assert found is not None
    assert found.hashrate.best == pytest.approx(3 * 1000 / 60)
    assert exposure.unknown_shares == 1
    assert any("unknown difficulty" in note and "left out" in note for note in found.notes)


def test_a_share_whose_answer_was_lost_is_like_those_whose_answers_gave_their_work() -> None:
    shares = ShareBook(login_ns=0)
    sent = [shares.submit(at * NS, None) for at in (10, 20, 30, 40)]
    for share in sent[:3]:
        shares.learn(share, WORK)
    found = estimate(closed(shares, 60))
    assert found is not None
    assert found.hashrate.best == pytest.approx(4 * 1000 / 60)


@pytest.mark.parametrize("change", ["unseen", "unknown", "short", "lost"])
def test_what_cannot_be_known_has_no_figure(change: str) -> None:
    found = closed(
        book(10, 20, work=None if change == "unknown" else WORK),
        20.5 if change == "short" else 60,
        job=20 if change == "short" else 0,
    )
    if change == "unseen":
        found.seen_bytes = 0
    if change == "lost":
        found.missed_bytes = 100_000
    if change == "short":
        found.windows = Windows()
    assert estimate(found) is None


def test_rigs_at_the_same_time_add_up_and_a_reconnect_goes_on() -> None:
    one, same_time, later = (
        closed(book(10, 20), 50),
        closed(book(15, 25), 50),
        closed(book(110, 120, login=100.0), 150, first=100, job=100),
    )
    together = Exposure()
    for part in (later, one, same_time):
        together.add(part)
    assert seconds(together) == 100.0
    found = estimate(together)
    assert found is not None
    assert found.hashrate.best == pytest.approx(6 * 1000 / 100)


STRETCHES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(STRETCHES)
def test_windows_are_a_union_in_any_order(stretches: list[tuple[int, int]]) -> None:
    covered = {at for start, length in stretches for at in range(start, start + length)}
    windows = Windows()
    for start, length in stretches:
        windows.put(start, start + length)
    backwards = Windows()
    for start, length in reversed(stretches):
        backwards.put(start, start + length)
    assert windows.total_ns == backwards.total_ns == len(covered)


def test_windows_are_bounded_and_keep_their_sum() -> None:
    windows = Windows()
    for number in range(3 * MAX_STRETCHES):
        windows.put(number * 10, number * 10 + 4)
    assert windows.total_ns == 3 * MAX_STRETCHES * 4


def test_connections_of_unknown_work_beside_known_ones_open_the_high_end() -> None:
    """Two rigs alike, and the difficulty of one is not known: the truth is twice what is counted."""
    known = Exposure(seen_bytes=1, submitted=100, rated_ns=600 * NS)
    known.spent.put(WORK, 100)
    known.credited.put(WORK, 100)
    known.windows.put(0, 600 * NS)
    alone = estimate(known)
    unknown = Exposure(seen_bytes=1, unrated=100, unrated_ns=600 * NS)
    unknown.unrated_windows.put(0, 600 * NS)
    known.add(unknown)
    both = estimate(known)
    assert alone is not None
    assert both is not None
    assert (both.hashrate.low, both.hashrate.best) == (alone.hashrate.low, alone.hashrate.best)
    assert both.hashrate.high > 2 * alone.hashrate.best
    assert any("beside" in note for note in both.notes)


def test_time_of_unknown_work_after_known_work_opens_nothing() -> None:
    exposure = Exposure(seen_bytes=1, submitted=100, rated_ns=600 * NS, unrated_ns=600 * NS)
    exposure.windows.put(0, 600 * NS)
    exposure.unrated_windows.put(600 * NS, 1_200 * NS)
    assert exposure.beside == 0.0


def test_loss_is_an_uncertainty_of_its_own() -> None:
    widths = []
    for missed in (0, 5, 30):
        exposure = Exposure(seen_bytes=100 - missed, missed_bytes=missed, submitted=100_000, rated_ns=600 * NS)
        exposure.spent.put(WORK, 100_000)
        exposure.credited.put(WORK, 100_000)
        exposure.windows.put(0, 600 * NS)
        found = estimate(exposure)
        assert found is not None
        widths.append(found.hashrate.high / found.hashrate.low - 1)
        assert found.hashrate.low < found.hashrate.best < found.hashrate.high
    assert widths[0] < 0.02
    assert widths[1] > 0.04
    assert widths[2] > 0.3


def test_a_book_whose_algorithm_proved_another_rejects_and_takes_back_by_the_new_work() -> None:
    shares = ShareBook(login_ns=0)
    sent = [shares.submit(number * 10 * NS, work) for number, work in enumerate((100, 100, None))]
    shares.rescale(Fraction(3, 2))
    assert [share.work for share in sent] == [150, 150, None]
    shares.reject(sent[0])
    assert shares.rejected is not None
    assert (shares.rejected.work, shares.spent.work) == (150, 300)


def test_what_a_stretch_takes_is_a_few_bytes() -> None:
    """A finding of months has a thousand of them, and two sets."""
    windows = Windows()
    for number in range(MAX_STRETCHES):
        windows.put(number * 10 * NS, (number * 10 + 1) * NS)
    columns = (windows._starts, windows._ends, windows._pauses)
    assert sum(sys.getsizeof(column) for column in columns) < 40 * MAX_STRETCHES
    assert windows.total_ns == MAX_STRETCHES * NS


@pytest.mark.parametrize("at_ns", [0, -5 * NS, MAX_NS, MAX_NS - NS])
def test_a_stretch_at_the_ends_of_all_time_is_counted_and_nothing_breaks(at_ns: int) -> None:
    windows = Windows()
    windows.put(at_ns - NS, at_ns + NS)
    windows.put(0, MAX_NS)
    assert windows.record()
    assert windows.total_ns <= 2 * MAX_NS
