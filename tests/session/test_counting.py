"""Counting shares: which reply belongs to which share, which difficulty to which job, which login to which share."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.model.events import Chunk, Open
from sensor.model.evidence import Grade
from sensor.session.account import MAX_WORKERS
from sensor.session.logins import MAX_ACCOUNTS
from sensor.session.pending_requests import MAX_AHEAD, MAX_PENDING, MAX_UNHEARD
from tests.session.dialogue import events, findings, only, run, unseen

HASH = "2c72441c7af80e1c6e75c59f68518e6bb1cfc7e71387b019a2eaf6078ce0d6cc"
BDIFF = 2**48 / 65535


def v1_submit(number: object, job: str = "a", login: str = "u.w", side: str = "C") -> str:
    share = {
        "id": number,
        "method": "mining.submit",
        "params": [login, job, "00000001", "689c3007", "0a1b2c3d", "00c36000"],
    }
    return f"{side} {json.dumps(share)}\n"


def v1_job(name: str) -> str:
    job = [name, HASH, "01", "02", [], "20000000", "1a0ffff0", "689c3000", True]
    return f"S {json.dumps({'id': None, 'method': 'mining.notify', 'params': job})}\n"


def difficulty(value: float) -> str:
    return f'S {{"id":null,"method":"mining.set_difficulty","params":[{value}]}}\n'


def reply(number: object, result: object, error: object = None) -> str:
    return f"S {json.dumps({'id': number, 'result': result, 'error': error})}\n"


def eth_submit(number: object) -> str:
    return (
        f'C {{"id":{json.dumps(number)},"method":"eth_submitWork","params":["0x9a3f5c7d11223344",'
        f'"0x{HASH}","0x{HASH}"]}}\n'
    )


def counts(text: str) -> tuple[int, int, int, int]:
    shares = only(text).shares
    assert shares.submitted == shares.accepted + shares.rejected + shares.unanswered
    return shares.submitted, shares.accepted, shares.rejected, shares.unanswered


def test_the_same_id_for_every_share_is_paired_in_order() -> None:
    text = (
        "".join(v1_submit(4) for _ in range(3))
        + reply(4, True)
        + reply(4, None, [23, "Low difficulty share", None])
        + reply(4, True)
    )
    assert counts(text) == (3, 2, 1, 0)


def test_ids_of_text_null_zero_and_none_at_all() -> None:
    assert counts(v1_submit("s-1") + reply("s-1", True)) == (1, 1, 0, 0)
    assert counts(v1_submit(None) + reply(None, True)) == (1, 1, 0, 0)
    assert counts(v1_submit(7) + reply("7", True)) == (1, 1, 0, 0)
    assert counts(eth_submit(4) + reply(0, True)) == (1, 1, 0, 0)
    assert counts(eth_submit(4) + 'S {"result":false}\n') == (1, 0, 1, 0)
    assert counts(v1_submit([1]) + reply({"a": 1}, True)) == (1, 1, 0, 0)


def test_a_report_without_answer_does_not_swallow_a_share() -> None:
    report = f'C {{"id":4,"method":"eth_submitHashrate","params":["0x1c9c380","0x{HASH}"]}}\n'
    found = only(report + report + eth_submit(4) + reply(4, True))
    assert (found.shares.submitted, found.shares.accepted) == (1, 1)
    assert found.claimed_hashrate_hps == 30_000_000


def test_a_subscription_without_answer_does_not_swallow_a_share() -> None:
    text = 'C {"id":1,"method":"mining.subscribe","params":["whatsminer/v1.1.0"]}\n' + v1_submit(1) + reply(1, True)
    assert counts(text) == (1, 1, 0, 0)


def test_a_reply_goes_to_the_login_before_the_share() -> None:
    text = 'C {"id":2,"method":"eth_submitLogin","params":["0xabc","x"]}\n' + eth_submit(4) + reply(0, True)
    assert counts(text) == (1, 0, 0, 1)
    assert counts(text + reply(0, False)) == (1, 0, 1, 0)


def test_a_reply_never_meets_a_later_request() -> None:
    assert counts(reply(4, True) + v1_submit(4)) == (1, 0, 0, 1)


def test_replies_to_the_pools_own_questions_are_not_replies_to_shares() -> None:
    text = (
        v1_submit(4)
        + 'S {"id":4,"method":"client.get_version","params":[]}\nC {"id":4,"result":"whatsminer/v1.1.0","error":null}\n'
        + reply(4, True)
    )
    assert counts(text) == (1, 1, 0, 0)


def test_pushed_work_with_id_zero_is_no_reply() -> None:
    work = (
        f'S {{"id":0,"result":["0x{HASH}","0x{HASH}",'
        f'"0x0112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba"]}}\n'
    )
    found = only(eth_submit(0) + work + work + reply(0, True))
    assert (found.shares.accepted, found.shares.unanswered, found.jobs) == (1, 0, 2)


def test_status_other_than_ok_is_a_refusal() -> None:
    share = f'C {{"id":4,"method":"submit","params":{{"id":"q","job_id":"1","nonce":"00112233","result":"{HASH}"}}}}\n'
    assert counts(share + 'S {"id":4,"result":{"status":"OK"},"error":null}\n') == (1, 1, 0, 0)
    assert counts(share + 'S {"id":4,"result":{"status":"STALE"},"error":null}\n') == (1, 0, 1, 0)
    assert counts(share + 'S {"id":4,"result":null,"error":null}\n') == (1, 0, 0, 1)


def test_the_difficulty_of_a_share_is_that_of_its_job() -> None:
    text = (
        difficulty(1000)
        + v1_job("a")
        + difficulty(3000)
        + v1_submit(1)
        + reply(1, True)
        + v1_job("b")
        + v1_submit(2, "b")
        + reply(2, True)
    )
    found = only(text)
    assert found.work_hashes is not None
    assert abs(found.work_hashes - 4000 * BDIFF) < 1
    assert found.hashes_per_share is not None
    assert abs(found.hashes_per_share - 3000 * BDIFF) < 1


def test_without_a_difficulty_no_work_is_invented() -> None:
    found = only(v1_job("a") + v1_submit(1) + reply(1, True))
    assert (found.hashes_per_share, found.work_hashes) == (None, None)
    assert any("difficulty of 1 accepted shares was not seen" in one for one in found.reasons)


def test_rejected_shares_are_no_work() -> None:
    assert only(difficulty(8) + v1_job("a") + v1_submit(1) + reply(1, False)).work_hashes == 0


def test_absurd_difficulties_are_not_used() -> None:
    for value in ("-5", "0", "1e400", "1" + "0" * 400, '"x"', "true", "null", "[]"):
        line = f'S {{"id":null,"method":"mining.set_difficulty","params":[{value}]}}\n'
        found = only(line + v1_job("a") + v1_submit(1) + reply(1, True))
        assert found.hashes_per_share is None, value


def test_two_logins_on_one_connection_are_two_findings() -> None:
    text = (
        'C {"id":1,"method":"mining.authorize","params":["one.a","x"]}\n'
        'C {"id":2,"method":"mining.authorize","params":["two.b","x"]}\n'
        + reply(1, True)
        + reply(2, True)
        + v1_submit(3, login="one.a")
        + v1_submit(4, login="two.b")
        + reply(4, True)
        + reply(3, False)
    )
    found = {one.login: (one.shares.accepted, one.shares.rejected, one.worker) for one in findings(text)}
    assert found == {"one.a": (0, 1, "a"), "two.b": (1, 0, "b")}


def test_the_miner_may_be_the_one_who_was_connected_to() -> None:
    found = only(v1_submit(1, side="S") + 'C {"id":1,"result":true,"error":null}\n')
    assert (found.miner_ip, found.pool_ip, found.pool_port) == ("203.0.113.5", "198.51.100.10", 40_001)


def test_seen_from_one_side_two_kinds_of_message_are_needed() -> None:
    both = v1_submit(1) + 'C {"id":9,"method":"mining.authorize","params":["u.w","x"]}\n'
    for text, grade in ((both, Grade.SPEAKS), (v1_submit(1), Grade.BEHAVES)):
        records, _ = run(unseen(events(text, midstream=True), 1))
        assert [one.grade for one in records if hasattr(one, "grade")] == [grade]


def test_passwords_are_nowhere_in_what_leaves() -> None:
    secret = "hunter2-very-secret"
    texts = [
        f'C {{"id":1,"method":"mining.authorize","params":["a.b","{secret}"]}}\n' + reply(1, True),
        f'C {{"id":1,"method":"mining.authorize","params":["a.b","c=LTC,{secret}","{secret}"]}}\n' + reply(1, True),
        f'C {{"id":1,"method":"eth_submitLogin","params":["0xabc","{secret}"]}}\n' + reply(1, True),
        f'C {{"id":1,"method":"login","params":{{"login":"a","pass":"{secret}","agent":"XMRig/6"}}}}\n'
        + reply(1, None, {"code": -1}),
    ]
    for text in texts:
        records, _ = run(events(text))
        assert records
        assert secret not in repr(records)


def test_everything_a_session_keeps_is_bounded() -> None:
    many = "".join(v1_submit(n, login=f"acct.rig{n}") for n in range(MAX_PENDING + 50))
    for bound, packets in ((MAX_AHEAD, (1, 1)), (MAX_UNHEARD, (1, 0))):
        opened, *others = events(many)
        assert isinstance(opened, Open)
        records, counters = run([opened._replace(packets=packets), *others])
        assert len(records) == MAX_ACCOUNTS
        assert counters["requests_dropped"] == MAX_PENDING + 50 - bound
    assert counters["readings_dropped"] > 0
    workers = "".join(eth_submit(n)[:-2] + f',"worker":"r{n:04d}"}}\n' for n in range(MAX_WORKERS + 40))
    found = only(workers)
    assert len(found.workers) == MAX_WORKERS
    assert found.shares.submitted == MAX_WORKERS + 40
    assert len(found.evidence) <= 8


def test_requests_sent_ahead_of_all_answers_are_paired() -> None:
    asked = 'C {"id":1,"method":"mining.subscribe","params":["cgminer/4.11"]}\n'
    asked += 'C {"id":2,"method":"mining.authorize","params":["u.w","x"]}\n'
    shares = "".join(v1_submit(number, login="u.w") for number in range(3, 43))
    answered = reply(1, [[], "ab", 4]) + v1_job("j") + reply(2, True)
    answers = "".join(reply(number, number % 8 != 0) for number in range(3, 43))
    found = only(asked + shares + answered + answers)
    assert (found.shares.submitted, found.shares.accepted, found.shares.rejected) == (40, 35, 5)


STEPS = st.lists(
    st.one_of(
        st.builds(
            v1_submit,
            st.sampled_from([1, 2, 4, None, "x", 0]),
            st.sampled_from(["a", "b"]),
            st.sampled_from(["u.w", "v"]),
        ),
        st.builds(reply, st.sampled_from([1, 2, 4, None, "x", 0]), st.sampled_from([True, False, None, "ok", []])),
        st.builds(difficulty, st.floats(0.001, 1e9)),
        st.builds(v1_job, st.sampled_from(["a", "b"])),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_shares_always_add_up(steps: list[str]) -> None:
    found = findings("".join(steps)) if steps else []
    sent = sum("mining.submit" in step for step in steps)
    for one in found:
        shares = one.shares
        assert shares.submitted == shares.accepted + shares.rejected + shares.unanswered
        assert min(shares.accepted, shares.rejected, shares.unanswered) >= 0
    assert sum(one.shares.submitted for one in found) == sent
    assert sum(one.shares.accepted + one.shares.rejected for one in found) <= sum('"result"' in step for step in steps)


def test_difficulty_one_is_assumed_only_where_nothing_was_lost() -> None:
    opening = 'C {"id":1,"method":"mining.subscribe","params":["whatsminer/v1.1.0"]}\n'
    share = v1_job("a") + v1_submit(5) + reply(5, True)
    assert only(opening + share).work_hashes == BDIFF
    stream = events(opening + share)
    holed = [one._replace(gap=9) if isinstance(one, Chunk) and one.direction == 1 else one for one in stream]
    (found,), counters = run(holed)
    assert getattr(found, "work_hashes", 0) is None
    assert counters["malformed_gap"] == 2
