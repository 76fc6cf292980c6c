"""Connections that a finding lists are given back as they were, and take little room."""

from __future__ import annotations

import dataclasses
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.line import listed_connections
from sensor.line.listed_connections import ListedConnections
from sensor.model.flow import FlowKey, FlowSummary, flow_order
from sensor.model.quantities import ExposureRecord, ShareTimeline, TallyRecord
from sensor.model.trace import FlowTrace, ShareMark, ShareMarks, StreamRange
from tests.ledger.made import any_of, flow

#: What the core's times and a connection's number can be.
TIMES = st.integers(-(1 << 63), (1 << 63) - 1)
KEYS = st.tuples(TIMES, TIMES, st.integers(0, (1 << 53) - 1))
MOST = 3


def listed(flows: list[FlowSummary], most: int) -> ListedConnections:
    result = ListedConnections()
    for one in flows:
        result.add(one, most)
    return result


def plain(flows: list[FlowSummary], most: int) -> list[FlowSummary]:
    """The same by a list of objects."""
    result: list[FlowSummary] = []
    for one in flows:
        result.append(one)
        if len(result) > most:
            result.remove(min(result, key=flow_order))
    return result


@given(st.lists(st.tuples(any_of(FlowSummary), KEYS), max_size=6))
@settings(max_examples=60)
def test_the_newest_are_given_back_as_they_were(rows: list[tuple[FlowSummary, tuple[int, int, int]]]) -> None:
    flows = [
        dataclasses.replace(one, first_ns=first, last_ns=last, key=dataclasses.replace(one.key, flow_id=number))
        for one, (first, last, number) in rows
    ]
    assert list(listed(flows, MOST)) == plain(flows, MOST)


def test_those_between_the_same_ends_are_found_the_last_of_them() -> None:
    flows = [
        dataclasses.replace(flow(number), key=dataclasses.replace(flow(number).key, community_id=f"1:{number % 2}"))
        for number in range(9)
    ]
    kept = listed(flows, 6)
    assert kept.alike("1:0", 2) == [flows[6], flows[8]]
    assert kept.alike("1:0", 16) == [flows[4], flows[6], flows[8]]
    assert kept.alike("1:2", 16) == []


def test_what_is_listed_in_a_copy_is_not_in_the_other() -> None:
    first = listed([flow(1), flow(2)], 2)
    second = first.copy()
    second.add(flow(3), 2)
    assert (list(first), list(second)) == ([flow(1), flow(2)], [flow(2), flow(3)])
    assert (len(first), len(second)) == (2, 2)


def with_shares(number: int) -> FlowSummary:
    """A miner's connection of forty shares at times of their own."""
    base = flow(number, began_s=97.3 * number)
    key = FlowKey("198.51.100.7", 40_000 + number, "203.0.113.5", 3333, "TCP", number * 7_919, f"1:{number:027x}=")
    places = [135 + 99 * share + (share * number) % 3 for share in range(40)]
    marks = ShareMarks(ShareMark(at, "a", 1 << 50) for at in places)
    miner, pool = StreamRange(1, 4_129 + number % 7), StreamRange(1, 1_812)
    exposure = ExposureRecord("sha256d", credited=TallyRecord(40, 40 << 50, 40 << 100, 1 << 50), seen_bytes=4_128)
    timeline = ShareTimeline(base.first_ns, 1_000_000_000, tuple(2 + (second * number) % 2 for second in range(17)))
    counts = {"work": 40 << 50, "work_unknown": 0, "jobs": 1, "stream_bytes": 5_939, "missed_bytes": 0}
    trace = FlowTrace(miner, pool, True, 12, (), marks, **counts, exposure=exposure, timeline=timeline)
    return dataclasses.replace(base, key=key, trace=trace, login="acct.rack07-13", agent="cgminer/4.12.1")


def test_a_connection_of_forty_shares_takes_less_than_an_eighth_of_what_it_takes_as_an_object() -> None:
    for _ in range(16):  # until what Python itself keeps of freed tuples is full
        listed([with_shares(number) for number in range(256)], 256)
    tracemalloc.start()
    connections = [with_shares(number) for number in range(256)]
    as_objects, _ = tracemalloc.get_traced_memory()
    kept = listed(connections, 256)
    both, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == 256
    assert both - as_objects < as_objects / 8, (both - as_objects, as_objects)


def test_one_that_takes_the_place_of_an_older_one_has_no_block_of_its_own() -> None:
    """Hundreds of small blocks that last, each allocated in another burst, would keep a page of the heap each."""
    connections = [with_shares(number) for number in range(512)]
    for _ in range(8):
        listed(connections, 256)  # until what Python itself keeps of freed tuples is full
    tracemalloc.start()
    kept = listed(connections[:256], 256)
    full_bytes, _ = tracemalloc.get_traced_memory()
    for one in connections[256:]:
        kept.add(one, 256)
    later_bytes, _ = tracemalloc.get_traced_memory()
    own = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, listed_connections.__file__)])
    tracemalloc.stop()
    assert len(kept) == 256
    assert later_bytes < 1.2 * full_bytes, (later_bytes, full_bytes)
    assert sum(stat.count for stat in own.statistics("filename")) < 30
