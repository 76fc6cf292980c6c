"""Two records of shares over time in one, and the newest bins of a timeline, reckoned by hand."""

from __future__ import annotations

import pytest

from sensor.estimate.timeline import MAX_BINS, Timeline, joined
from sensor.model.quantities import ShareTimeline
from sensor.model.time import SECOND_NS

MINUTE_NS, HOUR_NS = 60 * SECOND_NS, 3_600 * SECOND_NS
#: 2026-03-02 08:00:00 UTC
EIGHT_NS = 1_772_438_400 * SECOND_NS


def minutes(*counts: int, start_ns: int = EIGHT_NS) -> ShareTimeline:
    return ShareTimeline(start_ns, MINUTE_NS, counts)


def test_records_of_one_width_are_added_bin_by_bin() -> None:
    assert joined(minutes(1, 2, 3), minutes(10, 20, start_ns=EIGHT_NS + MINUTE_NS)) == minutes(1, 12, 23)
    assert joined(minutes(7), minutes(5, start_ns=EIGHT_NS - 2 * MINUTE_NS)) == minutes(
        5, 0, 7, start_ns=EIGHT_NS - 2 * MINUTE_NS
    )


def test_records_of_two_widths_are_told_in_the_wider() -> None:
    hours = ShareTimeline(EIGHT_NS, HOUR_NS, (4, 5))
    for pair in ((minutes(1, 2), hours), (hours, minutes(1, 2))):
        assert joined(*pair) == ShareTimeline(EIGHT_NS, HOUR_NS, (7, 5))


def test_a_record_alone_stays_as_it_is() -> None:
    assert joined(minutes(1), None) == joined(None, minutes(1)) == minutes(1)
    assert joined(None, None) is None


@pytest.mark.parametrize("odd", [7 * SECOND_NS, 59 * SECOND_NS])
def test_of_a_record_whose_width_is_not_known_the_newer_counts(odd: int) -> None:
    unknown = ShareTimeline(EIGHT_NS, odd, (9,))
    assert joined(minutes(1), unknown) == unknown
    assert joined(unknown, minutes(1)) == minutes(1)
    assert joined(unknown, ShareTimeline(EIGHT_NS, odd, (8,))) == ShareTimeline(EIGHT_NS, odd, (8,))


def test_as_many_bins_as_there_is_room_for_keep_their_width() -> None:
    line = Timeline()
    for second in range(MAX_BINS):
        line.put(EIGHT_NS + second * SECOND_NS)
    assert line.record() == ShareTimeline(EIGHT_NS, SECOND_NS, (1,) * MAX_BINS)
    line.put(EIGHT_NS + MAX_BINS * SECOND_NS)
    assert line.record() == ShareTimeline(EIGHT_NS, 2 * SECOND_NS, (*(2,) * (MAX_BINS // 2), 1))


def test_forty_eight_bins_are_kept_in_widths_that_double_each_day_from_a_day_on() -> None:
    assert MAX_BINS == 48
    day = 86_400
    line = Timeline()
    for at in (0, 47 * day):
        line.put(at * SECOND_NS)
    assert line.record() == ShareTimeline(0, day * SECOND_NS, (1, *(0,) * 46, 1))
    line = Timeline()
    for at in (0, 48 * day):
        line.put(at * SECOND_NS)
    assert line.record() == ShareTimeline(0, 2 * day * SECOND_NS, (1, *(0,) * 23, 1))
    line.put(96 * day * SECOND_NS)
    assert line.record() == ShareTimeline(0, 4 * day * SECOND_NS, (1, *(0,) * 11, 1, *(0,) * 11, 1))
