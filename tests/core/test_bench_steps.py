"""What the bench times is the whole capture, whichever step it times."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.captures import CLIENT, SERVER, T0, Packet, pcap, udp
from tests.core.conftest import LITERALS, OPENINGS, Engine, needs_compiled

pytestmark = needs_compiled

#: Two flows that do not fit into a table of one, and a packet that is no segment.
PACKETS: list[Packet] = [
    (T0, udp(CLIENT, SERVER, (1_000, 2_000), b"one")),
    (T0 + 1, udp(CLIENT, SERVER, (1_001, 2_000), b'"mining.')),
    (T0 + 2, b"\x45"),
]


@pytest.fixture
def bench(engine_named: Any) -> Any:
    engine: Engine = engine_named("compiled")

    def run(source: str, step: str) -> Any:
        tables = engine.module.Tables(LITERALS, OPENINGS, [])
        return engine.module.bench(source, step, tables, engine.module.Limits(flows=1))

    return run


@pytest.fixture
def capture(engine_named: Any) -> str:
    return str(engine_named("compiled").file(pcap(PACKETS)))


@pytest.mark.parametrize("step", ["walk", "decode", "flow", "scan", "all"])
def test_every_step_reads_every_packet(bench: Any, capture: str, step: str) -> None:
    packets, size, seconds = bench(capture, step)
    assert (packets, size) == (len(PACKETS), sum(len(frame) for _, frame in PACKETS))
    assert seconds >= 0


def test_a_step_that_there_is_not_is_refused_with_those_that_there_are(bench: Any, capture: str) -> None:
    with pytest.raises(ValueError, match='unknown step "run", there are walk, decode, flow, scan, all'):
        bench(capture, "run")


def test_a_capture_that_cannot_be_read_is_an_error_and_no_figure(bench: Any, engine_named: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        bench(engine_named("compiled").file(b"no capture at all"), "walk")
    with pytest.raises(ValueError, match=r"."):
        bench(engine_named("compiled").file(pcap(PACKETS) + b"\x00"), "walk")
