"""What a period rests on: time is listened to or not, replays stand in only where nobody is live, retired sensors say
nothing; and projections stay within their bound."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.model.coverage import Coverage, ListeningSpan, SensorCoverage, clipped, union
from sensor.model.quantities import WatchedStretch
from sensor.model.range import Range
from sensor.model.rates import MiningTimes, projection, rates
from sensor.model.work import mining_seconds

SECOND = 1_000_000_000
spans = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 40)), max_size=8).map(
    lambda pairs: [(start * SECOND, (start + length) * SECOND) for start, length in pairs]
)


def listened(name: str, *seconds: tuple[int, int], **more: bool) -> SensorCoverage:
    return SensorCoverage(name, tuple(ListeningSpan(a * SECOND, b * SECOND) for a, b in seconds), **more)


@given(spans)
def test_time_that_several_stretches_cover_counts_once(pairs: list[tuple[int, int]]) -> None:
    seconds = {at for start, end in pairs for at in range(start // SECOND, end // SECOND)}
    joined = union(pairs)
    assert sum(end - start for start, end in joined) == len(seconds) * SECOND
    assert all(before.to_ns < after.from_ns for before, after in itertools.pairwise(joined))
    assert mining_seconds([WatchedStretch(start, end, 0) for start, end in pairs]) == pytest.approx(len(seconds))


@given(spans, st.integers(0, 140))
def test_parts_of_a_period_make_up_the_whole(pairs: list[tuple[int, int]], border: int) -> None:
    whole = Coverage(0, 140 * SECOND, (SensorCoverage("a", tuple(union(pairs))),))
    parts = (whole.within(0, border * SECOND), whole.within(border * SECOND, 140 * SECOND))
    assert sum(part.seconds for part in parts) == pytest.approx(whole.seconds)
    assert clipped(pairs, 0, 0) == ()


def test_every_live_sensor_should_have_listened_and_replays_only_where_there_is_none() -> None:
    live, silent = listened("a", (0, 100)), listened("b")
    replay = listened("r", (0, 50), live=False)
    assert Coverage(0, 100 * SECOND, (live, silent)).part == 0.5
    assert Coverage(0, 100 * SECOND, (live, replay)).part == 1.0
    assert Coverage(0, 100 * SECOND, (replay, listened("s", (40, 80), live=False))).part == 0.8
    assert Coverage(0, 100 * SECOND).part == Coverage(0, 0, (live,)).part == 0.0


def test_the_silence_of_the_sensor_that_listened_least_counts() -> None:
    whole = Coverage(0, 100 * SECOND, (listened("a", (0, 100)), listened("b", (0, 10)), listened("c", retired=True)))
    assert whole.least_part({"a"}) == 1.0
    assert whole.least_part({"a", "b"}) == whole.least_part(()) == 0.1
    assert whole.least_part({"a", "c"}) == 1.0
    assert whole.least_part({"c"}) == whole.least_part({"elsewhere"}) == 0.0


@given(st.floats(0, 1e6), st.floats(1, 10))
def test_a_projection_is_never_less_than_what_was_seen_and_never_more_than_its_bound(seen: float, most: float) -> None:
    assert 1.0 <= projection(1e6, seen, most) <= most


def test_what_is_not_known_is_none_and_never_zero() -> None:
    nothing = rates(Range(), Range(), MiningTimes(60.0, 120.0, 2.0))
    assert {getattr(nothing, name) for name in nothing.__dataclass_fields__} == {None}
    known = rates(Range(60.0, 60.0, 60.0), Range(1.0, 1.0, 1.0), MiningTimes(60.0, 120.0))
    assert (known.hashrate_hps, known.mean_hashrate_hps) == (Range(1.0, 1.0, 1.0), Range(0.5, 0.5, 0.5))
    assert known.projected_kwh is None
