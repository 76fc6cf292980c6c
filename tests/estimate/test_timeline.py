"""Shares over time: none is lost or counted twice, the bins are few, and the order in which connections end changes
nothing.
"""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from sensor.estimate.timeline import MAX_BINS, WIDTHS, Timeline, joined
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
