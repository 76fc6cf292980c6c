"""Whether constants are a dialect's own: those of other protocols of the same structure seldom are, and the chance that
is given is theirs.
"""

from __future__ import annotations

import dataclasses
import random
from functools import lru_cache

import pytest

from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange
from sensor.behaviour.grammar import look_at
from sensor.behaviour.judge import judge_behaviour
from sensor.behaviour.message_kinds import Constants
from sensor.behaviour.other_protocols import OtherProtocols
from sensor.behaviour.trace import CLIENT, FINISHED, Trace
from tests.behaviour.evaluate import GRAMMARS
from tests.behaviour.plans import traces_of
from tests.behaviour.test_grammar import xmrig
from tests.evaluation import ordinary_rpc
from tests.evaluation.talk import UP, Talk, World

#: As in a public capture of XMRig.
XMRIG = Constants((433,), ((475,),), 234, 63, 363)
ADVERSARIES = [
    ordinary_rpc.other_rpc,
    ordinary_rpc.tile_farm,
    ordinary_rpc.volunteers,
    ordinary_rpc.build_agent,
    ordinary_rpc.counter_poller,
]


@lru_cache(1)
def others() -> OtherProtocols:
    return OtherProtocols(GRAMMARS)


def traced(talk: Talk) -> Trace:
    """The records of a talk, each line in one of its own, in order of time at the client."""
    rows = sorted(
        (int((row.at_s + (talk.rtt_s / 2 if row.side == UP else -talk.rtt_s / 2)) * 1e9), n, row.side, length)
        for row in talk.rows
        for n, length in enumerate(row.lengths)
    )
    return Trace(tuple(r[0] for r in rows), tuple(r[2] for r in rows), tuple(r[3] for r in rows), 0, True)


def test_constants_of_a_dialect_are_rare_elsewhere() -> None:
    assert others().chance(XMRIG) <= 0.003


def test_constants_of_no_dialect_are_not() -> None:
    assert others().chance(Constants((433,), ((475,),), 234, 330, 363)) == 1.0


def test_without_an_opening_fewer_constants_say_less() -> None:
    assert others().chance(Constants((), (), 234, 63, 363)) > 0.01


def test_constants_of_a_coin_are_those_of_the_dialects_that_push_its_jobs() -> None:
    joined = Constants((), (), 234, 63, 363)
    assert others().chance(joined, "XMR") < 0.1
    assert others().chance(joined, "KAS") == 1.0
    assert others().chance(joined, "no coin of ours") == 1.0
    assert {own.dialect for own in GRAMMARS if "BTC" in own.coins} == {"stratum-v1"}  # getwork pushes nothing


def test_a_push_in_the_place_of_the_answer_says_nothing() -> None:
    """The answer before it may have been taken for a ticket of TLS 1.3; then a push comes first in any protocol."""
    taken = Constants((134,), ((275,),), 165, 63, 275)
    assert others().chance(taken) > 0.01
    assert others().chance(dataclasses.replace(taken, answers=((277,),), jobs=LengthRange(273, 279))) > 0.01


def test_a_first_answer_may_carry_any_of_the_jobs() -> None:
    """Jobs of one session differ by a few digits, and the first need not be of the commonest length."""
    usual = Constants((433,), ((475,),), 234, 63, 363, jobs=LengthRange(363, 363))
    spread = dataclasses.replace(usual, answers=((479,),), job=371, jobs=LengthRange(363, 372))
    assert others().chance(usual) == others().chance(XMRIG)
    assert others().chance(spread) <= 0.003


def test_the_least_of_several_ways_pays_for_all() -> None:
    other = Constants((433,), ((475,),), 233, 63, 363)
    least = min(others().chance(XMRIG), others().chance(other))
    assert others().least_chance([XMRIG]) == others().chance(XMRIG)
    assert others().least_chance([XMRIG, other]) == 2 * least
    assert others().least_chance([]) == 1.0


def test_the_chance_of_what_is_drawn_is_its_level() -> None:
    """By construction, for any session's protocol that is one of those drawn."""
    drawn = sorted(others().chance(Constants(some.requests[:1], some.answers[:1], some.share, some.reply, some.job,
                                             some.extras)) for some in others().drawn[:800])  # fmt: skip
    for level in (0.1, 0.03, 0.01):
        assert sum(p <= level for p in drawn) <= level * len(drawn) + 4 * (level * len(drawn)) ** 0.5


def test_a_dialect_whose_usual_lengths_lie_outside_its_range_is_no_division_by_zero() -> None:
    odd = DialectLengths(
        "odd", "compact", "line", (LengthRange(50, 50, 0, (90, 90)),), (LengthRange(30, 30, 0, (10, 12)),), (), (),
        (LengthRange(100, 100, 0, (200, 200)),), (), None, (),
    )  # fmt: skip
    assert 0 < OtherProtocols([odd]).chance(Constants((), (), 50, 30, 100)) < 0.1


def test_a_session_of_xmrig_behaves() -> None:
    rng = random.Random(5)
    result = look_at(traces_of(xmrig(rng), rng), GRAMMARS)
    assert result.constants_p <= 0.003
    assert judge_behaviour(result).behaves


@pytest.mark.parametrize("play", ADVERSARIES, ids=lambda play: play.__name__)
def test_other_json_rpc_does_not_behave(play: object) -> None:
    """It signs in, gets pushes of one length, asks at random with ids that grow, and is acknowledged."""
    grammar = 0
    for seed in range(12):
        rng = random.Random(f"{play.__name__} {seed}")  # type: ignore[attr-defined]
        talk = Talk(rng, World(rng, 4_300).server("other", 0), 300.0, 3_600)
        play(talk)  # type: ignore[operator]
        result = look_at(traced(talk), GRAMMARS)
        grammar += result.p <= 1e-5
        assert not judge_behaviour(result).behaves, result
    assert grammar or play is ordinary_rpc.counter_poller  # what the equations alone would have said


def test_an_answer_that_may_be_a_ticket_accuses_nobody() -> None:
    """The session's own handshake has no ticket, so that its first answers can be taken for one."""
    seen = 0
    for seed in range(90):
        rng = random.Random(f"tickets {seed}")
        talk = Talk(rng, World(rng, 4_300).server("other", 0), 300.0, 3_600)
        ordinary_rpc.volunteers(talk)
        own = traced(talk)
        times_ns = (own.times_ns[0] - 1_000_000, *own.times_ns)
        sent = Trace(times_ns, (CLIENT, *own.directions), (FINISHED[0], *own.lengths), 0, True)
        result = look_at(sent, GRAMMARS)
        seen += result.p <= 1e-5
        assert not judge_behaviour(result).behaves, (seed, result)
    assert seen
