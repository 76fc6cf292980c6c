"""Where a difficulty was lost, the hashes of the accepted shares tell it."""

from __future__ import annotations

import random

import pytest

from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding
from sensor.session.verify import Sampling
from tests.session.dialogue import shipped
from tests.session.mined import Era, Pool, captured, packets

RATE = 64.0  # hashes a second; 256 of them are a share every four seconds


def found_in(pool: Pool, eras: list[Era], seed: object, joined_s: float = 0.0, **sampling: int) -> Finding:
    pipeline = Pipeline(shipped(), sampling=Sampling(**sampling))
    pipeline.step(captured(packets(pool, eras, random.Random(str(seed))), joined_s))
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 3.1, 8.0])
def test_a_lost_difficulty_is_told_by_the_hashes(factor: float, seed: int) -> None:
    eras = [Era(1_500, 256), Era(2_500, 256 * factor, seen=False)]
    found = found_in(Pool(RATE), eras, (factor, seed))
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.best == pytest.approx(RATE, rel=0.15)
    # Most of the time counts again; not the first shares after the gap, by which the hashes tell the difficulty.
    spent_on_hashes = 40 * 4 * factor
    assert found.watched_seconds > 4_000 - spent_on_hashes - 60
    assert any("the hashes of accepted shares tell it" in note for note in found.estimate_notes)
    assert found.algorithm == "sha256d"


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_scrypt_hashes_tell_it_as_well(factor: float) -> None:
    rate = 8.0
    eras = [Era(400, 32), Era(1_600, 32 * factor, seen=False)]
    found = found_in(Pool(rate, scrypt=True), eras, factor)
    assert found.algorithm == "scrypt"
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < rate < found.hashrate_hps.high
    assert found.watched_seconds > 1_300


def test_a_difficulty_that_was_never_seen_is_told_by_the_hashes() -> None:
    found = found_in(Pool(RATE), [Era(3_000, 256, seen=False)], "n1")
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < RATE < found.hashrate_hps.high
    assert found.watched_seconds > 2_800
    assert found.algorithm == "sha256d"


def test_the_algorithm_of_a_difficulty_that_was_never_seen_is_that_of_the_hashes() -> None:
    found = found_in(Pool(8.0, scrypt=True), [Era(1_600, 32, seen=False)], "scrypt never")
    assert found.algorithm == "scrypt"
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < 8.0 < found.hashrate_hps.high


def test_a_difficulty_that_was_sent_again_unchanged_is_taken_for_the_same() -> None:
    found = found_in(Pool(RATE), [Era(1_500, 256), Era(2_500, 256, seen=False)], "same")
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < RATE < found.hashrate_hps.high
    assert found.watched_seconds > 3_700
    assert not any("hashes of accepted shares" in note for note in found.estimate_notes)


def test_joined_in_the_middle_nothing_can_be_recomputed_and_nothing_is_guessed() -> None:
    found = found_in(Pool(RATE), [Era(3_000, 256)], "middle", joined_s=500.0)
    assert found.hashrate_hps is None
    assert found.unknown_shares > 500


def test_hashes_that_are_not_asked_for_tell_nothing() -> None:
    eras = [Era(1_500, 256), Era(2_500, 512, seen=False)]
    found = found_in(Pool(RATE), eras, "off", target_most=0)
    assert found.watched_seconds < 1_600
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < RATE < found.hashrate_hps.high


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(60):
        eras = [Era(60, 64), Era(1_000, 128, seen=False)]
        found = found_in(Pool(RATE), eras, ("often", seed))
        assert found.hashrate_hps is not None
        inside += found.hashrate_hps.low < RATE < found.hashrate_hps.high
    assert inside >= 53  # 99.9 % of the time, if each holds it at 95 %


@pytest.mark.parametrize("factor", [0.25, 8.0])
def test_a_difficulty_that_the_hashes_refute_is_not_believed(factor: float) -> None:
    eras = [Era(400, 64), Era(3_000, 64 * factor, sent=False)]
    found = found_in(Pool(RATE), eras, factor, every=8, most=1_000)
    assert found.hashrate_hps is not None
    # What was counted by the difficulty that was sent last is taken back, as it is not known when that ended.
    assert found.unknown_shares > 20
    assert found.hashrate_hps.best == pytest.approx(RATE, rel=0.25)
    assert any("the hashes of accepted shares tell it" in note for note in found.estimate_notes)
    assert found.work_hashes is not None
    assert found.work_hashes < 1.1 * RATE * 3_400


def test_hashes_refute_no_difficulty_that_holds() -> None:
    found = found_in(Pool(RATE), [Era(400, 64), Era(3_000, 128)], "holds", every=1, most=100_000)
    assert found.unknown_shares == 0
    assert found.watched_seconds > 3_390
