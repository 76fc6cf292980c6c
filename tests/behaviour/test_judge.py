"""`behaves` needs the grammar and a second kind of evidence; every part is listed with its number."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.behaviour.block_beat import BlockBeat
from sensor.behaviour.grammar import GrammarResult, Relation, constants_of_coin
from sensor.behaviour.judge import judge_behaviour
from sensor.behaviour.message_kinds import Constants
from sensor.behaviour.synchrony import Synchrony
from tests.behaviour.evaluate import GRAMMARS

GRAMMAR = GrammarResult(
    p=1e-7,
    dialects=("cryptonote",),
    relations=(Relation("answers", "9 of 9", 1e-9),),
    tried=4,
    submits=9,
    answered=(9, 9),
    gaps_p=(0.4, 0.6),
    constants_p=0.001,
)
BEAT = BlockBeat("XMR", "follows", 30, 1e-9, 1.2)
LADDER = Relation("branches", "4 lengths of jobs in steps of 67", 5e-5)
IDS = Relation("id of answers", "63 bytes 4 times, then up to 64, of 9", 0.008)


def test_the_grammar_alone_is_listed_and_no_more() -> None:
    found = judge_behaviour(GRAMMAR)
    assert not found.behaves
    assert {part.name for part in found.parts} == {"grammar", "constants", "opening", "roll-over", "gaps"}


@pytest.mark.parametrize(
    "change", [{"opening": True}, {"roll_over": True}, {"relations": (*GRAMMAR.relations, LADDER)}]
)
def test_a_second_kind_of_evidence_beside_the_grammar_is_enough(change: dict[str, object]) -> None:
    assert judge_behaviour(dataclasses.replace(GRAMMAR, **change)).behaves  # type: ignore[arg-type]


def test_a_beat_beside_the_grammar_is_enough_and_names_the_coin() -> None:
    found = judge_behaviour(GRAMMAR, BEAT)
    assert found.behaves
    assert found.coin == "XMR"


@pytest.mark.parametrize(
    "change", [{"opening": True}, {"roll_over": True}, {"relations": (*GRAMMAR.relations, IDS), "opening": True}]
)
def test_what_any_other_protocol_of_this_structure_shows_is_not_enough(change: dict[str, object]) -> None:
    """A queue of jobs in JSON-RPC signs in, has ids that grow, and acknowledges."""
    elsewhere = dataclasses.replace(GRAMMAR, constants_p=0.02)
    assert not judge_behaviour(dataclasses.replace(elsewhere, **change)).behaves  # type: ignore[arg-type]


def test_a_ladder_of_branches_makes_constants_that_are_less_rare_count() -> None:
    rarer = dataclasses.replace(GRAMMAR, constants_p=0.02, relations=(*GRAMMAR.relations, LADDER), opening=True)
    assert judge_behaviour(rarer).behaves


@pytest.mark.parametrize(
    ("opening", "of_coin", "behaves"),
    [(False, 0.07, True), (False, 0.3, False), (True, 0.07, False), (True, 0.001, True), (False, None, False)],
)
def test_a_beat_counts_beside_constants_of_its_coin(opening: bool, of_coin: float | None, behaves: bool) -> None:
    """Wallets in JSON-RPC follow blocks, too, and their ids grow; who was seen from the beginning shows more."""
    other = dataclasses.replace(GRAMMAR, constants_p=0.02, roll_over=True, opening=opening)
    assert judge_behaviour(other, BEAT, constants_of_coin=of_coin).behaves is behaves


def test_a_beat_does_not_count_beside_constants_of_another_coin() -> None:
    """Lengths of a wallet at a node of Bitcoin may fit a dialect in which Monero is mined."""
    readings = ((1e-9, Constants((), (), 234, 63, 363)),)
    explained = dataclasses.replace(GRAMMAR, readings=readings)
    assert constants_of_coin(explained, GRAMMARS, BEAT) is not None
    assert constants_of_coin(explained, GRAMMARS, dataclasses.replace(BEAT, coin="BTC")) is None
    assert constants_of_coin(dataclasses.replace(explained, dialects=("kaspa",)), GRAMMARS, BEAT) is None


def test_a_beat_alone_never_accuses() -> None:
    """Wallets and explorers follow blocks, too."""
    weak = dataclasses.replace(GRAMMAR, p=1e-3, opening=True, roll_over=True)
    assert not judge_behaviour(weak, BEAT).behaves


def test_even_or_bursty_gaps_do_not_count() -> None:
    both = dataclasses.replace(GRAMMAR, relations=(*GRAMMAR.relations, LADDER))
    assert not judge_behaviour(dataclasses.replace(both, gaps_p=(1e-3, 0.999))).behaves
    assert not judge_behaviour(dataclasses.replace(both, gaps_p=(0.9999, 1e-4))).behaves
    assert not judge_behaviour(dataclasses.replace(both, answered=(4, 4))).behaves


def test_synchrony_is_listed_and_never_counts() -> None:
    found = judge_behaviour(GRAMMAR, None, Synchrony(3, 40, 0.9, 1e-9))
    assert not found.behaves
    assert "synchrony" in {part.name for part in found.parts}


def test_what_cannot_be_tested_says_why() -> None:
    found = judge_behaviour(GrammarResult(untestable="lengths are known to 28 bytes only"))
    assert not found.behaves
    assert found.parts[0].detail == "lengths are known to 28 bytes only"


def test_ids_that_grow_in_answers_alone_do_not_count_beside_gaps() -> None:
    """Every JSON-RPC has them."""
    assert not judge_behaviour(dataclasses.replace(GRAMMAR, relations=(*GRAMMAR.relations, IDS))).behaves
