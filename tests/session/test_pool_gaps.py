"""What was lost of a pool's stream puts the difficulty in doubt until it is sent again, unless its length rules that
out.
"""

from __future__ import annotations

import random

import pytest

from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, Event
from sensor.model.finding import Finding
from sensor.session.pool_sizes import PoolSizes
from tests.estimate.farm import HASHES_AT_ONE, Farm, captured, conversation
from tests.session.dialogue import shipped

FARM = Farm(rate_hps=1e14, seconds=3_000.0, difficulty=1e14 * 4 / HASHES_AT_ONE)


def without(events: list[Event], lost: list[int]) -> list[Event]:
    """The flow with chunks of these numbers missed."""
    left, gaps = [], [0, 0]
    for at, event in enumerate(events):
        if not isinstance(event, Chunk):
            left.append(event)
        elif at in lost:
            gaps[event.direction] += len(event.data)
        else:
            left.append(event._replace(gap=gaps[event.direction]))
            gaps[event.direction] = 0
    return left


def found_in(events: list[Event]) -> Finding:
    pipeline = Pipeline(shipped())
    pipeline.step(events)
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    return found


def halved(seed: int, again_s: float | None = None) -> tuple[list[Event], int]:
    """A pool that halves the difficulty at 1,000 s, and perhaps sends it again later; and where the halving stands."""
    rng = random.Random(seed)
    easier = FARM._replace(difficulty=FARM.difficulty / 2)
    before = [sent for sent in conversation(FARM, rng) if sent.at_s < 1_000]
    after = [sent._replace(at_s=sent.at_s + 1_000) for sent in conversation(easier, rng) if sent.at_s > 0.035]
    if again_s is not None:
        job = next(at for at, sent in enumerate(after) if sent.at_s > again_s and b"mining.notify" in sent.data)
        after[job] = after[job]._replace(data=after[0].data.split(b"\n")[0] + b"\n" + after[job].data)
    events = captured(iter([sent for sent in (*before, *after) if sent.at_s < 3_000]), rng)
    first_later = next(
        at for at, event in enumerate(events) if isinstance(event, Chunk) and b"set_difficulty" in event.data and at > 9
    )
    return events, first_later


@pytest.mark.parametrize("seed", range(4))
def test_after_a_lost_difficulty_nothing_is_rated_until_it_is_sent_again(seed: int) -> None:
    events, lost = halved(seed)
    found = found_in(without(events, [lost]))
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < 1e14 < found.hashrate_hps.high
    assert found.unknown_shares > 500
    # The rate of the rest is taken for that time.
    assert found.unknown_seconds + found.assumed_seconds == pytest.approx(2_000, rel=0.05)
    assert found.watched_seconds == pytest.approx(1_000, rel=0.05)
    events, lost = halved(seed, again_s=2_000)
    found = found_in(without(events, [lost]))
    assert found.hashrate_hps is not None
    assert found.hashrate_hps.low < 1e14 < found.hashrate_hps.high
    assert found.watched_seconds == pytest.approx(2_000, rel=0.05)
    assert any("left out" in note for note in found.estimate_notes)


def test_a_lost_answer_or_job_puts_nothing_in_doubt() -> None:
    rng = random.Random(3)
    events = captured(conversation(FARM, rng), rng)
    answers = [at for at, event in enumerate(events) if isinstance(event, Chunk) and b'"result":true' in event.data]
    jobs = [at for at, event in enumerate(events) if isinstance(event, Chunk) and b"mining.notify" in event.data]
    found = found_in(without(events, [*answers[50::17], *jobs[30::9]]))
    assert found.unknown_shares == 0
    assert found.watched_seconds == pytest.approx(3_000, rel=0.01)


def test_a_length_that_leaves_room_for_a_difficulty_is_no_excuse() -> None:
    sizes = PoolSizes()
    for size in (38, 38):
        sizes.note_answer(size, 2)
    sizes.note_other(250)
    sizes.note_target(62)
    assert sizes.rules_out_target(38, 1, {2})
    assert sizes.rules_out_target(250, 1, {2})
    assert sizes.rules_out_target(288, 1, {2})
    assert not sizes.rules_out_target(62, 1, {2})
    assert not sizes.rules_out_target(250 + 62, 1, {2})
    assert not sizes.rules_out_target(251, 1, {2})
    sizes.note_other(62)  # as long as a difficulty
    assert not sizes.rules_out_target(62, 1, {2})
