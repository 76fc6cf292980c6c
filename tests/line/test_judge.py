"""What one flow contributes: whose ends can be hosts', which logins were heard, which coin is named, and whose session
it is."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sensor.line import judge as judge_module
from sensor.line.judge import _evidence, _is_heard, _named_coin, _whose, best_reading, judge
from sensor.line.open_flow import OpenFlow
from sensor.model.events import Chunk, Open
from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Activity
from sensor.model.naming import AlgorithmBasis
from sensor.model.quantities import UNKNOWN_WAIT
from sensor.session.account import Account
from sensor.session.jobs import KnownAlgorithm
from sensor.session.matched_messages import Sighting
from sensor.session.session import Session
from sensor.session.verify import Sampling
from tests.line.test_naming import JOBS_OF_ANOTHER_FORM
from tests.session.dialogue import events, shipped
from tests.session.test_pipeline import SHARE
from tests.wallets.test_findings import LTC, XMR, cryptonote, stratum

HOST, NONE = bytes([198, 51, 100, 10]), bytes([224, 0, 0, 1])


def heard(text: str, ends: tuple[bytes, bytes] = (HOST, HOST)) -> OpenFlow:
    """An open flow that has heard a dialogue between these ends."""
    stream = events(text)
    opened = stream[0]
    assert isinstance(opened, Open)
    flow = OpenFlow(opened._replace(orig_addr=ends[0], resp_addr=ends[1]), shipped(), Sampling())
    for chunk in stream[1:]:
        if isinstance(chunk, Chunk):
            chunk = chunk._replace(base_seq=1)
            flow.take(chunk)
            for read in flow.conversation.feed(chunk.direction, chunk.ts_ns, chunk.offset, chunk.gap, chunk.data):
                flow.receive(read)
    return flow


def spoken(text: str, ends: tuple[bytes, bytes] = (HOST, HOST)) -> list[Any]:
    flow = heard(text, ends)
    return list(judge(flow.heard, flow.facts(None)))


@pytest.mark.parametrize(
    ("ends", "found"), [((HOST, HOST), 1), ((NONE, HOST), 0), ((HOST, NONE), 0), ((NONE, NONE), 0)]
)
def test_both_ends_have_to_be_hosts(ends: tuple[bytes, bytes], found: int) -> None:
    assert len(spoken(stratum("acct.rig"), ends)) == found


def test_what_speaks_no_dialect_contributes_nothing() -> None:
    assert spoken("C GET / HTTP/1.1\nC Host: www.example.com\nC ") == []


def account(login: str | None, shares: int = 0) -> Account:
    made = Account(login, 0, 1)
    made.shares.submitted = shares
    return made


@pytest.mark.parametrize("carried", [False, True])
def test_of_logins_from_before_only_the_latest_is_heard_where_none_sends_a_share(carried: bool) -> None:
    earlier, latest, nameless = account("acct.one"), account("acct.two"), account(None)
    for newest in (latest, nameless):
        reading = cast(Any, SimpleNamespace(carried=carried, logins=SimpleNamespace(latest=newest)))
        assert _is_heard(earlier, reading) is not carried
        assert _is_heard(latest, reading) is (not carried or newest is latest)
        assert not _is_heard(nameless, reading)
        assert _is_heard(account("acct.one", shares=1), reading)
        assert _is_heard(account(None, shares=1), reading)


@pytest.mark.parametrize(
    ("basis", "coin"), [(None, "DIALECT"), ("proven", "DIALECT"), ("stated", "DIALECT"), ("assumed", None)]
)
def test_a_dialect_names_its_coin_unless_the_algorithm_is_only_its_habit(
    basis: AlgorithmBasis | None, coin: str | None
) -> None:
    mined = None if basis is None else KnownAlgorithm("sha256d", basis)
    reading = cast(Any, SimpleNamespace(dialect=SimpleNamespace(coin="DIALECT"), jobs=SimpleNamespace(coin=None)))
    assert _named_coin(reading, account("acct"), mined) == coin
    reading.jobs.coin = "JOB"
    assert _named_coin(reading, account("acct"), mined) == "JOB"
    signed_in = account("acct")
    signed_in.coin = "LOGIN"
    assert _named_coin(reading, signed_in, mined) == "LOGIN"


DONATED = "6ab92f2a0c9c8eb1b8aa8d2a5d2d0fdbde4f3fd9a9b8fe4cf5b2b1dc6f1e1c0a"


@pytest.mark.parametrize(
    ("activity", "then"),
    [("probe", "mining"), ("mining", "mining"), ("observer", "observer"), ("attempt", "attempt")],
)
def test_a_donation_is_brief_and_no_probe(activity: Activity, then: Activity) -> None:
    (one,) = spoken(cryptonote(DONATED))
    one.activity = activity
    assert _whose(one, heard(cryptonote(DONATED)).heard.wallets, None).activity == then


#: The last character of a wallet's checksum, changed.
BROKEN = f"{XMR[:-1]}{'a' if XMR[-1] != 'a' else 'b'}"
NO_WALLET_OF = "the login looks like a wallet of"


def test_a_coin_that_a_login_with_wrong_check_characters_names_is_none() -> None:
    (right,), (wrong,) = spoken(cryptonote(XMR)), spoken(cryptonote(BROKEN))
    assert (right.coin, right.wallet.checksum) == ("XMR", "right")
    assert not any(NO_WALLET_OF in reason for reason in right.reasons)
    assert (wrong.coin, wrong.wallet.checksum) == (None, "wrong")
    assert sum(NO_WALLET_OF in reason for reason in wrong.reasons) == 1


def test_a_coin_that_something_else_names_stands_whatever_the_check_characters() -> None:
    (one,) = spoken(cryptonote(BROKEN))
    book = heard(cryptonote(BROKEN)).heard.wallets
    for named, stands in (("XMR", False), ("WOW", True), ("AEON", True), ("ZEPH", True), (None, True)):
        one.coin, one.reasons = named, ()
        after = _whose(one, book, None)
        assert any(NO_WALLET_OF in reason for reason in after.reasons) is not stands
    (other,) = spoken(stratum(f"{LTC[:-1]}x.w1"))
    other.coin, other.reasons = "SUGAR", ()
    assert not any(NO_WALLET_OF in reason for reason in _whose(other, book, None).reasons)


def sighting(name: str, ts_ns: int, login: str | None = None, **marks: bool) -> Sighting:
    every = {"from_miner": True, "confirms": False, "accepted": False, "proof": False} | marks
    return Sighting(name, login, ts_ns, 7, "00", {"n": 1}, **every)


def pieces(*seen: Sighting, grade: Grade = Grade.VERIFIED) -> list[Evidence]:
    return _evidence(cast(Any, SimpleNamespace(sightings=seen)), account("acct"), "a-dialect", grade, "1:x=")


def test_a_message_is_evidence_of_what_it_shows_and_of_no_more_than_the_flow() -> None:
    seen = [
        sighting("subscribe", 1),
        sighting("authorize", 2, confirms=True),
        sighting("share", 3, accepted=True, from_miner=False),
        sighting("proven", 4, accepted=True, proof=True),
    ]
    grades = [Grade.VERIFIED, Grade.ACCEPTED, Grade.SPEAKS, Grade.BEHAVES]
    assert [(one.grade, one.time_ns) for one in pieces(*seen)] == list(zip(grades, (4, 3, 2, 1), strict=True))
    assert [one.direction for one in pieces(*seen)] == ["miner", "pool", "miner", "miner"]
    lower = [min(grade, Grade.SPEAKS) for grade in grades]
    assert sorted(one.grade for one in pieces(*seen, grade=Grade.SPEAKS)) == sorted(lower)
    (one,) = pieces(seen[0])
    assert (one.signature, one.flow, one.offset, one.excerpt) == ("a-dialect", "1:x=", 7, "00")
    assert one.detail == {"message": "subscribe", "n": 1}


def test_the_eight_best_and_earliest_messages_are_evidence() -> None:
    seen = [sighting(f"m{number:02}", 100 - number, confirms=number >= 10) for number in range(12)]
    found = [one.detail["message"] for one in pieces(*seen)]
    assert found == ["m11", "m10", "m09", "m08", "m07", "m06", "m05", "m04"]


def test_messages_of_another_login_are_no_evidence() -> None:
    seen = [sighting("own", 1, "acct"), sighting("of all", 2), sighting("other", 3, "acct.two")]
    assert [one.detail["message"] for one in pieces(*seen)] == ["own", "of all"]


def test_what_is_observed_is_of_the_time_of_its_best_evidence() -> None:
    (one,) = spoken(SHARE)
    assert (one.grade, one.observation.detail["strength"], one.pool_port) == (Grade.ACCEPTED, "accepted", 3333)
    best = [piece for piece in one.evidence if piece.grade is Grade.ACCEPTED]
    assert one.evidence[0].grade is Grade.ACCEPTED
    assert one.evidence[-1].grade < Grade.ACCEPTED
    assert one.observation.time_ns == min(piece.time_ns for piece in best) > one.flow.first_ns


@pytest.mark.parametrize("activity", ["mining", "observer", "probe", "attempt"])
@pytest.mark.parametrize("strength", ["accepted", "unanswered", "quoted", "refused"])
def test_an_attempt_is_a_contact_however_strong_its_evidence(
    activity: Activity, strength: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def given(*arguments: Any) -> Activity:
        asked.append(arguments[2])
        return activity

    monkeypatch.setattr(judge_module, "flow_activity", given)
    monkeypatch.setattr(judge_module, "raised", lambda *_, **__: (Grade.ACCEPTED, strength, ()))
    (one,) = spoken(SHARE)
    assert asked == ["speaks"]
    expected = strength if activity != "attempt" or strength != "accepted" else "refused"
    assert one.observation.detail == {"strength": expected}
    assert one.grade is (Grade.CONTACTED if activity == "attempt" else Grade.ACCEPTED)


def test_a_remark_on_the_session_is_one_more_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    (without,) = spoken(SHARE)
    monkeypatch.setattr(Session, "remark", property(lambda _: "remarkable"))
    (one,) = spoken(SHARE)
    assert [reason for reason in one.reasons if reason != "remarkable"] == list(without.reasons)
    assert (one.reasons.count("remarkable"), one.reasons[2]) == (1, "remarkable")
    assert (one.grade, one.observation.detail) == (without.grade, without.observation.detail)


def test_while_it_is_open_which_dialect_it_is_nothing_is_said_of_what_is_mined() -> None:
    (one,), (sure,) = spoken(JOBS_OF_ANOTHER_FORM), spoken(SHARE)
    assert (one.spoken_as.is_open, sure.spoken_as.is_open) == (True, False)
    assert one.reasons.count(one.spoken_as.reason) == 1
    assert sure.spoken_as.reason not in sure.reasons
    assert (one.flow.trace.state, one.exposure.wait_seconds, one.coin) == (None, UNKNOWN_WAIT, None)
    assert sure.flow.trace.state is not None
    assert (sure.algorithm, sure.job_work is not None, sure.account.work > 0) == ("sha256d", True, True)
    assert (one.algorithm, one.job_work, one.account.work) == (None, None, 0)


def test_one_side_alone_makes_a_reading() -> None:
    both = SHARE.splitlines()
    for side in "CS":
        assert best_reading(heard("\n".join(line for line in both if line.startswith(side))).heard) is not None
    assert best_reading(heard("C GET / HTTP/1.1").heard) is None


def test_who_signed_in_nowhere_is_nobody_from_first_to_last_packet() -> None:
    text = "\n".join(stratum("acct").strip().splitlines()[:2])
    (one,) = spoken(text)
    assert (one.account.login, one.account.shares.submitted) == (None, 0)
    assert (one.account.first_ns, one.account.last_ns) == (one.flow.first_ns, one.flow.last_ns)


@pytest.mark.parametrize(
    ("coin", "algorithm", "basis", "proven", "stays"),
    [
        ("XMR", "rx/0", "proven", "sha256d", True),  # what the login's own shares prove comes first
        ("XMR", "sha256d", "proven", "rx/0", False),
        ("XMR", "rx/0", "stated", "sha256d", False),
        ("XMR", "sha256d", "stated", "rx/0", True),
        ("XMR", "sha256d", "stated", None, True),  # nothing is sure
        ("NOSUCH", "rx/0", "stated", "sha256d", True),  # how it is mined is not known
    ],
)
def test_a_coin_that_is_not_mined_so_is_only_paid(
    coin: str, algorithm: str, basis: AlgorithmBasis, proven: str | None, stays: bool
) -> None:
    (one,) = spoken(cryptonote(BROKEN))
    one.coin, one.algorithm, one.algorithm_basis, one.account.login = coin, algorithm, basis, "account"
    assert _whose(one, heard(cryptonote(BROKEN)).heard.wallets, proven).coin == (coin if stays else None)


def test_a_general_dialect_leaves_the_coin_as_it_is() -> None:
    (one,) = spoken(cryptonote(XMR))
    book = heard(cryptonote(XMR)).heard.wallets
    one.coin, one.algorithm, one.algorithm_basis = "XMR", "sha256d", "proven"
    one.dialect = dataclasses.replace(one.dialect, generic=True)
    assert _whose(one, book, None).coin == "XMR"


def test_where_the_algorithm_is_open_a_wallet_names_no_coin_if_it_has_to_say_which() -> None:
    (one,) = spoken(cryptonote(XMR))
    book = heard(cryptonote(XMR)).heard.wallets
    named = []
    for algorithm, by_algorithm in (("rx/0", True), ("rx/0", False), (None, True), (None, False)):
        one.coin, one.algorithm = None, algorithm
        work = SimpleNamespace(by_algorithm=by_algorithm)
        one.dialect = SimpleNamespace(name="cryptonote", coins=(), generic=False, work=work)
        named.append(_whose(one, book, None).coin)
    assert named == ["XMR", "XMR", None, "XMR"]
