"""A miner that connects again and again for months takes no more room than what is bounded of its finding."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import dpkt
import pytest

from sensor.intake.engine import load
from sensor.line import join, lifecycle
from sensor.line.pipeline import Pipeline
from sensor.model.events import Close, End, Event, Open
from tests.reliability import flood
from tests.session.dialogue import shipped

CYCLES, FROM, FLOWS = 240, 40, 8
#: Of each connection beyond the newest there may be left: two stretches of three whole numbers, and its part of a
#: timeline whose bins grow with it.
BYTES_A_CONNECTION = 120


def events(path: Path) -> list[Event]:
    signatures = shipped()
    core = load("reference").core_of(signatures, {})
    core.attach(str(path))
    core.finish()
    found: list[Event] = []
    while not core.finished:
        found += core.poll(4_096, 100)
    return [event for event in found if not isinstance(event, End)]


def moved(event: Any, cycle: int, span_ns: int) -> Any:
    """An event of a later connection."""
    later = cycle * span_ns
    changes = {"flow": event.flow + cycle * 1_000_000, "ts_ns": event.ts_ns + later}
    if isinstance(event, (Open, Close)):
        changes["first_ns"] = event.first_ns + later
    if isinstance(event, Close):
        changes["last_ns"] = event.last_ns + later
    return event._replace(**changes)


def test_an_endless_row_of_connections_leaves_a_few_bytes_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood, "MINERS", 2)
    monkeypatch.setattr(join, "MAX_FLOWS", FLOWS)
    monkeypatch.setattr(lifecycle, "MAX_UNLISTED", FLOWS // 2)
    with (tmp_path / "miners.pcap").open("wb") as out:
        writer = dpkt.pcap.Writer(out)
        for at_us, frame in flood.miners():
            writer.writepkt(frame, at_us / 1e6)
    connections = events(tmp_path / "miners.pcap")
    span_ns = max(event.ts_ns for event in connections) - min(event.ts_ns for event in connections) + 1_000_000_000
    pipeline = Pipeline(shipped())
    sizes = []
    tracemalloc.start()
    try:
        for cycle in range(CYCLES):
            pipeline.step([moved(event, cycle, span_ns) for event in connections])
            if cycle in (FROM, CYCLES - 1):
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert pipeline.counters["findings"] == 2
    each = (sizes[1] - sizes[0]) / (2 * (CYCLES - 1 - FROM))
    assert each < BYTES_A_CONNECTION, each
