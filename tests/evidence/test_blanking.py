"""Nothing that could be a secret is written, whatever the bytes; what is understood stays as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.dialects.excerpt import SECRET_KEYS
from sensor.evidence.blanking import blanked
from tests.session.dialogue import shipped

CANARY = "hunter2"


def clean(text: str, from_start: bool = True) -> str:
    return blanked(text.encode(), shipped(), from_start=from_start).decode("latin-1")


@pytest.mark.parametrize(
    "line",
    [
        '{"id":1,"method":"mining.authorize","params":["wallet.rig","hunter2"]}',
        '{"id":1,"method":"mining.authorize","params":["wallet.rig",{"deep":["hunter2"]},"hunter2","more hunter2"]}',
        '{"id":1,"method":"some.new.login","params":["wallet.rig","hunter2"]}',
        '{"id":1,"method":"login","params":{"login":"wallet","pass":"hunter2","agent":"xmrig"}}',
        '{"id":1,"method":"login","params":{"login":"wallet","PassWord":["hunter2"],"agent":"xmrig"}}',
        '{"id":1,"method":"login","params":{"login":"wallet","p\\u0061ss":"hunter2","agent":"xmrig"}}',
        '{"id":1,"method":"login","params":{"pass":"hunter2","pass":"x"}}',
        '{"a":{"b":{"secret":"hunter2"}}}',
        '{"id":1,"method":"eth_submitLogin","params":["0xabc","hunter2"]}',
        '{"id":1,"method":"mining.authorize","params":["wallet.rig","hunter2',
        "POST / HTTP/1.1\r\nAuthorization: Basic hunter2\r\n\r\n",
        'GET /?pass=hunter2 HTTP/1.1\r\n\r\n{"id":0}',
        "hunter2",
        'x {"method":"login","params":{"agent":"hunter2"}}',
        '{"method":"hunter2"} trailing hunter2'.replace('"hunter2"', '"ok"'),
        '{"id":1,"method":"mining.authorize","params":["wallet.rig:hunter2","x"]}',
        '{"id":1,"method":"mining.submit","params":["wall\\u0065t:hunter2","1f","00000000","5f5e1000","deadbeef"]}',
        '{"id":1,"method":"mining.subscribe","params":["miner (http://user:hunter2@pool.example/)"]}',
        '{"id":1,"result":false,"error":[24,"hunter2 is not the user of wallet",null]}',
        '{"id":1,"result":null,"error":{"code":-1,"message":"bad hunter2"}}',
        '{"method":"client.show_message","params":["your password hunter2 is wrong"]}',
        '{"a":' * 2_000 + '"hunter2"' + "}" * 2_000,
    ],
)
def test_a_secret_is_blanked_at_its_length(line: str) -> None:
    text = f"{line}\n"
    written = clean(text)
    assert CANARY not in written
    assert len(written) == len(text)


def test_what_is_understood_is_kept_to_the_byte() -> None:
    lines = [
        '{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.11.1"]}',
        '{"id":null,"method":"mining.notify","params":["1f","aa","bb","cc",[],"20000000","1d00ffff","5f5e1000",true]}',
        '{"id":4,"method":"mining.submit","params":["wallet.rig","1f","00000000","5f5e1000","deadbeef"]}',
        '{"id":4,"result":true,"error":null}',
    ]
    text = "\r\n".join(lines) + "\n"
    assert clean(text) == text
    assert clean("rest of a line\n" + text, from_start=False) == "*" * 14 + "\n" + text
    assert clean('{"id":1}\n', from_start=False) == "********\n"


def test_of_a_login_with_a_password_only_the_password_is_blanked() -> None:
    line = '{"id":4,"method":"mining.submit","params":["wallet.rig:hunter2","1f","00000000","5f5e1000","deadbeef"]}\n'
    assert clean(line) == line.replace("hunter2", "*******")


def test_a_login_keeps_its_name_and_its_form() -> None:
    written = clean('{"id":1,"method":"mining.authorize","params":["wallet.rig","hunter2"]}\n')
    assert json.loads(written)["params"] == ["wallet.rig", "*******"]


def test_a_secret_that_is_a_number_blanks_its_whole_message() -> None:
    assert set(clean('{"id":1,"method":"mining.authorize","params":["wallet.rig",123456]}\n')) == {"*", "\n"}


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_blanked_at_their_length(data: bytes, from_start: bool) -> None:
    assert len(blanked(data, shipped(), from_start=from_start)) == len(data)


@given(
    st.recursive(
        st.just(CANARY) | st.integers() | st.none(),
        lambda one: st.lists(one) | st.dictionaries(st.text(max_size=3), one),
        max_leaves=8,
    )
)
def test_no_value_under_a_secrets_name_survives(value: object) -> None:
    for name in sorted(SECRET_KEYS):
        assert CANARY not in clean(json.dumps({"method": "x", "params": [{name: value}]}) + "\n")


@given(st.integers(0, 90), st.integers(0, 90))
def test_wherever_the_stream_is_cut_no_piece_of_the_secret_is_written(low: int, high: int) -> None:
    text = '{"id":1,"method":"mining.authorize","params":["wallet.rig","SECRETSECRET"]}\n'
    written = clean(text[min(low, high) : max(low, high)], from_start=low == 0)
    assert "SEC" not in written
    assert "RET" not in written
