"""What one flow contributes: whose ends can be hosts', which logins were heard, which coin is named, and whose session
it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sensor.line.judge import _is_heard, _named_coin, _whose, judge
from sensor.line.open_flow import OpenFlow
from sensor.model.events import Chunk, Open
from sensor.model.finding import Activity
from sensor.model.naming import AlgorithmBasis
from sensor.session.account import Account
from sensor.session.jobs import KnownAlgorithm
from sensor.session.verify import Sampling
from tests.session.dialogue import events, shipped
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
