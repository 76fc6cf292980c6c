"""The target nobody said, from the hashes CryptoNote miners send with their shares."""

from __future__ import annotations

import random

import pytest

from sensor.estimate.tally import Share
from sensor.estimate.target import SPACE, Guess, hash_value, target_factors, work_from
from sensor.signatures.work import UNITS
from tests.estimate.farm import line
from tests.session.dialogue import only


def test_the_last_eight_bytes_are_compared_least_significant_first() -> None:
    text = "d5e431a170fe2830867e61b5b4bddca99ad983d2f667d707" + "0807060504030000"
    assert hash_value(text) == 0x0000030405060708
    assert hash_value(text[:-2]) is None
    assert hash_value("zz" * 32) is None
    assert hash_value(7) is None


def shares(target: int, count: int, rng: random.Random) -> list[int]:
    return [rng.randrange(1, target) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5, 16, 100])
def test_the_inferred_target_is_unbiased_and_its_interval_holds(count: int) -> None:
    rng, target, runs = random.Random(count), SPACE // 480_045, 4_000
    held, total = 0, 0.0
    for _ in range(runs):
        values = shares(target, count, rng)
        total += max(values) * (count + 1) / count
        work = work_from(values) / UNITS
        low, high = target_factors(count, 0.95)
        held += work * low <= 480_045 <= work * high
    assert total / runs / target == pytest.approx(1.0, abs=0.02)
    assert held / runs == pytest.approx(0.95, abs=0.012)


def test_a_refused_share_says_nothing_about_the_target() -> None:
    rng, target, guess = random.Random(1), SPACE // 1000, Guess()
    for value in shares(target, 15, rng):
        guess.put(Share(0, None, value))
    guess.put(Share(0, None, SPACE - 1, rejected=True))
    assert guess.tally.count == 15
    assert guess.tally.work / 15 / UNITS == pytest.approx(1000, rel=0.3)


def session(target: int, count: int, rng: random.Random) -> str:
    lines = []
    for number in range(9, 9 + count):
        result = rng.randbytes(24).hex() + rng.randrange(1, target).to_bytes(8, "little").hex()
        share = {"id": "q", "job_id": "7", "nonce": f"{number:08x}", "result": result}
        lines.append("C " + line(id=number, jsonrpc="2.0", method="submit", params=share).decode())
        lines.append("S " + line(id=number, jsonrpc="2.0", error=None, result={"status": "OK"}).decode())
    return "".join(lines)


def test_joined_after_the_target_was_said_the_rate_is_still_known() -> None:
    hashes, count = 2_000_000_000_000, 1200  # a dialogue's lines are a millisecond apart: 2,400 ms
    found = only(session(SPACE // hashes, count, random.Random(3)), midstream=True)
    assert found.work_hashes is None
    assert found.hashrate_hps is not None
    truth = hashes * count / 2.4
    assert found.hashrate_hps.low < truth < found.hashrate_hps.high
    assert found.hashrate_hps.best == pytest.approx(truth, rel=0.06)
    assert any("inferred" in note for note in found.estimate_notes)
