"""Damaged captures through the cores and the line: nothing may raise, and both cores must tell the same story.

Seeded, so a failure can be played again: every round mutates a piece of the given captures (bits, cuts, lengths,
repeated and moved blocks), feeds it to each core that is here, and the events to the pipeline. Run as `python -m
tests.fuzz.damaged --seconds 60 FILE...`.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path

from sensor import signatures
from sensor.intake import engine
from sensor.intake.engine import Engine, EngineError, SourceError
from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.signatures import SignatureSet

EDGE_NUMBERS = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 262_144)


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """One damaged capture: a window of a seed behind its own header, with a few kinds of damage done to it."""
    seed = rng.choice(seeds)
    start = rng.randrange(24, max(25, len(seed) - 20_000)) if rng.random() < 0.2 else 24
    data = bytearray(seed[:24] + seed[start : start + rng.randrange(200, 60_000)])
    for _ in range(rng.randrange(1, 8)):
        if not data:
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(EDGE_NUMBERS))
        elif kind == 2:
            del data[at : at + rng.randrange(1, 200)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 2_000)]
        elif kind == 4:
            data[at : at + 16] = rng.randbytes(16)
        else:
            data = data[: max(at, 25)]
    return bytes(data)


def events_of(core_engine: Engine, known: SignatureSet, source: Path) -> tuple[list[Event], str]:
    """All events of one source in one core, and why it could not be opened ("" if it could)."""
    core = core_engine.core_of(known, {"flows": 4096, "workers": 1})
    events: list[Event] = []
    refused = ""
    try:
        core_engine.attach(core, str(source))
    except SourceError as error:
        refused = error.reason
    core.finish()
    deadline = time.monotonic() + 20
    while not core.finished:
        events += core.poll(512, 50)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{core_engine.name} core does not finish")
    counters = core.stats()
    ignored = sum(value for name, value in counters.items() if name.startswith("ignored_"))
    if counters["packets"] != counters["segments"] + ignored:
        raise AssertionError(f"{core_engine.name} core: packets {counters['packets']} != segments + ignored")
    core.close()
    return events, refused


def compare(one: tuple[list[Event], str], other: tuple[list[Event], str]) -> None:
    """Raise on the first event in which two cores differ."""
    if one == other:
        return
    pairs = zip_longest(one[0], other[0])
    first, second = next(((a, b) for a, b in pairs if a != b), (one[1], other[1]))
    raise AssertionError(f"the cores differ:\n  {str(first)[:400]}\n  {str(second)[:400]}")


def engines() -> list[Engine]:
    """Every core that is here, the reference first."""
    found = [engine.load("reference")]
    try:
        found.append(engine.load("compiled"))
    except EngineError as error:
        print(f"fuzz: without the compiled core: {error}", file=sys.stderr)
    return found


def main() -> int:
    """Fuzz until the time is over; the exit code says whether anything went wrong, and the culprit is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    rng, known, cores = random.Random(options.seed), signatures.load(), engines()
    seeds = [path.read_bytes() for path in options.files]
    until, rounds, failures = time.monotonic() + options.seconds, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "damaged.pcap"
        while time.monotonic() < until and failures < 5:
            source.write_bytes(mutated(rng, seeds))
            rounds += 1
            try:
                answers = [events_of(core, known, source) for core in cores]
                pipeline = Pipeline(known)
                pipeline.step(answers[0][0])
                pipeline.finish()
                for other in answers[1:]:
                    compare(answers[0], other)
            except Exception as error:
                failures += 1
                options.keep.mkdir(parents=True, exist_ok=True)
                kept = options.keep / f"{options.seed}-{rounds}.pcap"
                kept.write_bytes(source.read_bytes())
                print(f"fuzz: {kept}: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"fuzz: {rounds} damaged captures, {'+'.join(core.name for core in cores)}, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
