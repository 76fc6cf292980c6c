"""A dialect that no signature describes is found by its course alone, with exact counts; nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sensor.dialects.stream.message import Message
from sensor.dialects.unknown.fields import MAX_ID, MAX_NAME, fields, identity
from sensor.line.examples import dialogue_events
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.naming import is_family
from sensor.session.fallback import MAX_WAITING_BYTES, Fallback
from sensor.session.session import Session
from tests.session.dialogue import events, findings, only, run, shipped, unseen
from tests.session.unknown_table import Row, row

FOLDER = Path(__file__).parent
LOOK_ALIKES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "unknown_look_alikes.yaml").read_text())
OTHERS: list[dict[str, Any]] = yaml.safe_load((FOLDER.parent / "dialects" / "look_alikes.yaml").read_text())
JSON_LINES = [one.name for one in shipped().dialects if one.framing == "json-lines"]
TABLE = FOLDER.parents[1] / "docs" / "signatures.md"

TARGET = "00000000ffff" + "0" * 52
SESSION = """
    C {"id":1,"method":"mining.authorize","params":{"wallet":"sv1qwallet","worker":"shed","password":"hush-hush"}}
    S {"id":1,"result":true,"error":null}
    S {"method":"mining.notify","params":{"task_id":"a7","header":"HEADER","target":"TARGET"}}
    C {"id":2,"method":"mining.submit","params":{"task_id":"a7","nonce":"9a3f5c7d11223344"}}
    S {"id":2,"result":true,"error":null}
    C {"id":3,"method":"mining.submit","params":{"task_id":"a7","nonce":"9a3f5c7d11223345"}}
    S {"id":3,"result":null,"error":[21,"stale",null]}
    C {"id":4,"method":"mining.submit","params":{"task_id":"a7","nonce":"9a3f5c7d11223346"}}
""".replace("HEADER", "ab" * 76).replace("TARGET", TARGET)


def by_dialect(name: str) -> Row:
    return row(next(one for one in shipped().dialects if one.name == name), shipped())


ROWS = {name: by_dialect(name) for name in JSON_LINES}


def named(records: list[Any]) -> list[str | None]:
    return [one.dialect for one in records if isinstance(one, Finding)]


#: What is counted under another login: its shares name the rig, which others call a login.
WRONG = {"xelis": ("shares that name the rig and bring a time",)}


@pytest.mark.parametrize("name", JSON_LINES)
def test_a_dialect_without_its_signature_is_never_counted_wrong(name: str) -> None:
    assert ROWS[name].wrong == WRONG.get(name, ())


def test_four_of_five_dialects_are_found_in_all_of_their_sessions() -> None:
    with_shares = [one for one in ROWS.values() if one.sessions]
    assert sum(one.is_found for one in with_shares) >= 0.8 * len(with_shares)
    assert sum(one.found for one in with_shares) >= 0.8 * sum(one.sessions for one in with_shares)


JOINED = """
    S {"method":"job","params":{"job_id":"41","JOB":"0001f2","pre":"HEADER","share_difficulty":64}}
    C {"id":7,"method":"submit","params":{"job_id":"41","nonce":"9a3f5c7d11223344"}}
    S {"id":7,"result":"ok"}
    C {"id":8,"method":"submit","params":{"job_id":"41","nonce":"9a3f5c7d11223345"}}
    S {"id":8,"error":{"code":23,"message":"low difficulty"}}
