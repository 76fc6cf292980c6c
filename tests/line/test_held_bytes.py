"""What is held of streams is bounded for all flows together: the greediest go first, and who mines is not touched."""

from __future__ import annotations

from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Event
from sensor.model.finding import Finding
from tests.bench.beginnings import session
from tests.session.dialogue import events, shipped

CAP, LINE = 1 << 20, 60_000
MINER = """
    C {"id":1,"method":"mining.subscribe","params":["cgminer/4.12.0"]}
    S {"id":1,"result":[[["mining.set_difficulty","a"],["mining.notify","b"]],"08000002",4],"error":null}
    C {"id":2,"method":"mining.authorize","params":["acct.rig","x"]}
    S {"id":2,"result":true,"error":null}
    C {"id":4,"method":"mining.submit","params":["acct.rig","bf","00000001","504e86ed","b2957c02"]}
    S {"id":4,"result":true,"error":null}
    C {"id":5,"method":"mining.submit","params":["acct.rig","bf","00000002","504e86ed","b2957c03"]}
    S {"id":5,"result":true,"error":null}
"""


def unfinished(number: int, size: int = LINE) -> list[Event]:
    """A line that begins like a miner's and does not end."""
    opened, chunk = session(number, ((0, b'{"method":"mining.subscribe","x":"'),))
    assert isinstance(chunk, Chunk)
    return [opened, chunk, chunk._replace(offset=len(chunk.data), data=b"x" * size)]


def test_unfinished_lines_of_many_flows_stay_within_the_bound_and_a_miner_is_exact() -> None:
    pipeline = Pipeline(shipped(), most_held_bytes=CAP)
    miner = [event._replace(flow=1_000_000) for event in events(MINER)]  # type: ignore[union-attr]
    pipeline.step(miner[:6])
    for number in range(200):
        pipeline.step(unfinished(number))
        assert pipeline.counters["held_bytes"] <= CAP
    assert pipeline.counters["streams_given_up"] > 150
    pipeline.step(miner[6:])
    (found,) = (one for one in pipeline.finish() if isinstance(one, Finding))
    assert (found.shares.submitted, found.shares.accepted) == (2, 2)


def test_what_ended_is_held_no_longer() -> None:
    pipeline = Pipeline(shipped())
    for number in range(20):
        pipeline.step(unfinished(number))
    assert pipeline.counters["held_bytes"] > 20 * LINE
    pipeline.finish()
    assert pipeline.counters["held_bytes"] == 0


def test_the_greediest_go_first() -> None:
    pipeline = Pipeline(shipped(), most_held_bytes=CAP)
    for number in range(20):
        pipeline.step(unfinished(number, size=1_000))
    for number in range(20, 40):
        pipeline.step(unfinished(number))
    before = pipeline.counters["chunks"]
    for number in range(20):
        pipeline.step([event for event in unfinished(number, size=5)[2:] if isinstance(event, Chunk)])
    assert pipeline.counters["chunks"] == before + 20  # all small ones were still followed
