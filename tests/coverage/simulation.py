"""Miners whose hashrate is known: hashes are a Poisson process, the pool steers a share's worth, connections break.

Packets are lost one by one; a packet holds one message, or a target with the job after it. The sensor's part is its
real pipeline, fed with the events of a core. Shares no code with the estimator.
"""

from __future__ import annotations

import functools
import random
from typing import NamedTuple

from sensor.line.flow_facts import TCP
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Close, Event, Open
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet, load
from tests.coverage.speech import Speech

EPOCH_NS = 1_700_000_000_000_000_000
NS = 1_000_000_000
SPACING_S = 8.0  # between shares, as the pool steers
JOB_EVERY_S = 25.0
LATENCY_S = 0.03
LOSSES = ("0", "1 %", "5 %", "mid-stream", "target lost")


class Packet(NamedTuple):
    """What passed the wire."""

    at_s: float
    side: int
    data: bytes
    sets_target: bool = False


class Result(NamedTuple):
    """A session's truth, and what was found of it."""

    rate_hps: float
    finding: Finding | None


@functools.cache
def signatures() -> SignatureSet:
    """The shipped ones."""
    return load()


class Session:
    """One connection of a miner to a pool that steers the worth of shares."""

    def __init__(self, speech: Speech, rng: random.Random, rate_hps: float, seconds: float, worth: float) -> None:
        self.speech, self.rng, self.rate_hps, self.seconds = speech, rng, rate_hps, seconds
        self.worth = speech.worth(worth)
        self.packets: list[Packet] = []
        self.job = 0
        self.number = 9
        self.together = rng.random() < 0.5  # target and job in one packet
        self.at_shares = rng.random() < 0.5  # the pool steers when a share comes, else with its jobs

    def play(self) -> list[Packet]:
        """The whole session in order of time."""
        now = 0.0
        if hasattr(self.speech, "first"):
            self.speech.first = self.worth
        for side, data in self.speech.opening():
            self.packets.append(Packet(now, side, data))
            now += 0.01
        self._give_job(now, retarget=True)
        since, found, job_at = now, 0, now + JOB_EVERY_S
        while now < self.seconds:
            wait = self.rng.expovariate(self.rate_hps / self.worth)
            if now + wait >= job_at:
                now, job_at = job_at, job_at + JOB_EVERY_S
                retarget = self._retarget(now - since, found)
                since, found = (now, 0) if retarget else (since, found)
                self._give_job(now, retarget=retarget)
                continue
            now, found = now + wait, found + 1
            self.number += 1
            self.packets.append(Packet(now, 0, self.speech.share(self.number, self.job, self.worth)))
            self.packets.append(Packet(now + LATENCY_S, 1, self.speech.answer(self.number, self.worth)))
            if self.at_shares and not self.speech.polls and self._retarget(now - since, found):
                since, found = now, 0
                self._give_job(now + LATENCY_S, retarget=True)
        return sorted((packet for packet in self.packets if packet.at_s < self.seconds), key=lambda packet: packet.at_s)

    def _retarget(self, seconds: float, found: int) -> bool:
        wanted = seconds / SPACING_S
        if (wanted < 1.0 and found < 4) or 0.6 * wanted - 1.5 < found < 1.5 * wanted + 2.0:
            return False
        factor = min(4.0, max(0.25, (found + 0.5) / max(wanted, 0.5)))
        before, self.worth = self.worth, self.speech.worth(self.worth * factor)
        return self.worth != before

    def _give_job(self, now: float, *, retarget: bool) -> None:
        self.job += 1
        if self.speech.polls:
            self.packets.append(Packet(now, 0, self.speech.ask()))  # type: ignore[attr-defined]
            now += LATENCY_S
        job = self.speech.job(self.job, self.worth)
        target = self.speech.target(self.worth) if retarget else None
        sets = retarget and self.speech.jobs_have_targets
        if target is not None and self.together:
            self.packets.append(Packet(now, 1, target + job, sets_target=True))
            return
        if target is not None:
            self.packets.append(Packet(now, 1, target, sets_target=True))
            now += 0.001
        self.packets.append(Packet(now, 1, job, sets_target=sets))


