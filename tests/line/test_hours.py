"""Events are cut at the full hours of their clock, and nothing of them is lost or changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sensor.line.hours import PacketHours
from sensor.model.events import Chunk, End, Event
from sensor.model.time import DAY_NS, HOUR_NS, PlausibleTime

T0 = 500_000 * HOUR_NS


def chunk(at_ns: int) -> Chunk:
    return Chunk(1, at_ns, 0, 0, 0, b"x")


@given(st.lists(st.integers(0, 50 * 60), max_size=40), st.integers(1, 7))
def test_the_parts_are_the_events_in_their_order(minutes: list[int], batch: int) -> None:
    events: list[Event] = [chunk(T0 + minute * HOUR_NS // 60) for minute in sorted(minutes)]
    hours = PacketHours()
    seen: list[Event] = []
    over: list[int] = []
    for start in range(0, len(events), batch):
        for part in hours.parts(events[start : start + batch]):
            over += [] if part.over_ns is None else [part.over_ns]
            assert part.over_ns is None or all(event.ts_ns >= part.over_ns for event in part.events)
            seen += part.events
    assert seen == events
    assert over == sorted(set(over))
    assert len(over) == max(0, len({event.ts_ns // HOUR_NS for event in events}) - 1)


def test_the_end_of_a_capture_is_the_last_of_its_part() -> None:
    end = End("a", 2, None, 0)
    events: list[Event] = [chunk(T0), end, chunk(T0 + 1), end]
    parts = [part.events for part in PacketHours().parts(events)]
    assert [part for part in parts if part] == [[events[0], end], [events[2], end]]


def test_disorder_is_no_new_hour_and_a_clock_that_was_set_back_is() -> None:
    hours = PacketHours()
    times = [T0 + HOUR_NS, T0 + HOUR_NS - 1, T0 + HOUR_NS + 1, T0 - 3 * DAY_NS, T0 - 3 * DAY_NS + 1]
    over = [part.over_ns for part in hours.parts([chunk(at_ns) for at_ns in times])]
    assert over == [None, None, T0 + 2 * HOUR_NS]


def test_packets_of_a_time_that_cannot_be_are_no_clock() -> None:
    hours = PacketHours(PlausibleTime(T0, T0 + DAY_NS))
    events: list[Event] = [chunk(T0), chunk(T0 + 9 * DAY_NS), chunk(0), chunk(T0 + 1), End("a", 4, None, 0)]
    parts = list(hours.parts(events))
    assert [part.over_ns for part in parts] == [None, None, None]
    assert [event for part in parts for event in part.events] == events
