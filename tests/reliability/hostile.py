"""Hostile payloads through the line: nothing leaves the parsers, little is held, and they are not much slower to read
than mining is.

`python -m tests.reliability.hostile` prints a line for each payload, and the figures.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, Open
from sensor.signatures import SignatureSet, load
from tests.reliability.held import held_bytes, identities
from tests.reliability.hostile_streams import AUTHORIZE, SUBSCRIBE, hostile, ordinary
from tests.reliability.result import Result

#: What one direction of a flow may hold.
MAX_HELD_BYTES = 65_536
#: Of the rate at which mining is read.
LEAST_RATE = 0.5
SEGMENT_BYTES = 1_460
#: What is held is looked at after so many segments: looking costs more than reading.
LOOK_EVERY = 40
START_NS, STEP_NS = 1_772_438_400_000_000_000, 1_000_000
ENDS = bytes([198, 51, 100, 10]), 40_001, bytes([203, 0, 113, 5]), 3_333
SIDES = ("miner", "pool")


@dataclass(frozen=True)
class Heard:
    """What one flow came to."""

    bytes: int
    messages: int  # and pieces that gave none
    cpu_s: float
    held_bytes: int = 0  # the most

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self.bytes / max(self.cpu_s, 1e-9)

    def part_of(self, usual: Heard) -> float:
        """Of the rate of mining: in bytes, or where messages are small, in messages."""
        messages = self.messages / max(self.cpu_s, 1e-9) / (usual.messages / usual.cpu_s)
        return max(self.rate / usual.rate, messages)


def opened(flow: int = 1) -> Open:
    return Open(flow, START_NS, 6, *ENDS, "syn", False, START_NS, (), "-")


def closed(flow: int = 1, at_ns: int = START_NS) -> Close:
    return Close(flow, at_ns, "fin", START_NS, at_ns, (1, 1), (1, 1), 0, 0)


def chunks(sides: tuple[bytes, bytes]) -> Iterator[Chunk]:
    """Both directions in turn, a segment at a time."""
    for number, at in enumerate(range(0, max(map(len, sides)), SEGMENT_BYTES)):
        for direction in (0, 1):
            data = sides[direction][at : at + SEGMENT_BYTES]
            if data:
                yield Chunk(1, START_NS + number * STEP_NS, direction, at, 0, data, 1_000)


def rate(signatures: SignatureSet, sides: tuple[bytes, bytes]) -> Heard:
    """Read a flow as fast as it goes."""
    pipeline, events = Pipeline(signatures), [*chunks(sides)]
    began = time.process_time()
    pipeline.step([opened()])
    for event in events:
        pipeline.step([event])
    pipeline.step([closed(at_ns=events[-1].ts_ns)])
    pipeline.finish()
    cpu_s = time.process_time() - began
    counted = pipeline.counters.items()
    messages = sum(count for name, count in counted if name == "messages" or name.startswith("malformed_"))
    return Heard(sum(map(len, sides)), messages, cpu_s)


def held(signatures: SignatureSet, sides: tuple[bytes, bytes]) -> int:
    """The most that a flow held of the network's bytes, over what a flow without any holds."""
    pipeline, empty = Pipeline(signatures), Pipeline(signatures)
    program = identities(signatures)
    for flow in (pipeline, empty):
        flow.step([opened()])
    nothing = held_bytes([*empty._flows.values()], without=program)
    most = 0
    for number, event in enumerate(chunks(sides)):
        pipeline.step([event])
        if number % LOOK_EVERY == LOOK_EVERY - 1:
            most = max(most, held_bytes([*pipeline._flows.values()], without=program) - nothing)
    return most


def sides_of(payload: bytes, side: str) -> tuple[bytes, bytes]:
    """Who sends it, in answer to the beginning of a session."""
    return (payload, b"") if side == "miner" else (SUBSCRIBE + AUTHORIZE, payload)


