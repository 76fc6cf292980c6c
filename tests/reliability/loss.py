"""T8: sessions of eight dialects with packets lost at random, as frames through the core. How many are still found, and
how often the interval of the hashrate holds the truth.

`python -m tests.reliability.loss [--sessions N]`
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path
from typing import NamedTuple

from sensor.intake import engine
from sensor.line.replay import replay
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from tests.coverage.simulation import EPOCH_NS, SPACING_S, Session, signatures
from tests.coverage.speech import SPEECHES, Speech
from tests.coverage.table import clopper_pearson
from tests.reliability.evasion.session import Stack, goodbye, handshake
from tests.reliability.evasion.wire import ACK, MINER, POOL, PSH, Frame, frames, write
from tests.reliability.result import Result

#: The packets lost of a hundred, and the least share of sessions that must be found (facts/ecosystem.md C5, T8).
PASS = {0.1: 0.99, 1.0: 0.97, 5.0: 0.90}
#: An interval of 95 % that holds in fewer is wrong; the exact bound of what was seen must not lie below.
COVERED = 0.93
START_US = EPOCH_NS // 1_000


class Lost(NamedTuple):
    """What came of the sessions at one loss."""

    sessions: int
    found: int
    false: int  # findings of who is no miner
    judged: int  # sessions with an interval
    inside: int


def capture(speech_of: type[Speech], seed: int, loss: float) -> tuple[list[Frame], float]:
    """The frames that were not lost, and the true hashrate."""
    rng = random.Random(f"{speech_of.__name__} {loss} {seed}")
    usual = speech_of.usual * 10 ** rng.uniform(-0.5, 0.5)
    packets = Session(
        speech_of(rng), rng, usual / SPACING_S, rng.uniform(200, 400), usual * 10 ** rng.uniform(-0.8, 0.6)
    ).play()
    stack = Stack(following=[rng.getrandbits(32), rng.getrandbits(32)], at_us=START_US)
    segments = handshake(stack)
    for packet in packets:
        stack.at_us = max(stack.at_us, START_US + 200_000 + int(packet.at_s * 1e6))
        segments.append(stack.segment(packet.side, ACK | PSH, packet.data))
        segments.append(stack.segment(1 - packet.side, ACK))
        stack.at_us = segments[-1].at_us
    whole = frames([*segments, *goodbye(stack)])
    return [frame for frame in whole if rng.random() * 100 >= loss], usual / SPACING_S


def measured(loss: float, sessions: int, folder: Path) -> Lost:
    found = false = judged = inside = total = 0
    core = engine.load()
    path = folder / "lost.pcap"
    for speech_of in SPEECHES:
        for seed in range(sessions // len(SPEECHES)):
            frames_left, rate_hps = capture(speech_of, seed, loss)
            write(path, frames_left)
            findings = replay([str(path)], signatures(), core, {}).findings
            right = [one for one in findings if is_miner(one)]
            total, found, false = total + 1, found + bool(right), false + len(findings) - len(right)
            best = max(right, key=lambda one: one.shares.submitted, default=None)
            if best is not None and best.hashrate_hps is not None:
                judged += 1
                inside += best.hashrate_hps.low <= rate_hps <= best.hashrate_hps.high
    return Lost(total, found, false, judged, inside)


def is_miner(finding: Finding) -> bool:
    return (finding.miner_ip, finding.pool_ip) == (MINER[0], POOL[0]) and finding.grade >= Grade.SPEAKS


def run(sessions: int = 400) -> Result:
    """Every loss in turn."""
    figures, passed = [], True
    with tempfile.TemporaryDirectory() as folder:
        for loss, least in PASS.items():
            came = measured(loss, sessions, Path(folder))
            recall = came.found / came.sessions
            high = clopper_pearson(came.inside, came.judged)[1] if came.judged else 0.0
            passed = passed and recall >= least and not came.false and high >= COVERED
            figures.append(
                f"{loss:g} %: {came.found} of {came.sessions} found, {came.false} false, "
                f"interval holds in {came.inside} of {came.judged}"
            )
    return Result("; ".join(figures), passed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=400)
    print(run(parser.parse_args().sessions))
