"""Shares over time: none is lost or counted twice, the bins are few, and the order in which connections end changes
nothing.
"""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from sensor.estimate.timeline import MAX_BINS, WIDTHS, Timeline, counted_again, joined, positive, signed_sum
from sensor.model.finding import Finding
from sensor.model.quantities import ShareTimeline
from sensor.model.time import SECOND_NS as NS
from sensor.session.account import Account
from tests.session.dialogue import events, run

LAST_NS = 2**63 - 1
NEAR = st.integers(1_772_000_000, 1_772_100_000).map(lambda second: second * NS)
TIMES = st.lists(st.one_of(NEAR, st.integers(0, LAST_NS)), min_size=1, max_size=60)


def line(times: list[int]) -> Timeline:
    found = Timeline()
    for ts_ns in times:
        found.put(ts_ns)
    return found


def record(times: list[int]) -> ShareTimeline:
    found = line(times).record()
    assert found is not None
    return found


def test_each_width_divides_the_next_and_the_last_holds_any_clock() -> None:
    assert all(wide % narrow == 0 for narrow, wide in itertools.pairwise(WIDTHS))
    assert WIDTHS[-1] * MAX_BINS > 2**63 // NS + WIDTHS[-1]


@given(TIMES)
def test_every_share_is_in_the_bin_of_its_time(times: list[int]) -> None:
    found = record(times)
    assert sum(found.counts) == len(times)
    assert 1 <= len(found.counts) <= MAX_BINS
    for number, count in enumerate(found.counts):
        begin = found.start_ns + number * found.bin_ns
        assert count == sum(begin <= ts_ns < begin + found.bin_ns for ts_ns in times)


@given(TIMES, st.randoms(use_true_random=False), st.integers(0, 60))
def test_order_and_cut_do_not_matter(times: list[int], chance: random.Random, cut: int) -> None:
    mixed = list(times)
    chance.shuffle(mixed)
    one, other = line(mixed[:cut]), line(mixed[cut:])
    other.add(one)
    assert other.record() == record(times)
    assert joined(line(mixed[:cut]).record(), line(mixed[cut:]).record()) == record(times)


def test_bins_are_as_fine_as_their_number_allows() -> None:
    begin = 1_772_000_040 * NS  # on a border of every width up to a minute
    assert record([begin + second * NS for second in range(MAX_BINS)]).bin_ns == NS
    assert record([begin + second * NS for second in range(MAX_BINS + 1)]).bin_ns == 2 * NS
    assert record([begin, begin + 400 * NS]).bin_ns == 10 * NS


def test_without_a_share_there_is_no_timeline() -> None:
    assert Timeline().record() is None
    assert joined(None, None) is None
    assert joined(None, record([NS])) == record([NS])


def test_a_width_of_another_release_is_not_mixed() -> None:
    assert joined(ShareTimeline(0, 7 * NS, (1, 2)), record([NS])) == record([NS])


