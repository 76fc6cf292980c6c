"""Whole farms: rigs side by side, reconnects, a switch of algorithm, a session joined late, one direction of XMRig."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.model.finding import Finding
from tests.estimate.farm import HASHES_AT_ONE, Farm, Said, captured, conversation, line
from tests.session.dialogue import shipped, unseen

SPACE = 1 << 64
BLOB = "1010" + "ab" * 74
XMR = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
RIG = Farm(rate_hps=1e14, seconds=1200.0, difficulty=1e14 * 4 / HASHES_AT_ONE)


def findings(*flows: list[Event]) -> list[Finding]:
    pipeline = Pipeline(shipped())
    for events in flows:
        pipeline.step(events)
    return [one for one in pipeline.finish() if isinstance(one, Finding)]


def rig(flow: int, **options: float) -> list[Event]:
    rng = random.Random(flow)
    return captured(conversation(RIG, rng), rng, flow=flow, **options)


def later(said: Iterator[Said], seconds: float) -> Iterator[Said]:
    return (one._replace(at_s=one.at_s + seconds) for one in said)


def xmrig(hashes: int, rate_hps: float, algorithm: str, rng: random.Random, seconds: float = 900.0) -> Iterator[Said]:
    target = SPACE // hashes
    job = {"blob": BLOB, "job_id": "7", "target": target.to_bytes(8, "little").hex(), "algo": algorithm}
    yield Said(
        0.0,
        0,
        line(id=1, method="login", params={"login": XMR, "pass": "x", "agent": "XMRig/6.22.2", "algo": [algorithm]}),
    )
    yield Said(0.1, 1, line(id=1, error=None, result={"id": "q", "job": job, "status": "OK"}))
    now, number = 0.1, 1
    while (now := now + rng.expovariate(rate_hps / hashes)) < seconds:
        number += 1
        result = rng.randbytes(24).hex() + rng.randrange(1, target).to_bytes(8, "little").hex()
        share = {"id": "q", "job_id": "7", "nonce": f"{number:08x}", "result": result}
        yield Said(now, 0, line(id=number, method="submit", params=share))
        yield Said(now + 0.02, 1, line(id=number, error=None, result={"status": "OK"}))


def holds(found: Finding, truth: float) -> bool:
    interval = found.hashrate_hps
    return interval is not None and interval.low < truth < interval.high


def test_rigs_side_by_side_on_one_login_add_up() -> None:
    (found,) = findings(rig(1), rig(2), rig(3))
    assert found.flow_count == 3
    assert holds(found, 3e14)
    assert not holds(found, 2e14)


def test_a_reconnect_goes_on_at_the_same_rate() -> None:
    rng = random.Random(5)
    again = captured(later(conversation(RIG, rng), 5_000.0), rng, flow=2)
    opened, closed = again[0], again[-1]
    again = [opened._replace(first_ns=again[1].ts_ns), *again[1:-1], closed._replace(first_ns=again[1].ts_ns)]  # type: ignore[union-attr, call-arg]
    (found,) = findings(rig(1), again)
    assert holds(found, 1e14)
    assert found.active_seconds == pytest.approx(2400.0, rel=0.02)
    assert found.energy_kwh is not None
    assert found.power_watts is not None
    assert found.energy_kwh.best == pytest.approx(found.power_watts.best * 2400 / 3.6e6, rel=0.02)


def test_a_session_joined_late_is_rated_once_its_difficulty_is_known() -> None:
    (blind,) = findings(rig(1, joined_s=200.0))
    assert blind.hashrate_hps is None  # this pool says its difficulty once
    inside = 0
    for seed in range(60):
        rng = random.Random(seed)
        farm = RIG._replace(difficulty=RIG.difficulty * 8, spacing_s=4.0)
        (found,) = findings(captured(conversation(farm, rng), rng, joined_s=45.0))
        inside += found.hashrate_hps is None or holds(found, 1e14)
    assert inside >= 54


def test_algorithms_are_never_added_together() -> None:
    rng = random.Random(8)
    one, other = (
        captured(xmrig(50_000, 10_000, "rx/0", rng), rng, flow=1),
        captured(xmrig(3_000, 600, "cn/r", rng), rng, flow=2),
    )
    (found,) = findings(one, other)
    assert found.shares.submitted > 300
    truth = {"rx/0": 10_000, "cn/r": 600}[found.algorithm or ""]
    assert holds(found, truth)
    assert not holds(found, 10_600 if found.algorithm == "cn/r" else 600)


def test_of_xmrig_the_miners_side_alone_is_enough() -> None:
    inside = 0
    for seed in range(60):
        rng = random.Random(seed)
        (found,) = findings(unseen(captured(xmrig(200_000, 8_000, "rx/0", rng), rng), 1))
        assert found.hashrate_hps is not None
        assert found.shares.accepted == 0
        inside += holds(found, 8_000)
    assert inside >= 54


def test_no_share_yet_is_an_upper_bound() -> None:
    said = [
        one
        for one in conversation(RIG, random.Random(1))
        if b"mining.submit" not in one.data and b'"id":4' not in one.data
    ]
    (found,) = findings(
        captured(
            iter([one for one in said if one.direction == 0 or b'"method"' in one.data or one.at_s < 1]),
            random.Random(1),
        )
    )
    assert found.hashrate_hps is not None
    assert (found.hashrate_hps.low, found.hashrate_hps.best) == (0.0, 0.0)
    assert found.hashrate_hps.high == pytest.approx(3.689 * 4e14 / 1200, rel=0.03)
