"""What a flow's chunks tell of it besides their bytes: acknowledgements that moved, and how much was seen."""

from __future__ import annotations

from sensor.line.open_flow import OpenFlow
from sensor.model.events import Chunk, Close, Open, PathFacts
from sensor.session.verify import Sampling
from tests.session.dialogue import shipped

OPENED = Open(1, 1, 6, b"\n\0\0\1", 4000, b"\n\0\0\2", 3333, "syn", False, 1, (), "test", (1, 0))


def test_the_facts_of_a_flow_have_them_by_direction():
    flow = OpenFlow(OPENED, shipped(), Sampling())
    flow.take(Chunk(1, 2, 0, 0, 0, b"{", ack_advances=0, acked_bytes=0))
    flow.take(Chunk(1, 3, 0, 1, 0, b"}", ack_advances=1, acked_bytes=40))
    assert (flow.facts(None).acks, flow.facts(None).paths) == (((1, 40), (0, 0)), None)
    paths = PathFacts(2, 80, 1, 0), PathFacts(0, 0, 0, 0)
    closed = Close(1, 9, "fin", 1, 9, (3, 0), (200, 0), 0, 0, paths=paths)
    assert (flow.facts(closed).acks, flow.facts(closed).paths) == (((2, 80), (0, 0)), paths)


def test_another_reading_of_bytes_behind_a_hole_is_not_counted_again() -> None:
    flow = OpenFlow(OPENED, shipped(), Sampling())
    for chunk in (
        Chunk(1, 2, 0, 0, 0, b"x" * 10),
        Chunk(1, 3, 0, 110, 100, b"y" * 10),
        Chunk(1, 4, 0, 112, 1, b"z" * 8),
    ):
        flow.take(chunk)
    assert (flow.seen[0], flow.missed[0]) == (20, 100)
