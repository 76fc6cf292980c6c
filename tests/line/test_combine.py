"""Observations joined into grade and confidence: order does not matter, more evidence never lowers, one kind counts
once.
"""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.line.combine import combine, confidence_of
from sensor.model.evidence import Grade
from sensor.model.observation import Observation

PRIOR = -13.3706
SPOKEN = Observation("spoken", Grade.ACCEPTED, "cryptonote", 20.0, 1)
NAMED = Observation("named", Grade.NAMED, "pool-sni", 4.1, 2, detail={"sni": "xmr.pool.example"})
BEHAVED = Observation("behaved", Grade.BEHAVES, "block-beat", 6.0, 3, p=0.003)

observations = st.builds(
    Observation,
    st.sampled_from(["spoken", "named", "behaved"]),
    st.sampled_from(list(Grade)),
    st.sampled_from(["a", "b"]),
    st.floats(-20, 30),
    st.integers(0, 5),
)


def test_nothing_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="nothing was observed"):
        combine([], PRIOR)


def test_spoken_evidence_alone_has_the_confidence_of_its_grade() -> None:
    verdict = combine([SPOKEN], PRIOR)
    assert (verdict.grade, verdict.confidence) == (Grade.ACCEPTED, 0.99)


def test_a_name_alone_accuses_nobody_and_with_words_it_makes_surer() -> None:
    alone, both = combine([NAMED], PRIOR), combine([NAMED, SPOKEN], PRIOR)
    assert alone.confidence < 0.01
    assert both.confidence > 0.99
    assert both.grade is Grade.ACCEPTED
    assert [part.bits for part in both.observations] == [20.0, 4.1]


def test_the_same_kind_twice_counts_once() -> None:
    again = Observation("named", Grade.LOOKED_UP, "pool-dns", 2.0, 9)
    one, two = combine([NAMED], PRIOR), combine([NAMED, again], PRIOR)
    assert one.bits == two.bits
    assert len(two.observations) == 2


@given(st.lists(observations, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter(parts: list[Observation], chance: random.Random) -> None:
    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert combine(shuffled, PRIOR) == combine(parts, PRIOR)


@given(st.lists(observations.filter(lambda part: part.bits >= 0), min_size=1, max_size=4), observations)
def test_evidence_for_mining_never_makes_less_sure(parts: list[Observation], more: Observation) -> None:
    before, after = combine(parts, PRIOR), combine([*parts, more], PRIOR)
    assert more.bits < 0 or after.confidence >= before.confidence
    assert after.grade >= before.grade


@pytest.mark.parametrize("bits", [-1e9, -13.37, 0.0, 13.37, 1e9])
def test_a_confidence_is_a_probability(bits: float) -> None:
    assert 0.0 <= confidence_of(bits) <= 1.0
    assert confidence_of(0.0) == 0.5


def test_all_three_kinds_are_listed_strongest_first() -> None:
    for parts in permutations([SPOKEN, NAMED, BEHAVED]):
        verdict = combine(parts, PRIOR)
        assert [part.kind for part in verdict.observations] == ["spoken", "behaved", "named"]
