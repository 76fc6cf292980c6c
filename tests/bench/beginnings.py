"""`python -m tests.bench.beginnings [KIND ...]`: what the beginning of a session costs the Python middle, on one core.

Cheap traffic is all beginnings: a lone request, a short session that a pool answers, a line of junk, each from another
source or to another pool. Figures: milliseconds a session with all it causes (opening, reading, judging, reporting,
closing), bytes that one holds while it is open, and events. The last column is the same time in units of one JSON
decode of the session's lines, measured in the same run: it means the same on every machine. Best of three.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.time import SECOND_NS
from sensor.signatures import SignatureSet, load

SESSIONS, OPEN_AT_ONCE, RATE, BATCH = 3_000, 300, 3_000, 256
START_NS = 1_770_000_000 * SECOND_NS
SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5.1"]}\n'
PLAIN_SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":[]}\n'
SUBSCRIBED = (
    b'{"id":1,"result":[[["mining.notify","ae6812eb"],["mining.set_difficulty","b4b6"]],"08000002",4],"error":null}\n'
)
JOB = (
    b'{"id":null,"method":"mining.notify","params":["bf","4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000",'
    b'"01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff20020862062f503253482f04b8864e5008",'
    b'"072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000",[],'
    b'"00000002","1c2ac4af","504e86b9",false]}\n'
)
LOGIN = b'{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4AbC","pass":"x","agent":"XMRig/6.21.0"}}\n'
#: What each kind of session says: who speaks (0 the originator), and the line.
KINDS: dict[str, tuple[tuple[int, bytes], ...]] = {
    "subscribe": ((0, PLAIN_SUBSCRIBE),),
    "agent": ((0, SUBSCRIBE),),
    "login": ((0, LOGIN),),
    "short": ((0, PLAIN_SUBSCRIBE), (1, SUBSCRIBED), (1, JOB)),
    "junk": ((0, b'{"id":1}\n'),),
    "no JSON": ((0, b"{hello\n"),),
}


@dataclass
class Beginning:
    """What a kind of session costs."""

    milliseconds: float
    bytes_open: float
    events: int
    decodes: float


def session(number: int, lines: tuple[tuple[int, bytes], ...], *, pools: int = 1) -> list[Event]:
    """The events of one session but for its Close, at its time."""
    at_ns = START_NS + number * SECOND_NS // RATE
    miner, pool = (0x0A000000 + number % 50_000).to_bytes(4, "big"), (0xC6120000 + number % pools).to_bytes(4, "big")
    opened = Open(number, at_ns, 6, miner, 20_000 + number % 40_000, pool, 3_333, "syn", False, at_ns, (), "bench")
    offsets, events = [0, 0], [opened._replace(packets=(2, 1))]
    chunks: list[Event] = []
    for step, (side, data) in enumerate(lines):
        chunks.append(Chunk(number, at_ns + step, side, offsets[side], 0, data, 1_000))
        offsets[side] += len(data)
    return [*events, *chunks]


def closed(number: int) -> Close:
    """A session's end, a tenth of a second later."""
    at_ns = START_NS + number * SECOND_NS // RATE
    return Close(number, at_ns + SECOND_NS // 10, "fin", at_ns, at_ns + SECOND_NS // 10, (4, 3), (300, 500), 0, 0)


def flood(lines: tuple[tuple[int, bytes], ...], *, pools: int = 1, sessions: int = SESSIONS) -> Iterator[Event]:
    """Sessions one after the other, some hundreds of them open at once."""
    for number in range(sessions + OPEN_AT_ONCE):
        if number < sessions:
            yield from session(number, lines, pools=pools)
        if number >= OPEN_AT_ONCE:
            yield closed(number - OPEN_AT_ONCE)


def measure(lines: tuple[tuple[int, bytes], ...], signatures: SignatureSet, *, pools: int = 1) -> Beginning:
    """One kind of session."""
    events = list(flood(lines, pools=pools))
    batches = [events[at : at + BATCH] for at in range(0, len(events), BATCH)]
    best, records = 1e9, 0
    for _ in range(3):
        pipeline = Pipeline(signatures, reporting=ReportingSettings())
        gc.collect()
        began = time.process_time()
        records = sum(len(pipeline.step(batch)) for batch in batches)
        best = min(best, time.process_time() - began)
        records += len(pipeline.finish())
    return Beginning(best / SESSIONS * 1e3, held(lines, signatures, pools), records, best / SESSIONS / decoding(lines))


def held(lines: tuple[tuple[int, bytes], ...], signatures: SignatureSet, pools: int) -> float:
    """Bytes an open session holds, with all that its finding holds."""
    events = [event for number in range(SESSIONS) for event in session(number, lines, pools=pools)]
    Pipeline(signatures).step(session(SESSIONS, lines))  # what all sessions share
    gc.collect()
    tracemalloc.start()
    pipeline = Pipeline(signatures, reporting=ReportingSettings())
    for at in range(0, len(events), BATCH):
        pipeline.step(events[at : at + BATCH])
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / SESSIONS


def decoding(lines: tuple[tuple[int, bytes], ...]) -> float:
    """Seconds to decode what a session's lines hold, where it is JSON, else a line as long."""
    best = 1e9
    for _ in range(3):
        began = time.process_time()
        for _ in range(SESSIONS):
            for _, data in lines:
                json.loads(data if data.startswith(b'{"') else b'{"id":1}')
        best = min(best, time.process_time() - began)
    return best / SESSIONS


def main() -> None:
    """Print a row for each kind of session, or for those that are named."""
    signatures = load()
    print(f"{len(signatures.dialects)} dialects; {SESSIONS} sessions, {OPEN_AT_ONCE} open at once")
    print(f"{'':22}{'ms':>8}{'a second':>10}{'bytes open':>12}{'events':>8}{'decodes':>9}")
    for name, lines in KINDS.items():
        for pools in (1, SESSIONS):
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            found = measure(lines, signatures, pools=pools)
            print(
                f"{name + (', many pools' if pools > 1 else ''):22}{found.milliseconds:8.3f}"
                f"{1e3 / found.milliseconds:10,.0f}{found.bytes_open:12,.0f}{found.events:8,}{found.decodes:9.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
