"""A session whose lengths obey a dialect is found, and says why."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sensor.behaviour.dialect_lengths import DialectLengths
from sensor.behaviour.grammar import LOOKS_S, GrammarResult, look_at, over_looks
from sensor.behaviour.overhead import TLS_1_2, TLS_1_3_OVERHEAD, overhead
from sensor.behaviour.templates import templates_of
from sensor.behaviour.trace import CLIENT, SERVER, Trace, trace_of, without_handshake
from sensor.signatures import SignatureSet
from tests.behaviour.evaluate import dialect_families
from tests.behaviour.mining import play, playable
from tests.behaviour.ordinary_first import FIRST
from tests.behaviour.ordinary_second import SECOND
from tests.behaviour.plans import DOWN, UP, Plan, mixed, poisson, traces_of

#: TLS_RSA_WITH_AES_128_CBC_SHA (RFC 5246 appendix A.5).
CBC_SUITE = 0x002F


def xmrig(rng: random.Random, until_s: float = 3_600.0, number: int = 2) -> Plan:
    """As in a public capture: job 363, answer to login 112 more, share 234 and reply 63 with an id of one digit."""
    plan = Plan()
    plan.ask(0.0, 433, 475)
    for at, what in mixed(job=poisson(rng, until_s, 30), share=poisson(rng, until_s, 120)):
        if what == "job":
            plan.say(at + 1, DOWN, 363)
        else:
            plan.ask(at + 1, 233 + len(str(number)), 62 + len(str(number)))
            number += 1
    return plan


def relations(result: GrammarResult) -> set[str]:
    return {relation.name for relation in result.relations if relation.p < 0.05}


def test_an_hour_of_xmrig_shows_all_its_relations(grammars: list[DialectLengths]) -> None:
    rng = random.Random(1)
    result = look_at(traces_of(xmrig(rng), rng), grammars)
    assert result.p < 1e-9
    assert "cryptonote" in result.dialects
    assert {"first answer", "answers", "id of answers", "id of shares"} <= relations(result)
    assert any("363 + 112" in relation.detail for relation in result.relations)
    assert result.opening
    assert result.roll_over
    assert result.requests_by_digits == 8  # ids 2 to 9, the login had the first
    assert result.answered[0] <= result.submits == result.answered[1]


def test_a_session_that_was_joined_is_found_without_its_opening(grammars: list[DialectLengths]) -> None:
    rng = random.Random(2)
    result = look_at(traces_of(xmrig(rng), rng, joined_s=200), grammars)
    assert result.p < 1e-6
    assert not result.opening


def test_shuffled_lengths_say_nothing(grammars: list[DialectLengths]) -> None:
    rng = random.Random(3)
    trace = traces_of(xmrig(rng), rng)
    shuffled = list(trace.lengths)
    for side in (UP, DOWN):
        places = [i for i, own in enumerate(trace.directions) if own == side]
        values = [shuffled[i] for i in places]
        rng.shuffle(values)
        for place, value in zip(places, values, strict=True):
            shuffled[place] = value
    result = look_at(Trace(trace.times_ns, trace.directions, tuple(shuffled), 0, trace.opening), grammars)
    assert result.p > 0.01


def test_lengths_that_are_known_to_a_block_only_are_not_tested(grammars: list[DialectLengths]) -> None:
    records = [(n * 10**9, n % 2, 64) for n in range(40)]
    result = look_at(trace_of(records, overhead(TLS_1_2, CBC_SUITE), opening=False), grammars)
    assert result.untestable is not None
    assert result.p == 1.0


def test_an_empty_session_is_not_tested(grammars: list[DialectLengths]) -> None:
    assert look_at(trace_of([], TLS_1_3_OVERHEAD, opening=True), grammars).untestable == "too few records"


def test_what_tls_sends_itself_is_taken_off() -> None:
    lengths = [(1, 1000), (1, 300), (0, 53), (1, 250), (1, 250), (0, 450), (1, 492)]
    trace = trace_of([(n, side, length) for n, (side, length) in enumerate(lengths)], TLS_1_3_OVERHEAD, opening=True)
    assert [part.lengths for part in without_handshake(trace)][-1] == (433, 475)


@pytest.mark.parametrize("name", ["stratum-v1", "cryptonote", "ethproxy", "kawpow", "kaspa", "ckb", "ergo", "bytom"])
def test_sessions_played_from_examples_are_found(
    name: str, signatures: SignatureSet, grammars: list[DialectLengths]
) -> None:
    dialect = next(dialect for dialect in signatures.dialects if dialect.name == name)
    templates = templates_of(dialect, signatures)
    assert playable(templates)
    found = 0
    for n in range(5):
        rng = random.Random(f"{name} {n}")
        result = look_at(traces_of(play(templates, rng, 3_600, 2.0), rng), grammars)
        found += result.p <= 1e-5 and result.opening
    assert found >= 4


#: Reports, answers and settings of one length each, at random times: by lengths alone they are mining in some dialect.
INSEPARABLE = {"sensor with alarms", "work queue"}


@pytest.mark.parametrize("name", sorted({*FIRST, *SECOND} - INSEPARABLE))
def test_ordinary_sessions_whose_opening_was_seen_are_not_found(name: str, grammars: list[DialectLengths]) -> None:
    make = {**FIRST, **SECOND}[name]
    for n in range(4):
        rng = random.Random(f"{name} {n}")
        result = look_at(traces_of(make(rng, 1_800), rng), grammars)
        assert result.p > 1e-5, result


def test_the_look_that_says_most_stands_and_each_pays_for_all(grammars: list[DialectLengths]) -> None:
    rng = random.Random(11)
    trace = traces_of(xmrig(rng), rng)
    looks = [look_at(trace.until(trace.times_ns[0] + look * 10**9), grammars) for look in LOOKS_S]
    assert over_looks(looks).p == min(look.p for look in looks)
    assert over_looks([]).untestable == "not looked at"


def test_a_first_job_that_comes_late_is_no_opening(grammars: list[DialectLengths]) -> None:
    """A device that signs in, and gets settings of one length now and then, is not a miner that waits for work."""
    rng = random.Random(12)
    plan = Plan()
    plan.ask(0.0, 129, 39)
    for at, what in mixed(job=poisson(rng, 3_600, 30), share=poisson(rng, 3_600, 60)):
        if what == "job":
            plan.say(at + 30, DOWN, 247)
        else:
            plan.ask(at + 30, 246, 39)
    assert not look_at(traces_of(plan, rng), grammars).opening


@pytest.mark.parametrize("late_s", [0.02, 0.09])
def test_requests_that_do_not_wait_for_an_answer_are_an_opening(late_s: float, grammars: list[DialectLengths]) -> None:
    """The second is sent before the first is answered, and answered as much later."""
    rng = random.Random(13)
    plan = Plan()
    plan.say(0.0, UP, 62)
    plan.say(late_s, UP, 126)
    plan.say(0.2, DOWN, 78)
    plan.say(0.2 + late_s, DOWN, 36)
    plan.say(0.3 + late_s, DOWN, 55, 250)
    number = 3
    for at, what in mixed(job=poisson(rng, 3_600, 20), share=poisson(rng, 3_600, 60)):
        if what == "job":
            plan.say(at + 1, DOWN, 250)
        else:
            plan.ask(at + 1, 145 + len(str(number)), 35 + len(str(number)))
            number += 1
    result = look_at(traces_of(plan, rng), grammars)
    assert result.p <= 1e-9
    assert result.opening


@pytest.mark.parametrize("family", ["webminerpool", "qubic"])
def test_openings_that_a_job_alone_answers_and_whose_example_reports_a_rate_are_read(
    family: str, grammars: list[DialectLengths]
) -> None:
    found = 0
    for seed in range(6):
        trace, _ = dialect_families()[family](random.Random(f"{family} {seed}"), 3_600, 0.0)
        result = look_at(trace, grammars)
        found += result.p <= 1e-5 and result.opening
    assert found >= 4


@pytest.mark.parametrize("family", ["coinhive"])
def test_a_session_of_websocket_is_read_behind_its_change_from_http(
    family: str, grammars: list[DialectLengths]
) -> None:
    found, without, own = 0, 0, [grammar for grammar in grammars if grammar.transport == "websocket"]
    for seed in range(8):
        trace, _ = dialect_families()[family](random.Random(f"{family} {seed}"), 3_600, 0.0)
        changed = replace(
            trace,
            times_ns=(trace.times_ns[0] - 400_000_000, trace.times_ns[0] - 300_000_000, *trace.times_ns),
            directions=(CLIENT, SERVER, *trace.directions),
            lengths=(412, 129, *trace.lengths),
        )
        found += look_at(changed, grammars).opening
        without += look_at(trace, own).opening
    assert found == without > 0
