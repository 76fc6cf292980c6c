"""What a session is called while it goes on: never something that more of the same packets take back."""

from __future__ import annotations

import random

import pytest

from sensor.line.examples import dialogue_events
from sensor.line.join import MAX_ALGORITHMS, Joined
from sensor.line.judge import Spoken
from sensor.line.lifecycle import ReportingSettings
from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.naming import is_family
from sensor.model.record import Record
from sensor.signatures.model import Example
from tests.session.dialogue import events, shipped

EXAMPLES = [
    pytest.param(example, id=f"{dialect.name}: {example.name}")
    for dialect in shipped().dialects
    for example in dialect.header.examples
    if not example.counter
]
#: At once, and every packet brings a report of what is new.
EAGER = ReportingSettings(update_ns=1, close_ns=1 << 62, attempt_ns=1)


def offline(example: Example, messages: int | None = None) -> dict[str, Finding]:
    pipeline = Pipeline(shipped())
    pipeline.step(dialogue_events(example.dialogue[:messages], proto=example.proto))
    return {record.finding_id: record for record in pipeline.finish() if isinstance(record, Finding)}


def live(example: Example) -> list[Finding]:
    pipeline = Pipeline(shipped(), reporting=EAGER)
    told: list[Record] = []
    event: Event
    for event in dialogue_events(example.dialogue, proto=example.proto):
        told += pipeline.step([event])
    return [record for record in [*told, *pipeline.finish()] if isinstance(record, Finding)]


def assert_holds(early: Finding, final: Finding) -> None:
    assert early.coin in (None, final.coin)
    if early.algorithm is not None and final.algorithm is not None:
        assert final.algorithm == early.algorithm or final.algorithm.startswith(f"{early.algorithm}/")
    assert early.algorithm is None or final.algorithm is not None
    if not is_family(early.dialect) and early.dialect != final.dialect:  # the most general dialect names nothing mined
        assert (early.dialect, early.coin, early.algorithm, early.hashes_per_share) == ("stratum-v1", None, None, None)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_session_cut_after_any_message_names_what_the_whole_names_or_nothing(example: Example) -> None:
    whole = {finding.login: finding for finding in offline(example).values()}
    for messages in range(1, len(example.dialogue)):
        for early in offline(example, messages).values():
            final = whole.get(early.login) or (next(iter(whole.values())) if len(whole) == 1 else None)
            if final is not None and early.grade >= Grade.SPEAKS:
                assert_holds(early, final)


@pytest.mark.parametrize("example", EXAMPLES)
def test_live_reports_name_what_a_replay_names_or_nothing(example: Example) -> None:
    whole = offline(example)
    for told in live(example):
        final = whole.get(told.finding_id)
        if final is not None and told.grade >= Grade.SPEAKS:
            assert_holds(told, final)


def test_while_several_dialects_fit_the_family_is_named() -> None:
    zcash = next(one.header for one in shipped().dialects if one.name == "equihash")
    example = next(one for one in zcash.examples if "agent of another protocol" in one.name)
    early = list(offline(example, 3).values())
    assert [(one.coin, one.algorithm, one.algorithm_basis, one.hashes_per_share) for one in early] == [(None,) * 4]


JOBS_OF_ANOTHER_FORM = """
C {"id":1,"method":"mining.subscribe","params":["lolMiner 1.88","EthereumStratum/1.0.0"]}
S {"id":1,"result":[null,"c0de",6],"error":null}
C {"id":2,"method":"mining.authorize","params":["acct.r1","x"]}
S {"id":2,"result":true,"error":null}
S {"id":null,"method":"mining.notify","params":["12a9",{"height":1420118},"87dbbda82d9ac8c56cf25a88532b7ce1"]}
C {"id":4,"method":"mining.submit","params":["acct.r1","12a9","3fc81200aa71","","c0de3fc81200aa71"]}
S {"id":4,"result":true,"error":null}
"""


def test_a_dialect_whose_jobs_have_another_form_is_not_named() -> None:
    pipeline = Pipeline(shipped())
    pipeline.step(events(JOBS_OF_ANOTHER_FORM))
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    assert (found.dialect, found.coin, found.algorithm, found.work_hashes) == ("stratum", None, None, None)
    assert found.shares.accepted == 1
    assert any("its jobs have another form" in reason for reason in found.reasons)


#: The same in the most general dialect, by a machine that does one thing only.
STATED = (
    JOBS_OF_ANOTHER_FORM.replace("lolMiner 1.88", "Antminer S19 XP/Tue Mar 11")
    .replace('[null,"c0de",6]', '[[["mining.notify","a"]],"f1b0dee5",4]')
    .replace('"3fc81200aa71","","c0de3fc81200aa71"', '"00000001","689c3007","0a1b2c3d"')
)


def test_what_a_stated_machine_mines_is_known_whatever_form_its_jobs_have() -> None:
    """The most general dialect says nothing of what is mined, so jobs of another form take nothing back."""
    pipeline = Pipeline(shipped())
    pipeline.step(events(STATED))
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    assert (found.dialect, found.algorithm, found.algorithm_basis) == ("stratum-v1", "sha256d", "stated")


def test_algorithms_that_a_sender_makes_up_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    grown: list[Joined] = []
    add = Joined.add

    def noted(joined: Joined, contribution: Spoken) -> None:
        add(joined, contribution)
        grown.append(joined)

    monkeypatch.setattr(Joined, "add", noted)
    pipeline = Pipeline(shipped())
    for number in range(2 * MAX_ALGORITHMS):
        talk = STATED.replace('"acct.r1","x"', f'"acct.r1","algo=made{number}"')
        pipeline.step(events(talk, flow=number))
    pipeline.finish()
    assert max(len(joined.exposures) for joined in grown) == MAX_ALGORITHMS
    assert max(len(joined.basis) for joined in grown) == MAX_ALGORITHMS


@pytest.mark.parametrize("seed", range(4))
def test_of_more_algorithms_than_are_kept_the_same_are_kept_in_any_order(seed: int) -> None:
    flows = [
        list(events(STATED.replace('"acct.r1","x"', f'"acct.r1","algo=made{number}"'), flow=number))
        for number in range(MAX_ALGORITHMS + 4)
    ]
    shuffled = random.Random(seed).sample(flows, len(flows))
    found = [finding_of(order) for order in (flows, shuffled)]
    assert found[0] == found[1]
    assert len(found[0].exposures) == MAX_ALGORITHMS
    assert sum(one.algorithm == "made0" for one in found[0].exposures) == 1
    left = "4 connections are in no estimate: more than 16 algorithms were named"
    assert left in found[0].reasons


def finding_of(flows: list[list[Event]]) -> Finding:
    pipeline = Pipeline(shipped())
    for flow in flows:
        pipeline.step(flow)
    (found,) = pipeline.finish()
    assert isinstance(found, Finding)
    return found