def seen(
    packets: list[Packet], rng: random.Random, flow: int, start_s: float, *, loss: float, joined_s: float
) -> list[Event]:
    """The events of a flow of which packets are missed."""
    chunks: list[Chunk] = []
    offsets, gaps, counts = [0, 0], [0, 0], [0, 0]
    for packet in packets:
        if packet.at_s < joined_s:
            continue
        side, begun = packet.side, offsets[packet.side]
        offsets[side] += len(packet.data)
        if rng.random() < loss:
            gaps[side] += len(packet.data)
            continue
        counts[side] += 1
        at_ns = EPOCH_NS + int((start_s + packet.at_s) * NS)
        chunks.append(Chunk(flow, at_ns, side, begun, gaps[side], packet.data))
        gaps[side] = 0
    if not chunks:
        return []
    first_ns = chunks[0].ts_ns if joined_s else EPOCH_NS + int(start_s * NS)
    ends = (bytes([198, 51, 100, 7]), 40_000 + flow, bytes([203, 0, 113, 5]), 3333)
    basis = "first-seen" if joined_s else "syn"
    opened = Open(flow, first_ns, TCP, *ends, basis, joined_s > 0, first_ns, (), "simulation")  # type: ignore[arg-type]
    last_ns, missed = chunks[-1].ts_ns, sum(chunk.gap for chunk in chunks)
    closed = Close(flow, last_ns, "end", first_ns, last_ns, (counts[0], counts[1]), (offsets[0], offsets[1]), missed, 0)
    return [opened, *chunks, closed]


def simulate(speech_of: type[Speech], loss: str, seed: int) -> Result:
    """One miner, watched through one or two connections."""
    rng = random.Random(f"{speech_of.__name__} {loss} {seed}")
    usual = speech_of.usual * 10 ** rng.uniform(-0.5, 0.5)
    rate_hps = usual / SPACING_S
    pieces = [rng.uniform(400, 700)]
    if rng.random() < 0.3:  # a reconnect begins anew, at the pool's first worth
        pieces = [rng.uniform(200, 350), rng.uniform(200, 350)]
    pipeline, start_s = Pipeline(signatures()), 0.0
    first_worth = usual * 10 ** rng.uniform(-0.8, 0.6)
    for flow, seconds in enumerate(pieces, 1):
        packets = Session(speech_of(rng), rng, rate_hps, seconds, first_worth).play()
        joined_s = rng.uniform(20, 90) if loss == "mid-stream" and flow == 1 else 0.0
        if loss == "target lost" and flow == 1:
            later = [at for at, packet in enumerate(packets) if packet.sets_target and packet.at_s > 1.0]
            if later:
                del_at = rng.choice(later)
                gone = packets[del_at]
                pipeline.step(_without(packets, gone, rng, flow, start_s))
                start_s += seconds + 20
                continue
        rate = {"1 %": 0.01, "5 %": 0.05}.get(loss, 0.0)
        pipeline.step(seen(packets, rng, flow, start_s, loss=rate, joined_s=joined_s))
        start_s += seconds + 20
    findings = [found for found in pipeline.finish() if isinstance(found, Finding) and found.hashrate_hps is not None]
    return Result(rate_hps, max(findings, key=lambda found: found.shares.submitted, default=None))


def _without(packets: list[Packet], gone: Packet, rng: random.Random, flow: int, start_s: float) -> list[Event]:
    """The events of a flow of which one packet is missed."""

    class Never(random.Random):
        pass

    events = seen([packet for packet in packets if packet is not gone], rng, flow, start_s, loss=0.0, joined_s=0.0)
    before = sum(len(packet.data) for packet in packets[: packets.index(gone)] if packet.side == gone.side)
    size, moved, hit = len(gone.data), [], False
    for event in events:
        if isinstance(event, Chunk) and event.direction == gone.side and event.offset >= before:
            event = event._replace(offset=event.offset + size, gap=0 if hit else size)
            hit = True
        moved.append(event)
    return moved
