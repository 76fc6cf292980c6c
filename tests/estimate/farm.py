"""A farm that mines for real in its times and not at all in its hashes: shares fall as the Poisson process they are,
and go as messages.

`conversation` draws one miner's session with a Bitcoin-style pool; `captured` makes it what a lossy capture saw of
it. The truth is the argument.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import NamedTuple

from sensor.line.flow_facts import TCP
from sensor.model.events import Basis, Chunk, Close, Event, Open

EPOCH_NS = 1_700_000_000_000_000_000
NS = 1_000_000_000
HASHES_AT_ONE = (1 << 48) / 65535
JOB_EVERY_S = 30.0
LATENCY_S = 0.02
HASH = "abfac2575f41817930781732753dba0c11b288f00bbdfb41f064825c1cecc2bf"


class Said(NamedTuple):
    """One message and when it passed."""

    at_s: float
    direction: int
    data: bytes


class Farm(NamedTuple):
    """A miner of a true rate, watched for a while."""

    rate_hps: float = 1e14
    seconds: float = 600.0
    difficulty: float = 140_000.0
    spacing_s: float = 0.0  # the time between shares that the pool steers for; 0: the difficulty never changes
    rejected: float = 0.0  # share of stale ones
    login: str = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rig1"
    agent: str = "whatsminer/v1.1.0"


def conversation(farm: Farm, rng: random.Random) -> Iterator[Said]:
    """The whole session, message by message, up to `seconds`."""
    yield Said(0.0, 0, line(id=1, method="mining.subscribe", params=[farm.agent]))
    yield Said(0.01, 1, line(id=1, result=[[["mining.notify", "a"]], "f1b0dee5", 4], error=None))
    yield Said(0.02, 0, line(id=2, method="mining.authorize", params=[farm.login, "x"]))
    yield Said(0.03, 1, line(id=2, result=True, error=None))
    now, job, number, difficulty = 0.04, 0, 3, farm.difficulty
    yield Said(now, 1, _difficulty(difficulty) + _job(job))
    job_at = now + JOB_EVERY_S
    since, found = now, 0
    while True:
        wait = rng.expovariate(farm.rate_hps / (difficulty * HASHES_AT_ONE))
        if now + wait > job_at:  # the process has no memory: what was waited so far does not matter
            now, job, job_at = job_at, job + 1, job_at + JOB_EVERY_S
            if now > farm.seconds:
                return
            wanted = (now - since) / farm.spacing_s if farm.spacing_s else 0.0
            if wanted and not 0.7 * wanted - 1 < found < 1.4 * wanted + 1:
                difficulty *= min(4.0, max(0.25, (found + 0.5) / wanted))
                since, found = now, 0
                yield Said(now, 1, _difficulty(difficulty) + _job(job))
            else:
                yield Said(now, 1, _job(job))
            continue
        now, found, number = now + wait, found + 1, number + 1
        if now > farm.seconds:
            return
        yield Said(
            now,
            0,
            line(
                id=number,
                method="mining.submit",
                params=[farm.login, f"{job:x}", f"{number:08x}", "689c3007", "0a1b2c3d"],
            ),
        )
        stale = rng.random() < farm.rejected
        if now + LATENCY_S < farm.seconds:
            yield Said(
                now + LATENCY_S,
                1,
                line(id=number, result=None if stale else True, error=[21, "Job not found", None] if stale else None),
            )


def captured(
    said: Iterator[Said], rng: random.Random, loss: float = 0.0, flow: int = 1, joined_s: float = 0.0
) -> list[Event]:
    """The events of the flow: each message is a packet, and each packet is missed with this probability."""
    address = bytes([198, 51, 100, 7])
    offsets, gaps, chunks, packets = [0, 0], [0, 0], [], [0, 0]
    for at_s, direction, data in sorted(said, key=lambda one: one.at_s):
        if at_s < joined_s:
            continue
        start = offsets[direction]
        offsets[direction] += len(data)
        if rng.random() < loss:
            gaps[direction] += len(data)
            continue
        packets[direction] += 1
        chunks.append(Chunk(flow, EPOCH_NS + int(at_s * NS), direction, start, gaps[direction], data))
        gaps[direction] = 0
    first_ns = chunks[0].ts_ns if joined_s else EPOCH_NS
    last_ns = chunks[-1].ts_ns
    basis: Basis = "first-seen" if joined_s else "syn"
    opened = Open(
        flow,
        first_ns,
        TCP,
        address,
        40_000 + flow,
        bytes([203, 0, 113, 5]),
        3333,
        basis,
        joined_s > 0,
        first_ns,
        (),
        "farm",
    )
    missed = sum(chunk.gap for chunk in chunks)
    closed = Close(
        flow, last_ns, "end", first_ns, last_ns, (packets[0], packets[1]), (offsets[0], offsets[1]), missed, 0
    )
    return [opened, *chunks, closed]


def line(**message: object) -> bytes:
    """A message as it goes over the wire."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _difficulty(value: float) -> bytes:
    return line(id=None, method="mining.set_difficulty", params=[value])


def _job(number: int) -> bytes:
    return line(
        id=None,
        method="mining.notify",
        params=[f"{number:x}", HASH, "01", "02", [], "20000000", "1a0ffff0", "689c3000", True],
    )