""".replace("HEADER", "ab" * 76)


@pytest.mark.parametrize("name", ["merkle_branch", "start_nonce", "prev_block_hash", "previousHash", "coinbase1"])
def test_a_session_joined_in_the_middle_is_found_by_a_job_of_a_block(name: str) -> None:
    (found,) = findings(JOINED.replace("JOB", name), midstream=True)
    assert (found.dialect, found.login) == ("unknown-stratum", None)
    assert (found.shares.submitted, found.shares.accepted, found.shares.rejected) == (2, 1, 1)


def test_a_session_joined_in_the_middle_is_found_by_a_proof_beside_the_nonce() -> None:
    proof = '"nonce":77124,"cycle":{"x":[31,[3,5,9,14,33,47,52,91]]}'
    text = JOINED.replace("JOB", "colour").replace('"nonce":"9a3f5c7d11223344"', proof)
    assert [one.dialect for one in findings(text, midstream=True)] == ["unknown-stratum"]
    assert findings(JOINED.replace("JOB", "colour"), midstream=True) == []


def test_values_that_come_with_their_type_under_a_command() -> None:
    text = """
        C {"command":"MINING_AUTH","user":{"data":"acct","type":"U"},"password":{"data":"hush-hush","type":"P"}}
        S {"command":"MINING_AUTH_SUCCESS"}
        S {"command":"MINING_JOB","job_id":{"data":60,"type":"J"},"previous_block_hash":{"data":"HASH","type":"H"}}
        C {"command":"MINING_SUBMIT","job_id":{"data":60,"type":"J"},"nonce":{"data":1397827843,"type":"N"}}
        S {"command":"MINING_SUBMIT_SUCCESS"}
        C {"command":"MINING_SUBMIT","job_id":{"data":60,"type":"J"},"nonce":{"data":1397827844,"type":"N"}}
        S {"command":"MINING_SUBMIT_FAILURE","reason":{"data":"low","type":"R"}}
    """
    found = only(text.replace("HASH", "ab" * 24))
    assert (found.dialect, found.login) == ("unknown-stratum", "acct")
    assert (found.shares.submitted, found.shares.accepted, found.shares.rejected) == (2, 1, 1)
    assert not any("hush" in piece.excerpt for piece in found.evidence)


def test_a_share_that_names_the_pools_name_for_a_login_is_that_logins() -> None:
    text = """
        C {"id":1,"method":"login","params":{"login":"acct","pass":"x","agent":"odd/1.0"}}
        S {"id":1,"result":{"id":"5818463","algo":"progodd"}}
        S {"method":"mining.notify","params":["2ab0","H1","H2","T",true,3750905,"1b00d2b9"]}
        C {"id":10,"method":"mining.submit","params":["5818463","2ab0","0xfe05ca442f72d781","0xH1","0xH2"]}
        S {"id":10,"error":null,"result":true}
    """
    for name, value in (("H1", "4e55b063" * 8), ("H2", "91b9ab24" * 8), ('"T"', '"00000000ff' + "0" * 54 + '"')):
        text = text.replace(name, value)
    assert [(one.login, one.shares.accepted) for one in findings(text)] == [("acct", 1)]


def test_the_table_of_the_documentation_says_what_is_found() -> None:
    stated = [line for line in TABLE.read_text().splitlines() if line.startswith("| `") and " of " in line]
    assert stated
    for line in stated:
        name = line.split("`")[1]
        assert line == str(ROWS[name]), "python -m tests.session.unknown_table gives the table"


#: Public examples of BIP 173 and EIP-55.
WALLETS = ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0x52908400098527886E0F7030069857D2E4169EE7")


@pytest.mark.parametrize("wallet", WALLETS)
def test_a_wallet_says_where_is_paid_and_not_what_is_mined_in_a_language_nobody_knows(wallet: str) -> None:
    found = only(SESSION.replace("sv1qwallet", wallet))
    assert (found.dialect, found.login, found.coin, found.algorithm) == ("unknown-stratum", wallet, None, None)
    assert found.wallet is not None


def test_what_is_said_of_it() -> None:
    found = only(SESSION)
    assert (found.dialect, found.grade, found.coin, found.algorithm) == ("unknown-stratum", Grade.ACCEPTED, None, None)
    assert (found.login, found.worker, found.miner_ip) == ("sv1qwallet", "shed", "198.51.100.10")
    shares = found.shares
    assert (shares.submitted, shares.accepted, shares.rejected, shares.unanswered) == (3, 1, 1, 1)
    assert found.work_hashes == pytest.approx(2**256 / int(TARGET, 16), rel=1e-4)
    methods = "methods mining.authorize, mining.submit of the miner, mining.notify of the pool"
    assert f"an unknown dialect: {methods}" in found.reasons
    assert is_family(found.dialect), "which dialect it is may become known: that is no correction"


def test_its_evidence_is_what_was_sent_and_has_no_secret() -> None:
    pieces = only(SESSION).evidence
    assert pieces
    for piece in pieces:
        assert "hush" not in piece.excerpt
        assert '"as"' not in piece.excerpt
        assert "***" in piece.excerpt or "password" not in piece.excerpt


def test_a_difficulty_without_a_scale_gives_no_work() -> None:
    text = SESSION.replace(f'"target":"{TARGET}"', '"difficulty":64')
    found = only(text)
    assert found.shares.accepted == 1
    assert found.work_hashes is None


def test_a_target_with_the_last_byte_first_is_read_as_such() -> None:
    target = bytes.fromhex(TARGET)[::-1].hex()
    assert only(SESSION.replace(TARGET, target)).work_hashes == only(SESSION).work_hashes


@pytest.mark.parametrize("zeros", [0, 30])
def test_a_target_that_no_share_can_mean_gives_no_work(zeros: int) -> None:
    target = "0" * zeros + "9" * (64 - zeros)
    assert only(SESSION.replace(TARGET, target)).work_hashes is None


@pytest.mark.parametrize("direction", [0, 1])
def test_one_direction_alone_says_nothing(direction: int) -> None:
    assert "unknown-stratum" not in named(run(unseen(events(SESSION, midstream=True), direction))[0])


def test_roles_may_lie_the_other_way_round() -> None:
    turned = SESSION.replace("    C ", "    X ").replace("    S ", "    C ").replace("    X ", "    S ")
    assert only(turned).miner_ip == "203.0.113.5"


@pytest.mark.parametrize("number", range(5))
def test_without_any_step_of_the_course_nothing_is_said(number: int) -> None:
    lines = [line for line in SESSION.strip().splitlines() if "method" in line or number != 4]
    steps = ("authorize", "notify", "submit")
    left = [line for line in lines if number > 2 or steps[number] not in line]
    if number == 0:
        left = [line.replace("mining.", "mill.") for line in left]  # where verbs are not mining's own
    if number == 3:
        left = [line.replace('"task_id":"a7","nonce"', '"task_id":"b8","nonce"') for line in left]
    assert "unknown-stratum" not in named(run(events("\n".join(left)))[0])


def test_verbs_and_evidence_are_bounded() -> None:
    flood = "\n".join(f'    C {{"id":{n},"method":"mining.x{n}{"y" * 900}","params":[]}}' for n in range(200))
    found = only(SESSION + flood)
    assert max(map(len, found.reasons)) <= 400
    assert found.shares.submitted == 3


def test_a_shipped_dialect_that_counts_the_shares_keeps_the_session() -> None:
    for dialect in shipped().dialects:
        for example in dialect.header.examples:
            records, _ = run(dialogue_events(example.dialogue, proto=example.proto))
            assert "unknown-stratum" not in named(records), (dialect.name, example.name)


def test_an_odd_first_share_does_not_take_a_session_from_its_dialect() -> None:
    share = {"id": 9, "method": "submit", "params": {"id": "ab12", "job_id": "9", "nonce": "0011223344556677"}}
    usual = {**share, "params": {**share["params"], "nonce": "00112233", "result": "52" * 32}}  # type: ignore[dict-item]
    job = {"blob": "19" * 76, "job_id": "9", "target": "bd16f4de18020000"}
    text = [
        'C {"id":1,"method":"login","params":{"login":"acct","pass":"x"}}',
        f"S {json.dumps({'id': 1, 'error': None, 'result': {'id': 'ab12', 'job': job, 'status': 'OK'}})}",
        f"C {json.dumps(share)}",
        'S {"id":9,"error":null,"result":{"status":"OK"}}',
        *[f"C {json.dumps(usual)}", 'S {"id":9,"error":null,"result":{"status":"OK"}}'] * 3,
    ]
    assert [one.dialect for one in findings("\n".join(text))] == ["cryptonote"]


@pytest.mark.parametrize("case", [*LOOK_ALIKES, *OTHERS], ids=lambda one: one["name"])
def test_look_alikes_are_silent(case: dict[str, Any]) -> None:
    assert "unknown-stratum" not in named(run(events(case["said"]))[0])
    rest = "\n".join(case["said"].splitlines()[2:])
    assert "unknown-stratum" not in named(run(events(rest, midstream=True))[0]) if rest.strip() else True


@pytest.mark.parametrize("case", LOOK_ALIKES, ids=lambda one: one["name"])
def test_what_lacks_a_step_gives_nothing_at_all(case: dict[str, Any]) -> None:
    assert [one for one in findings(case["said"]) if one.grade >= Grade.SPEAKS] == []


def test_answers_that_repeat_the_verb_of_a_share_cost_none_of_the_shares() -> None:
    lines = ['C {"id":"0","method":"login","params":{"login":"acct"}}', 'S {"id":"0","method":"login","result":"ok"}']
    for number in range(1, 7):
        job = {"job_id": number, "difficulty": [["a", 2], ["b", 9]], "pre": "ab" * 40}
        share = {"job_id": number, "nonce": 7, "pow": {"B": [1, 2, 3, 4, 5, 6, 7, 8]}}
        lines.append(f"S {json.dumps({'id': 'x', 'method': 'job', 'params': job})}")
        lines.append(f"C {json.dumps({'id': str(number), 'method': 'submit', 'params': share})}")
        lines.append(f"S {json.dumps({'id': str(number), 'method': 'submit', 'result': 'ok'})}")
    found = only("\n".join(lines))
    assert (found.dialect, found.shares.submitted, found.shares.accepted) == ("unknown-stratum", 6, 6)


def test_methods_beside_the_course_are_named_too() -> None:
    found = only('C {"id":0,"method":"sieve.tune","params":[]}\n' + SESSION.strip())
    assert any("methods sieve.tune, mining.authorize" in reason for reason in found.reasons)


def test_what_waits_for_a_share_is_bounded_in_bytes_and_the_login_stays() -> None:
    fallback, session, offset = Fallback(), Session(shipped()), 0
    login = {"id": 1, "method": "xyz.login", "params": {"login": "acct"}}
    for number in range(40):
        value: dict[str, object] = login if not number else {"method": "xyz.job", "params": {"blob": "a" * 60_000}}
        size = len(json.dumps(value))
        fallback.receive(Message(number % 2, number, offset, value, end=offset + size), session)
        offset += size
    waiting = fallback._waiting
    assert waiting[0].value is login
    assert 60_000 < sum(len(json.dumps(read.value)) for read in waiting) <= MAX_WAITING_BYTES


def test_names_and_ids_of_jobs_are_bounded_in_bytes() -> None:
    (field,) = fields({"j" * 50_000 + "id": "7" * 50_000})
    name, value = identity(field)
    assert len(name) <= MAX_NAME
    assert len(value) <= MAX_ID
