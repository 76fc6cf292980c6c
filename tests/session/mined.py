"""Sessions whose shares are really mined, at difficulties so low that a test has time for it: the hash of every share
is uniform below its target, as in service."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import NamedTuple

from sensor.line.flow_facts import TCP
from sensor.model.events import Basis, Chunk, Close, Event, Open
from tests.verify.blocks import NO_INPUT, sha256d, words

EPOCH_NS, NS = 1_700_000_000_000_000_000, 1_000_000_000
SPACE = 1 << 256
TARGET_AT_ONE = 0xFFFF << 208
EXTRANONCE1 = "f1b0dee5"
LOGIN = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rig1"
SCRYPT_EASIER = 65536


class Era(NamedTuple):
    """How long a difficulty is in force, and whether the packet that sets it is captured."""

    seconds: float
    hashes_per_share: float
    seen: bool = True
    sent: bool = True  # else the pool changes it and does not say so


class Pool(NamedTuple):
    """What a session is like."""

    rate_hps: float
    scrypt: bool = False
    job_every_s: float = 30.0
    agent: str = "cgminer/4.11.1"


class Sent(NamedTuple):
    """One packet."""

    at_s: float
    direction: int
    data: bytes
    seen: bool = True


def header_hash(header: bytes, scrypt: bool) -> int:
    digest = hashlib.scrypt(header, salt=header, n=1024, r=1, p=1, dklen=32) if scrypt else sha256d(header)
    return int.from_bytes(digest, "little")


def packets(pool: Pool, eras: list[Era], rng: random.Random) -> Iterator[Sent]:
    """The session, packet by packet: shares fall as a Poisson process."""
    yield _sent(0.0, 0, id=1, method="mining.subscribe", params=[pool.agent])
    yield _sent(0.01, 1, id=1, result=[[["mining.notify", "a"]], EXTRANONCE1, 4], error=None)
    yield _sent(0.02, 0, id=2, method="mining.authorize", params=[LOGIN, "x"])
    yield _sent(0.03, 1, id=2, result=True, error=None)
    now, number, job = 0.04, 2, 0
    for era in eras:
        target = int(SPACE / era.hashes_per_share)
        difficulty = TARGET_AT_ONE / target / (1 if not pool.scrypt else 1 / SCRYPT_EASIER)
        packet = _sent(now, 1, id=None, method="mining.set_difficulty", params=[difficulty])
        if era.sent:
            yield packet._replace(seen=era.seen)
        end, job_at = now + era.seconds, now + 0.001
        while now < end:
            if now >= job_at:
                job, job_at = job + 1, now + pool.job_every_s
                parts = _job(rng, job, now)
                yield _sent(now, 1, id=None, method="mining.notify", params=parts)
            now += rng.expovariate(pool.rate_hps / era.hashes_per_share)
            if now > job_at:  # the process has no memory
                now = job_at
                continue
            number += 1
            submit = _mined(parts, target, rng, pool.scrypt)
            yield _sent(now, 0, id=number, method="mining.submit", params=[LOGIN, f"{job:x}", *submit])
            yield _sent(now + 0.02, 1, id=number, result=True, error=None)


def captured(sent: Iterator[Sent], joined_s: float = 0.0) -> list[Event]:
    """The flow as it was captured: without the packets that are not seen, and those of before it was joined."""
    offsets, gaps, chunks = [0, 0], [0, 0], []
    for at_s, direction, data, seen in sorted(sent, key=lambda packet: packet.at_s):
        start = offsets[direction]
        offsets[direction] += len(data)
        if at_s < joined_s:
            continue
        if not seen:
            gaps[direction] += len(data)
            continue
        chunks.append(Chunk(1, EPOCH_NS + int(at_s * NS), direction, start, gaps[direction], data))
        gaps[direction] = 0
    first_ns, last_ns = (chunks[0].ts_ns if joined_s else EPOCH_NS), chunks[-1].ts_ns
    miner, pool = bytes([198, 51, 100, 7]), bytes([203, 0, 113, 5])
    basis: Basis = "first-seen" if joined_s else "syn"
    opened = Open(1, first_ns, TCP, miner, 40_001, pool, 3333, basis, joined_s > 0, first_ns, (), "mined")
    counts = (sum(not chunk.direction for chunk in chunks), sum(chunk.direction for chunk in chunks))
    missed = sum(chunk.gap for chunk in chunks)
    closed = Close(1, last_ns, "end", first_ns, last_ns, counts, (offsets[0], offsets[1]), missed, 0)
    return [opened, *chunks, closed]


def _job(rng: random.Random, number: int, now_s: float) -> list[object]:
    ntime = f"{EPOCH_NS // NS + int(now_s):08x}"
    tail = "072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000"
    branches = [rng.randbytes(32).hex() for _ in range(3)]
    head = NO_INPUT + "20020862062f503253482f04b8864e5008"
    return [f"{number:x}", rng.randbytes(32).hex(), head, tail, branches, "20000000", "1703a30c", ntime, True]


def _mined(job: list[object], target: int, rng: random.Random, scrypt: bool) -> list[str]:
    """extranonce2, time and nonce of a header that meets the target."""
    _, prevhash, head, tail, branches, version, nbits, ntime, _ = job
    extranonce2 = rng.randbytes(4).hex()
    root = sha256d(bytes.fromhex(f"{head}{EXTRANONCE1}{extranonce2}{tail}"))
    for branch in branches:  # type: ignore[attr-defined]
        root = sha256d(root + bytes.fromhex(branch))
    before = (
        bytes.fromhex(str(version))[::-1]
        + words(bytes.fromhex(str(prevhash)))
        + root
        + bytes.fromhex(str(ntime))[::-1]
        + bytes.fromhex(str(nbits))[::-1]
    )
    nonce = rng.getrandbits(32)
    while header_hash(before + nonce.to_bytes(4, "little"), scrypt) > target:
        nonce = (nonce + 1) & 0xFFFFFFFF
    return [extranonce2, str(ntime), f"{nonce:08x}"]


def _sent(at_s: float, direction: int, **message: object) -> Sent:
    return Sent(at_s, direction, (json.dumps(message) + "\n").encode())
