"""Whether a sender's acknowledgement numbers moved reaches the facts of its flow, while it is open and afterwards."""

from __future__ import annotations

from sensor.line.open_flow import OpenFlow
from sensor.model.events import Chunk, Close, Open, PathFacts
from sensor.session.verify import Sampling
from tests.session.dialogue import shipped


def test_the_facts_of_a_flow_have_them_by_direction():
    opened = Open(1, 1, 6, b"\n\0\0\1", 4000, b"\n\0\0\2", 3333, "syn", False, 1, (), "test", (1, 0))
    flow = OpenFlow(opened, shipped(), Sampling())
    flow.take(Chunk(1, 2, 0, 0, 0, b"{", ack_advances=0, acked_bytes=0))
    flow.take(Chunk(1, 3, 0, 1, 0, b"}", ack_advances=1, acked_bytes=40))
    assert (flow.facts(None).acks, flow.facts(None).paths) == (((1, 40), (0, 0)), None)
    paths = PathFacts(2, 80, 1, 0), PathFacts(0, 0, 0, 0)
    closed = Close(1, 9, "fin", 1, 9, (3, 0), (200, 0), 0, 0, paths=paths)
    assert (flow.facts(closed).acks, flow.facts(closed).paths) == (((2, 80), (0, 0)), paths)
