"""`python -m tests.bench.messages [memory] [NAME ...]`: messages a second through the Python middle on one core,
dialect by dialect.

A session signs in once, and then shares, their answers and now and then a job pass; every dialect is loaded, as it
always is. With `memory` also what a live session holds: heard on both sides, on the miner's alone, and after forty
different jobs (Bitcoin-style dialects). Figures are the best of three runs, because a shared machine only ever makes
them worse.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import yaml

from sensor.line.examples import dialogue_events
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Event
from sensor.signatures import SignatureSet, load
from sensor.signatures.model import DialogueLine

VECTORS = Path(__file__).parents[1] / "dialects" / "vectors.yaml"
SHARES, SHARES_A_JOB, SESSIONS, JOBS = 2_000, 8, 100, 40


def talk(vector: dict[str, Any], signatures: SignatureSet, shares: int) -> list[DialogueLine] | None:
    """The conversation with its last share repeated; None if it has none."""
    lines = [DialogueLine("CS".index(line[0]), line[2:].encode() + b"\n") for line in vector["said"].splitlines()]
    kinds = [kind(line, signatures) for line in lines]
    if "submit" not in kinds:
        return None
    share = kinds.index("submit")
    replies = [
        line
        for line, what in zip(lines, kinds, strict=True)
        if line.direction != lines[share].direction and what is None
    ]
    answer = [line for line in replies if line in lines[share + 1 :]][:1] or [accepted(lines[share])]
    job = [line for line, what in zip(lines, kinds, strict=True) if what == "job"][:1]
    steady = []
    for number in range(shares):
        steady += [lines[share], *answer, *(job if number % SHARES_A_JOB == 0 else [])]
    return lines + steady


def accepted(share: DialogueLine) -> DialogueLine:
    """The usual answer, where the conversation has none."""
    said = {"id": yaml.safe_load(share.data).get("id"), "result": True, "error": None}
    return DialogueLine(1 - share.direction, json.dumps(said).encode() + b"\n")


def kind(line: DialogueLine, signatures: SignatureSet) -> str | None:
    value = yaml.safe_load(line.data)
    found = [rule.kind for dialect, rule in signatures.match(value) if (rule.side == "miner") == (line.direction == 0)]
    return next((one for one in ("submit", "job") if one in found), None)


def rate(events: list[Event], signatures: SignatureSet) -> float:
    """Messages a second of one flow; nothing but the middle is timed."""
    count = sum(isinstance(event, Chunk) for event in events)
    best = 0.0
    for _ in range(3):
        pipeline = Pipeline(signatures)
        gc.collect()
        began = time.perf_counter()
        pipeline.step(events)
        best = max(best, count / (time.perf_counter() - began))
    return best


def memory(lines: list[DialogueLine], signatures: SignatureSet) -> float:
    """Bytes a live session holds, all of its state included."""
    events = [list(dialogue_events(lines, flow=number))[:-1] for number in range(SESSIONS)]
    Pipeline(signatures).step(events[0])  # what all sessions share is there before the first that counts
    pipeline = Pipeline(signatures)
    gc.collect()
    tracemalloc.start()
    for some in events:
        pipeline.step(some)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held / SESSIONS


def many_jobs(lines: list[DialogueLine], signatures: SignatureSet) -> list[DialogueLine]:
    """The conversation with its last job given again under other names, where the name stands first."""
    job = [line for line in lines if kind(line, signatures) == "job"][-1:]
    params = json.loads(job[0].data).get("params") if job else None
    if not isinstance(params, list) or not isinstance(params[0], str):
        return lines
    said = json.loads(job[0].data)
    again = [
        DialogueLine(job[0].direction, json.dumps({**said, "params": [f"{n:08x}", *params[1:]]}).encode() + b"\n")
        for n in range(JOBS)
    ]
    return [*lines, *again]


def main() -> None:
    """Print a row for each conversation, or for those that are named."""
    signatures = load()
    print(
        f"{len(signatures.dialects)} dialects loaded; {'messages/s':>12}  bytes a session: "
        f"both sides, miner's side, {JOBS} jobs"
    )
    for vector in yaml.safe_load(VECTORS.read_text()):
        lines = talk(vector, signatures, SHARES) if "dialect" in vector else None
        names = [name for name in sys.argv[1:] if name != "memory"] or [vector["name"]]
        if lines and vector["name"] in names:
            speed = rate(list(dialogue_events(lines)), signatures)
            short = talk(vector, signatures, 64) or []
            ways = (
                (short, [line for line in short if line.direction == 0], many_jobs(short, signatures))
                if "memory" in sys.argv
                else ()
            )
            held = "".join(f"{memory(way, signatures):10,.0f}" for way in ways)
            print(f"{vector['name']:12} {vector['dialect']:22} {speed:10,.0f} {held}")


if __name__ == "__main__":
    main()