def counts(line: ShareTimeline | None) -> dict[int, int]:
    """By the second in which a bin begins; bins without a share left out."""
    if line is None:
        return {}
    begins = ((line.start_ns + number * line.bin_ns) // NS for number in range(len(line.counts)))
    return {begin: count for begin, count in zip(begins, line.counts, strict=True) if count}


def test_records_are_added_and_taken_off_second_by_second() -> None:
    first, other = ShareTimeline(100 * NS, NS, (3, 0, 2)), ShareTimeline(101 * NS, NS, (1, 5, 4))
    assert signed_sum(first, other) == ShareTimeline(100 * NS, NS, (3, 1, 7, 4))
    assert signed_sum(first, other, -1) == ShareTimeline(100 * NS, NS, (3, -1, -3, -4))
    assert signed_sum(None, other, -1) == ShareTimeline(101 * NS, NS, (-1, -5, -4))
    assert signed_sum(first, None) == first
    assert signed_sum(first, first, -1) is None
    assert signed_sum(first, ShareTimeline(105 * NS, NS, (7,))) == ShareTimeline(100 * NS, NS, (3, 0, 2, 0, 0, 7))
    assert signed_sum(None, None) is None
    assert signed_sum(first, ShareTimeline(0, 7 * NS, (9,))) == first
    assert signed_sum(first, ShareTimeline(102 * NS, NS, (2,)), -1) == ShareTimeline(100 * NS, NS, (3,))


def test_records_of_two_widths_are_added_in_bins_of_the_wider() -> None:
    fine, coarse = ShareTimeline(101 * NS, NS, (1, 2, 3)), ShareTimeline(100 * NS, 2 * NS, (10, 0, 30))
    assert signed_sum(fine, coarse) == signed_sum(coarse, fine) == ShareTimeline(100 * NS, 2 * NS, (11, 5, 30))


@given(TIMES, TIMES)
def test_a_sum_is_what_both_would_have_counted_and_its_parts_can_be_taken_off(one: list[int], two: list[int]) -> None:
    both = signed_sum(record(one), record(two))
    assert both == record(one + two)
    rest = signed_sum(both, record(two), -1)
    assert rest is not None
    assert sum(rest.counts) == len(one)
    assert len(rest.counts) <= MAX_BINS
    assert positive(rest) == rest


def test_as_many_bins_as_there_may_be_stay_as_fine_as_they_are() -> None:
    begin = 1_772_000_040
    apart = [ShareTimeline((begin + at) * NS, NS, (1,)) for at in (0, MAX_BINS - 1, MAX_BINS, MAX_BINS + 9)]
    for other, seconds in zip(apart[1:], (1, 2, 2), strict=True):
        whole = signed_sum(apart[0], other)
        assert whole is not None
        assert whole.bin_ns == seconds * NS


def test_what_is_below_nothing_is_left_out() -> None:
    assert positive(ShareTimeline(5 * NS, NS, (2, -1, 0, 1))) == ShareTimeline(5 * NS, NS, (2, 0, 0, 1))
    assert positive(ShareTimeline(5 * NS, NS, (0, -1))) is None
    assert positive(ShareTimeline(5 * NS, NS, (1,))) == ShareTimeline(5 * NS, NS, (1,))
    assert positive(None) is None


def test_shares_counted_twice_are_where_both_have_some() -> None:
    line, before = ShareTimeline(10 * NS, NS, (4, 4, 4, 0, 8)), ShareTimeline(11 * NS, NS, (2, 9, 9, 0))
    assert counts(counted_again(before, line, 3)) == {11: 1, 12: 2}
    assert counts(counted_again(before, line, 6)) == {11: 2, 12: 4}
    assert counts(counted_again(None, line, 5)) == {10: 1, 11: 1, 12: 1, 14: 2}
    assert counts(counted_again(ShareTimeline(90 * NS, NS, (1,)), line, 5)) == {10: 1, 11: 1, 12: 1, 14: 2}
    assert counted_again(None, line, 1) == ShareTimeline(10 * NS, NS, (0, 0, 0, 0, 1))
    assert counted_again(None, ShareTimeline(10 * NS, NS, (1, 1)), 2) == ShareTimeline(10 * NS, NS, (1, 1))
    assert counted_again(before, line, 0) is None
    assert counted_again(before, line, -1) is None
    assert counted_again(before, None, 3) is None
    assert counted_again(before, ShareTimeline(0, 7 * NS, (1,)), 3) is None
    assert counts(counted_again(ShareTimeline(10 * NS, 2 * NS, (1,)), line, 4)) == {10: 4}
    assert counts(counted_again(ShareTimeline(0, 7 * NS, (9,)), line, 20)) == {10: 4, 11: 4, 12: 4, 14: 8}


@given(TIMES, TIMES, st.integers(1, 200))
def test_so_many_as_were_counted_twice_are_dealt_out(one: list[int], two: list[int], shares: int) -> None:
    again = counted_again(record(one), record(two), shares)
    assert again is not None
    assert sum(again.counts) == shares
    assert min(again.counts) >= 0
    assert all(isinstance(count, int) for count in again.counts)


def test_a_count_stays_at_its_bound() -> None:
    found = line([NS])
    found.put(NS, 2**40)
    assert found.record() == ShareTimeline(NS, NS, (2**32 - 1,))


def test_an_account_counts_what_is_sent_whatever_becomes_of_it() -> None:
    account = Account("a", 0, 0)
    for second in (5, 6, 6):
        share = account.submit(second * NS, 1 << 32)
    account.settle(False, 1 << 32, share)
    assert account.timeline is not None
    assert account.timeline.record() == ShareTimeline(5 * NS, NS, (1, 2))


TALK = """
    C {"id":1,"method":"mining.subscribe","params":["whatsminer/v1.1.0"]}
    S {"id":1,"result":[[["mining.notify","2"]],"f1b0dee5",4],"error":null}
    C {"id":2,"method":"mining.authorize","params":["museum.stick","x"]}
    S {"id":2,"result":true,"error":null}
    C {"id":3,"method":"mining.submit","params":["museum.stick","a","00000001","689c3007","0a1b2c3d"]}
    S {"id":3,"result":true,"error":null}
"""


def test_a_finding_has_the_shares_of_all_its_connections() -> None:
    stream = [*events(TALK, flow=1), *events(TALK, flow=2)]
    (found,) = [one for one in run(stream)[0] if isinstance(one, Finding)]
    assert found.timeline is not None
    assert sum(found.timeline.counts) == found.shares.submitted == 2