def look(signatures: SignatureSet, payload: bytes, side: str) -> Heard:
    """One payload from one side; raises what leaves the parsers."""
    sides = sides_of(payload, side)
    return replace(rate(signatures, sides), held_bytes=held(signatures, sides))


def random_cases(signatures: SignatureSet, count: int) -> None:
    """So many conversations that hypothesis makes up; raises what leaves the parsers."""
    texts = st.one_of(st.binary(max_size=400), _messages().map(lambda value: json.dumps(value).encode() + b"\n"))

    @settings(max_examples=count, database=None, derandomize=True, deadline=None, suppress_health_check=HealthCheck)
    @given(st.lists(st.tuples(st.integers(0, 1), texts), max_size=6))
    def feed(pieces: list[tuple[int, bytes]]) -> None:
        offsets = [0, 0]
        events: list[Event] = [opened()]
        for direction, data in pieces:
            events.append(Chunk(1, START_NS + len(events), direction, offsets[direction], 0, data, 1_000))
            offsets[direction] += len(data)
        pipeline = Pipeline(signatures)
        pipeline.step([*events, closed()])
        pipeline.finish()

    feed()


def _messages() -> st.SearchStrategy[object]:
    """Maps with the names that mining uses, and any values."""
    names = st.sampled_from(["id", "method", "params", "result", "error", "jsonrpc", "job_id", "worker", "login"])
    methods = st.sampled_from(
        ["mining.subscribe", "mining.submit", "mining.notify", "login", "submit", "job", "eth_submitWork"]
    )
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | methods,
        lambda inner: st.lists(inner, max_size=9) | st.dictionaries(names | st.text(max_size=9), inner, max_size=6),
        max_leaves=12,
    )
    return st.dictionaries(names, values, max_size=6)


def cases() -> int:
    """Of hypothesis; fewer where somebody asks for it."""
    return int(os.environ.get("HOSTILE_CASES", "10000"))


def heard(signatures: SignatureSet) -> Iterator[tuple[str, Heard]]:
    for name, payload in hostile().items():
        for side in SIDES:
            yield f"{name} ({side})", look(signatures, payload, side)


def mining(signatures: SignatureSet) -> Heard:
    """Ordinary traffic, the fastest of three."""
    return min((rate(signatures, ordinary()) for _ in range(3)), key=lambda heard: heard.cpu_s)


def run() -> Result:
    """T11: hostile payloads."""
    signatures = load()
    usual = mining(signatures)
    try:
        found = dict(heard(signatures))
        random_cases(signatures, cases())
    except Exception as error:  # whatever it is: nothing may leave
        return Result(f"{type(error).__name__}: {error}"[:300], False)
    return judged(found, usual)


def judged(found: dict[str, Heard], usual: Heard) -> Result:
    """The figures of all payloads, and whether they are in bounds."""
    slowest = min(found, key=lambda name: found[name].part_of(usual))
    largest = max(found, key=lambda name: found[name].held_bytes)
    over = [
        name
        for name, figures in found.items()
        if figures.held_bytes > MAX_HELD_BYTES or figures.part_of(usual) < LEAST_RATE
    ]
    figure = (
        f"{len(found)} payloads and {cases():,} random cases, nothing left a parser; held at most "
        f"{found[largest].held_bytes:,} bytes ({largest}); slowest {found[slowest].part_of(usual):.0%} of mining's "
        f"{usual.rate / 1e6:.1f} MB/s ({slowest}); {len(over)} out of bounds"
    )
    return Result(figure, not over)


def main() -> int:
    """Print every payload's figures."""
    signatures = load()
    usual = mining(signatures)
    print(f"mining: {usual.rate / 1e6:.2f} MB/s, {usual.messages / usual.cpu_s:,.0f} messages/s")
    found = {}
    for name, figures in heard(signatures):
        found[name] = figures
        print(f"{name}: {figures.part_of(usual):.0%}, held {figures.held_bytes:,}", flush=True)
    random_cases(signatures, cases())
    result = judged(found, usual)
    print(result.figure)
    return not result.passed


if __name__ == "__main__":
    sys.exit(main())
