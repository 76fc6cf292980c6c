"""Blocks and shares that anyone can look up verify when told as sessions; with one bit changed anywhere they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sensor.line.examples import EPOCH_NS
from sensor.line.pipeline import Pipeline
from sensor.model.events import Event
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.session.verify.headers import scrypt_header
from sensor.session.verify.rebuild import header_job, sha256d, share_header
from tests.session.dialogue import events, shipped
from tests.verify.at_their_time import only, shifted
from tests.verify.blocks import SCRYPT, SHA256D, SLUSH, Block, Told, flipped, told

LABELS = [block.name for block in SHA256D]


def header(one: Told) -> bytes:
    parts = {name: getattr(one, name) for name in Told.__dataclass_fields__}
    job = header_job({**parts, "branches": list(one.branches)}, one.extranonce1)
    assert job is not None
    made = share_header(job, parts, 0x1FFFE000)
    assert made is not None
    return made


def scrypt_session(one: Told, other: Told, login: str = "acct.rig") -> Finding:
    return only(one.dialogue(login=login) + "\n" + other.dialogue(job="j2", first=False, login=login))


@pytest.mark.parametrize("block", [*SHA256D, *SCRYPT], ids=lambda block: block.name)
def test_the_rebuilt_header_has_the_published_hash(block: Block) -> None:
    assert sha256d(header(told(block)))[::-1].hex() == block.published_hash


def test_hashes_lie_where_their_proof_of_work_puts_them() -> None:
    assert sha256d(header(SLUSH))[::-1].hex() == "000000002076870fe65a2b6eeed84fa892c0db924f1482243a6247d931dcab32"
    assert (
        scrypt_header(header(told(SCRYPT[0])))[::-1].hex()
        == "0000050c34a64b415b6b15b37f2216634b5b1669cb9a2e38d76f7213b0671e00"
    )


@pytest.mark.parametrize("one", [*map(told, SHA256D), SLUSH], ids=[*LABELS, "slush"])
def test_a_published_block_or_share_verifies(one: Told) -> None:
    found = only(one.dialogue())
    assert (found.grade, found.shares.verified, found.shares.accepted) == (Grade.VERIFIED, 1, 1)
    assert found.algorithm == "sha256d"
    assert found.reasons[-1] == "the work of 1 share was recomputed: sha256d hashes below the target"
    best = found.evidence[0]
    assert (best.grade, best.direction) == (Grade.VERIFIED, "miner")
    assert str(best.detail["proof"]).startswith("recomputed: its sha256d hash 00000000")


FIELDS = ("extranonce1", "extranonce2", "coinb1", "coinb2", "prevhash", "version", "nbits", "ntime", "nonce")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("one", [*map(told, SHA256D), SLUSH], ids=[*LABELS, "slush"])
def test_one_bit_changed_does_not(one: Told, field: str) -> None:
    text = getattr(one, field)
    for bit in {0, 13, 4 * len(text) - 1}:
        wrong = replace(one, **{field: flipped(text, bit)})
        found = only(wrong.dialogue())
        assert (found.grade, found.shares.verified) == (Grade.ACCEPTED, 0), (field, bit)


@pytest.mark.parametrize("block", [block for block in SHA256D if block.others], ids=lambda block: block.name)
def test_one_bit_of_a_branch_changed_does_not(block: Block) -> None:
    one = told(block)
    for number in range(len(one.branches)):
        wrong = [flipped(text, 77) if at == number else text for at, text in enumerate(one.branches)]
        assert only(replace(one, branches=tuple(wrong)).dialogue()).shares.verified == 0


def test_a_difficulty_above_the_hash_does_not() -> None:
    for block, met in ((SHA256D[3], 17_500), (SHA256D[0], 2_536)):
        assert only(replace(told(block), difficulty=met).dialogue()).shares.verified == 1
        assert only(replace(told(block), difficulty=met * 1.01).dialogue()).shares.verified == 0


def test_scrypt_needs_more_than_one_easy_share() -> None:
    litecoin, dogecoin = map(told, SCRYPT)
    assert only(litecoin.dialogue()).shares.verified == 0
    found = scrypt_session(litecoin, dogecoin)
    assert (found.grade, found.shares.verified, found.algorithm) == (Grade.VERIFIED, 2, "scrypt")
    assert found.reasons[-1] == "the work of 2 shares was recomputed: scrypt hashes below the target"


@pytest.mark.parametrize("field", FIELDS)
def test_one_bit_changed_of_a_scrypt_share_does_not(field: str) -> None:
    litecoin, dogecoin = map(told, SCRYPT)
    wrong = replace(litecoin, **{field: flipped(getattr(litecoin, field), 9)})
    assert scrypt_session(wrong, dogecoin).shares.verified == 0


def test_a_proven_algorithm_sets_the_scale_of_the_work() -> None:
    litecoin, dogecoin = map(told, SCRYPT)
    found = scrypt_session(
        litecoin, dogecoin
    )  # the login names no coin: until then difficulty was read as that of SHA-256d
    assert found.work_hashes == pytest.approx((32 + 64) * 65536, rel=2e-5)
    assert found.hashes_per_share == pytest.approx(64 * 65536, rel=2e-5)
    known = scrypt_session(litecoin, dogecoin, login="LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk.w1")
    assert (known.work_hashes, known.hashes_per_share) == (found.work_hashes, found.hashes_per_share)


def test_the_estimate_is_on_the_proven_scale() -> None:
    """The same two shares, minutes apart, from an account without a coin and from a wallet that names one."""
    litecoin, dogecoin = map(told, SCRYPT)
    rates = []
    for login in ("acct.rig", "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk.w1"):
        text = litecoin.dialogue(login=login) + "\n" + dogecoin.dialogue(job="j2", first=False, login=login)
        pipeline = Pipeline(shipped())
        pipeline.step(shifted([slow(event) for event in events(text)]))
        (found,) = pipeline.finish()
        assert isinstance(found, Finding)
        assert found.hashrate_hps is not None
        rates.append(found.hashrate_hps)
    assert rates[0] == rates[1]
    assert rates[0].best < 1_000_000


def slow(event: Event) -> Event:
    """The event as if everything had taken 100,000 times as long."""
    times = {
        name: EPOCH_NS + (getattr(event, name) - EPOCH_NS) * 100_000
        for name in ("ts_ns", "first_ns", "last_ns")
        if hasattr(event, name)
    }
    return event._replace(**times)


def test_the_wallet_that_is_paid_does_not_hide_what_the_shares_prove() -> None:
    litecoin, dogecoin = map(told, SCRYPT)
    found = scrypt_session(litecoin, dogecoin, login="XrFWrzgA7cUnuKv8yQfeeJhJQ3HmWWCf9S.w")
    assert (found.shares.verified, found.algorithm) == (2, "scrypt")
