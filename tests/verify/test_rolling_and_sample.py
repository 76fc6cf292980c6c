"""Version rolling, the bounds of the sample, and what happens when something was not seen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.daemon.configuration import load
from sensor.line.pipeline import Pipeline
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.time import SECOND_NS
from sensor.session.account import Account
from sensor.session.verify import ClaimedResults, HeaderShares, Sampling, SubmittedShare
from sensor.session.verify.headers import MAX_JOB_BYTES, MAX_JOBS
from sensor.session.verify.rebuild import header_job, share_header
from sensor.session.verify.sampling import Turn
from tests.session.dialogue import shipped
from tests.verify.at_their_time import events, findings, only
from tests.verify.blocks import BITCOIN_100000, SHA256D, SLUSH, Told, told

BDIFF = 2**80 // 65535
SLUSH_NS = int(SLUSH.ntime, 16) * SECOND_NS


def rolled(job_version: str, bits: str) -> Told:
    """Block 100000 of version 1, told as a job of another version whose rolled bits give 1 again."""
    return replace(told(BITCOIN_100000), version=job_version, version_bits=bits)


def test_rolled_bits_replace_those_under_the_mask() -> None:
    assert only(rolled("1fffe001", "00000000").dialogue(mask="1fffe000")).grade == Grade.VERIFIED
    assert only(rolled("00002001", "00000000").dialogue(mask="00006000")).grade == Grade.VERIFIED
    assert only(rolled("00000001", "00002000").dialogue(mask="1fffe000")).grade == Grade.ACCEPTED


def test_bits_outside_the_mask_are_not_rolled() -> None:
    assert only(rolled("00000000", "00000001").dialogue(mask="1fffe000")).grade == Grade.ACCEPTED
    assert only(rolled("1fffe001", "00000000").dialogue(mask="00006000")).grade == Grade.ACCEPTED


def test_without_a_mask_seen_the_usual_one_holds() -> None:
    assert only(rolled("1fffe001", "00000000").dialogue()).grade == Grade.VERIFIED


def test_a_mask_may_change() -> None:
    text = rolled("1fffe001", "00000000").dialogue(mask="00006000")
    job = text.index('S {"id": null, "method": "mining.notify"')
    change = 'S {"id":null,"method":"mining.set_version_mask","params":["1fffe000"]}\n'
    assert only(text[:job] + change + text[job:]).grade == Grade.VERIFIED


@pytest.mark.parametrize("lost", ["mining.set_difficulty", "mining.notify", '"s"]]'])
def test_what_was_not_seen_is_not_verified(lost: str) -> None:
    lines = [line for line in told(SHA256D[3]).dialogue().splitlines() if lost not in line]
    found = only("\n".join(lines), midstream=True)
    if (
        lost == "mining.set_difficulty"
    ):  # seen from its start without a gap, difficulty 1 holds, and the block meets that
        assert found.shares.verified == 1
        return
    assert (found.grade, found.shares.verified) == (Grade.ACCEPTED, 0)


def test_a_resubmitted_share_is_counted_once() -> None:
    text = SLUSH.dialogue()
    again = [line for line in text.splitlines() if "share j1" in line]
    found = only("\n".join([text, *again * 5]))
    assert (found.shares.submitted, found.shares.verified) == (6, 1)


def test_a_refused_share_still_proves_work() -> None:
    text = SLUSH.dialogue().rsplit("\n", 1)[0] + '\nS {"id":"share j1","result":null,"error":[21,"stale",null]}'
    found = only(text)
    assert (found.grade, found.shares.rejected, found.shares.verified) == (Grade.VERIFIED, 1, 1)


def test_the_sample_is_the_first_then_one_in_so_many_and_never_more() -> None:
    turn = Turn(Sampling(first=3, every=64, most=8))
    taken = []
    for number in range(1, 2_000):
        if turn.due():
            turn.take()
            taken.append(number)
    assert taken == [1, 2, 3, 64, 128, 192, 256, 320]


def test_a_turn_that_could_not_be_used_is_used_later() -> None:
    turn = Turn(Sampling(first=1, every=10, most=9))
    assert [turn.due() for _ in range(9)] == [True] * 9
    turn.take()
    assert not turn.due() or turn.seen == 10


def job_parts(one: Told) -> dict[str, object]:
    return {**{name: getattr(one, name) for name in Told.__dataclass_fields__}, "branches": list(one.branches)}


def test_hashing_is_bounded_however_many_shares_come(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(
        "sensor.session.verify.headers.scrypt_header", lambda header: calls.append(header) or b"\xff" * 32
    )
    shares = HeaderShares(Sampling())
    shares.learn({"extranonce1": SLUSH.extranonce1})
    shares.job("j", job_parts(SLUSH), {"difficulty": 1 << 200})
    account = Account(None, 0, 0)
    for number in range(20_000):
        parts = {**job_parts(SLUSH), "nonce": f"{number:08x}"}
        if shares.due("j"):
            shares.share(
                SubmittedShare("j", parts, account.shares, None, SLUSH_NS), None, lambda _values, _algorithm: BDIFF
            )
    assert shares.checked == 32
    assert len(calls) == 3
    assert account.shares.verified == 0


def test_jobs_kept_are_few_and_small() -> None:
    shares = HeaderShares(Sampling())
    shares.learn({"extranonce1": "00" * 4})
    for number in range(100):
        shares.job(str(number), {**job_parts(SLUSH), "coinb2": "00" * (100 * number + 1)}, {})
        assert 0 < len(shares._jobs) <= MAX_JOBS
        assert sum(job.size for _, job, _ in shares._jobs[:-1]) <= MAX_JOB_BYTES


def test_random_headers_are_never_called_verified() -> None:
    """Difficulty so low that chance meets it half of the time: passes are many, proof is none."""
    shares = HeaderShares(Sampling(first=3, every=1, most=3_000, scrypt_most=0))
    shares.learn({"extranonce1": SLUSH.extranonce1})
    shares.job("j", job_parts(SLUSH), {"difficulty": 1})
    account = Account(None, 0, 0)
    for number in range(3_000):
        parts = {**job_parts(SLUSH), "nonce": hashlib.sha256(str(number).encode()).hexdigest()[:8]}
        assert shares.due("j")
        shares.share(
            SubmittedShare("j", parts, account.shares, None, SLUSH_NS), "x11", lambda _values, _algorithm: 2 << 32
        )
    assert shares.checked == 3_000
    assert (shares.proven, account.shares.verified) == (None, 0)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=80)
    | st.from_regex(r"[0-9a-f]{0,80}", fullmatch=True),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(Told.__dataclass_fields__)), JSON), JSON)
def test_malformed_parts_never_raise(parts: dict[str, object], extranonce1: object) -> None:
    good = job_parts(SLUSH)
    for mixed in (parts, {**good, **parts}):
        job = header_job(mixed, extranonce1)
        assert job is None or isinstance(share_header(job, mixed, 0x1FFFE000), bytes | None)
    kept = header_job(good, SLUSH.extranonce1)
    assert kept is not None
    assert isinstance(share_header(kept, {**good, **parts}, 0), bytes | None)


@settings(max_examples=60)
@given(
    st.sampled_from(["mining.submit", "mining.notify", "mining.set_extranonce", "mining.set_version_mask"]),
    st.lists(JSON, max_size=10),
)
def test_malformed_messages_never_raise(method: str, params: list[object]) -> None:
    wrong = {"id": 4, "method": method, "params": params}
    line = f"{'C' if method == 'mining.submit' else 'S'} {json.dumps(wrong)}"
    text = SLUSH.dialogue().splitlines()
    findings("\n".join([*text[:4], line, *text[4:], line]))


def test_the_sample_can_be_configured() -> None:
    for most, verified in ((0, 0), (1, 1)):
        pipeline = Pipeline(shipped(), sampling=Sampling(most=most))
        pipeline.step(events(SLUSH.dialogue()))
        (found,) = pipeline.finish()
        assert isinstance(found, Finding)
        assert found.shares.verified == verified
    settings = load(None, ["verify.most=5", "verify.every=10"]).verify.model_dump()
    assert Sampling(**settings) == Sampling(first=3, every=10, most=5, scrypt_most=8)
    assert Sampling(**load().verify.model_dump()) == Sampling()


def test_a_claimed_result_is_compared_and_called_a_claim() -> None:
    claims = ClaimedResults(Sampling())
    account = Account(None, 0, 0)
    work = 10_000 << 32
    edge = (1 << 64) // 10_000
    for upper, below in ((edge - 1, True), (edge + 1, False)):
        result = (b"\xff" * 24 + upper.to_bytes(8, "little")).hex()
        assert claims.due("j")
        look = claims.share(
            SubmittedShare("j", {"result": result}, account.shares, work, 0), None, lambda _values, _algorithm: None
        )
        assert look is not None
        assert (look.proof, "is below" in look.remark) == (False, below)
    assert account.shares.verified == 0


def test_a_claim_stands_in_the_evidence_and_is_no_grade() -> None:
    blob = "10" * 76
    result = "ff" * 24 + "0000000000000000"
    found = only(
        f"""
        C {{"id":1,"method":"login","params":{{"login":"acct","pass":"x","agent":"XMRig/6.22.2"}}}}
        S {{"id":1,"error":null,"result":{{"id":"a","job":{{"blob":"{blob}","job_id":"7",\
"target":"b88d0600"}},"status":"OK"}}}}
        C {{"id":2,"method":"submit","params":{{"id":"a","job_id":"7","nonce":"a4070021","result":"{result}"}}}}
        S {{"id":2,"error":null,"result":{{"status":"OK"}}}}
        """
    )
    assert (found.grade, found.shares.verified) == (Grade.ACCEPTED, 0)
    assert "claimed: its result is below the target" in [piece.detail.get("proof") for piece in found.evidence]
