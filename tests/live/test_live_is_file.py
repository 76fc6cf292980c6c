"""The same packets, read from a file and heard on a wire, give the same findings: flows, dialects, logins, shares."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sensor import signatures
from sensor.intake import engine
from sensor.intake.engine import EngineError
from sensor.line.pipeline import Pipeline
from sensor.line.replay import replay
from sensor.model.events import End, Event
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from tests.demo.make_demo import mining, surroundings
from tests.demo.wire import Wire


def told(records: Iterable[Finding | Node]) -> set[Any]:
    """What does not depend on when the packets came: of work of another time than now nothing is proven."""
    return {
        (
            record.miner_ip, record.pool_ip, record.pool_port, record.dialect, record.login, record.agent,
            min(record.grade, Grade.ACCEPTED), record.midstream,
            record.transport, record.coin, record.shares.submitted, record.shares.accepted,
            record.shares.rejected, record.hashes_per_share, record.flow_count,
            tuple(sorted(flow.key.community_id for flow in record.flows)),
        )
        if isinstance(record, Finding)
        else (record.protocol, record.network, record.key.community_id)
        for record in records
    }  # fmt: skip


@pytest.mark.parametrize(("name", "workers"), [("compiled", 1), ("compiled", 2), ("reference", 1)])
def test_live_is_file(net, tmp_path: Path, name: engine.Name, workers: int) -> None:
    wire = Wire()
    mining(wire)
    surroundings(wire)
    path = tmp_path / "demo.pcap"
    wire.write(path)
    known = signatures.load()
    try:
        loaded = engine.load(name)
    except EngineError as error:
        pytest.skip(str(error))
    expected = replay([str(path)], known, loaded, {"workers": 1})

    core = loaded.core_of(known, {"workers": workers})
    loaded.attach(core, "iface:b0")
    pipeline = Pipeline(known)
    events: list[Event] = []
    frames = [data for _, data in wire.sorted()]
    for at in range(0, len(frames), 40):  # slowly enough for a plain socket's buffer
        net.send(frames[at : at + 40])
        events += core.poll(4_096, 2 if name == "reference" else 0)
    core.finish()
    while not core.finished:
        events += core.poll(4_096, 100)
    pipeline.step(events)
    stats = core.stats()
    core.close()
    assert stats["packets"] == net.sent
    assert [event.error for event in events if isinstance(event, End)] == [None]
    assert told(pipeline.finish()) == told(expected.records)
    assert len(expected.findings) >= 8
