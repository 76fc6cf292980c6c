"""HTTP as miners and pools speak it, and as ordinary web traffic does: messages where there are any, else silence."""

from __future__ import annotations

import gzip
import json

import pytest

from sensor.dialects.readers.http import Http
from sensor.dialects.readers.http_body import MAX_BODY_BYTES
from sensor.dialects.readers.http_exchange import Exchange
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.line.examples import dialogue_events
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import run

WORK = {"result": {"data": "ab" * 128, "target": "00" * 26 + "ffff" + "00" * 4}, "error": None, "id": 1}
GETWORK = b'{"method": "getwork", "params": [], "id":1}'


def request(body: bytes, *headers: str, path: str = "/", length: bool = True) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: pool.example.test",
        *headers,
        *([f"Content-Length: {len(body)}"] if length else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body


def talk(*pieces: tuple[int, bytes]) -> list[Read]:
    exchange = Exchange()
    readers = (Http(0, exchange), Http(1, exchange))
    offsets = [0, 0]
    found: list[Read] = []
    for side, data in pieces:
        found.extend(readers[side].feed(7, offsets[side], 0, data))
        offsets[side] += len(data)
    return [*found, *readers[0].finish(), *readers[1].finish()]


def values(found: list[Read]) -> list[dict[str, object]]:
    return [one.value for one in found if isinstance(one, Message)]


def reasons(found: list[Read]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Malformed)]


def judged(*pieces: tuple[int, bytes]) -> list[Finding]:
    records, _ = run(dialogue_events([DialogueLine(side, data) for side, data in pieces]))
    return [one for one in records if isinstance(one, Finding)]


def test_requests_in_a_row_are_answered_in_their_order_whatever_the_ids_say() -> None:
    asked = request(b'{"method":"a","id":1}') + request(b'{"method":"b","id":1}')
    answered = response(b'{"result":1,"id":1}') + response(b'{"result":2,"id":1}')
    found = [one for one in talk((0, asked), (1, answered)) if isinstance(one, Message)]
    assert [one.pair for one in found] == [("http", 1), ("http", 2), ("http", 1), ("http", 2)]


def test_a_password_is_dropped_where_it_is_read() -> None:
    found = values(talk((0, request(GETWORK, "Authorization: Basic dXNlcjpwYTpzcw==", "Cookie: pa:ss"))))
    http = found[0]["http"]
    assert isinstance(http, dict)
    assert http["user"] == "user"
    assert "pa:ss" not in json.dumps(found)
    url = values(talk((0, request(GETWORK).replace(b"POST / ", b"POST http://user:pa:ss@pool/x "))))
    assert "pa:ss" not in json.dumps(url)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (
            ["Transfer-Encoding: chunked"],
            b"5;x=y\r\n"
            + GETWORK[:5]
            + b"\r\n"
            + f"{len(GETWORK) - 5:x}\r\n".encode()
            + GETWORK[5:]
            + b"\r\n0\r\nT: 1\r\n\r\n",
        ),
        ([f"Content-Length: {len(GETWORK)}"], GETWORK),
        (
            ["Content-Encoding: gzip", f"Content-Length: {len(gzip.compress(GETWORK, mtime=0))}"],
            gzip.compress(GETWORK, mtime=0),
        ),
        (["X-Folded: a", "  b", f"content-length:{len(GETWORK)}"], GETWORK),
    ],
)
def test_a_body_is_found_however_it_is_sent(head: list[str], body: bytes) -> None:
    asked = "\r\n".join(["POST / HTTP/1.1", *head, "", ""]).encode() + body
    found = values(talk((0, asked), (0, request(GETWORK))))
    assert [one.get("method") for one in found] == ["getwork", "getwork"]


def test_a_batch_is_its_messages() -> None:
    found = talk(
        (0, request(b'[{"method":"a","id":1},{"method":"b","id":2},3]')), (1, response(b'[{"id":1},{"id":2}]'))
    )
    assert [(one.value.get("id"), one.pair) for one in found if isinstance(one, Message)] == [
        (1, None),
        (2, None),
        (1, None),
        (2, None),
    ]


def test_a_response_without_length_lasts_until_the_end() -> None:
    assert (
        values(talk((0, request(GETWORK)), (1, b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(WORK).encode())))[1]["id"] == 1
    )


def test_joined_in_a_body_it_goes_on_with_the_next_request() -> None:
    exchange = Exchange()
    reader = Http(0, exchange, joined=True)
    found = list(reader.feed(7, 900, 0, b'aram":1}\r\n' + request(GETWORK)))
    assert [one.get("method") for one in values(found)] == ["getwork"]
    assert set(reasons(found)) <= {"resync"}


def test_a_hole_in_a_body_costs_that_body() -> None:
    exchange = Exchange()
    reader = Http(0, exchange)
    asked = request(b'{"method":"' + b"x" * 3000 + b'"}')
    found = list(reader.feed(7, 0, 0, asked[:500]))
    found += reader.feed(7, 1500, 1000, asked[1500:] + request(GETWORK))
    assert [one.get("method") for one in values(found)] == ["getwork"]
    assert reasons(found) == ["gap", "damaged_body"]


def test_a_long_template_is_still_a_template() -> None:
    asked = request(
        b'{"method":"getblocktemplate","params":[{"rules":["segwit"]}],"id":1}', "X-Mining-Extensions: longpoll"
    )
    big = (
        b'{"result":{"previousblockhash":"'
        + b"ab" * 32
        + b'","transactions":["'
        + b"00" * MAX_BODY_BYTES
        + b'"]},"id":1}'
    )
    findings = judged((0, asked), (1, response(big)), (0, asked), (1, response(big)))
    assert [(one.dialect, one.grade, one.jobs) for one in findings] == [("getblocktemplate", Grade.SPEAKS, 2)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_of_a_long_body_head_and_tail_are_read_and_the_middle_is_counted(indent: int | None, chunked: bool) -> None:
    value = {"method": "submitblock", "params": ["00" * 200_000, {"workid": "w7"}], "id": 41}
    body = json.dumps(value, indent=indent).encode()
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    asked = request(framed, "Transfer-Encoding: chunked", length=False) if chunked else request(body)
    one, again = talk((0, asked + request(GETWORK)))
    assert isinstance(one, Message)
    assert isinstance(again, Message)
    assert (one.value["method"], one.value["id"]) == ("submitblock", 41)
    assert one.skipped_bytes == len(body) - 2 * 16_384
    assert len(json.dumps(one.value)) < 40_000
    assert again.value["method"] == "getwork"


def test_a_long_block_that_is_handed_in_is_one_share_with_its_answer() -> None:
    block = json.dumps({"method": "submitblock", "params": ["00" * 400_000], "id": 1}).encode()
    taken = response(b'{"result":null,"error":null,"id":1}')
    (found,) = judged((0, request(block)), (1, taken), (0, request(block)), (1, taken))
    assert (found.dialect, found.shares.submitted, found.shares.accepted) == ("getblocktemplate", 2, 2)


@pytest.mark.parametrize(
    "body", [b"{" * 200_000, b'{"a":"' + b"\\" * 200_000, b"[" + b"1," * 100_000 + b"1]", b"{}" * 99_999]
)
def test_long_bodies_that_are_no_object_are_survived(body: bytes) -> None:
    found = values(talk((0, request(body)), (1, response(body))))
    assert len(json.dumps(found)) < 20_000


def test_a_zipped_bomb_is_cut_at_the_bound() -> None:
    bomb = gzip.compress(b"{" + b" " * 50_000_000 + b"}")
    found = values(talk((0, request(bomb, "Content-Encoding: gzip"))))
    assert len(json.dumps(found)) < 5_000


def test_getwork_over_one_connection_is_counted() -> None:
    share = b'{"method":"getwork","params":["' + b"ab" * 128 + b'"],"id":1}'
    user = "Authorization: Basic YWNjdC5yaWc6eA=="
    findings = judged(
        (0, request(GETWORK, user)),
        (1, response(json.dumps(WORK).encode())),
        *[(0, request(share, user)), (1, response(b'{"result":true,"id":1}'))] * 3,
        (0, request(share, user)),
        (1, response(b'{"result":false,"id":1}', "X-Reject-Reason: stale")),
    )
    assert [
        (one.login, one.worker, one.shares.submitted, one.shares.accepted, one.shares.rejected) for one in findings
    ] == [("acct.rig", "rig", 4, 3, 1)]


ORDINARY = {
    "a form": [
        (0, request(b"name=anna&submit=1", "Content-Type: application/x-www-form-urlencoded")),
        (1, response(b"<p>thanks</p>")),
    ],
    "an api with login": [
        (0, request(b'{"method":"login","params":{"user":"a"}}')),
        (1, response(b'{"result":{"status":"OK"},"id":1}')),
    ],
    "an api with submit and job": [
        (
            0,
            request(
                b'{"id":1,"method":"submit","params":{"id":"a","job_id":"7","nonce":"a4070021","result":"%s"}}'
                % (b"ab" * 32)
            ),
        ),
        (1, response(b'{"id":1,"result":{"status":"OK"}}')),
    ],
    "stratum quoted in a body": [
        (0, request(b'{"id":1,"method":"mining.subscribe","params":["cgminer/4"]}')),
        (1, response(b'{"id":1,"result":true}')),
    ],
    "ethereum node": [
        (0, request(b'{"id":1,"jsonrpc":"2.0","method":"eth_getBlockByNumber","params":["latest",true]}')),
        (1, response(b'{"id":1,"result":{}}')),
    ],
    "templates polled": [
        (
            0,
            request(b'{"id":1,"method":"getblocktemplate","params":[{"rules":["segwit"]}]}', "User-Agent: bitcoin-cli"),
        ),
        (
            1,
            response(
                b'{"id":1,"result":{"previousblockhash":"%s","bits":"1701b491","target":"%s"}}'
                % (b"ab" * 32, b"00" * 32)
            ),
        ),
    ],
    "telemetry": [
        (0, request(json.dumps([{"event": "click", "id": n} for n in range(9)]).encode())),
        (1, response(b'{"ok":true}')),
    ],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_requests_are_nothing(name: str) -> None:
    assert judged(*ORDINARY[name]) == []


def test_a_page_that_shows_requests_of_getwork_is_nothing() -> None:
    page = b"<pre>" + request(GETWORK, "X-Mining-Extensions: longpoll") + b"</pre>"
    assert judged((0, b"GET /wiki HTTP/1.1\r\n\r\n"), (1, response(page))) == []


WALLET = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"
POLL = b'{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}'
CLAIM = b'{"id":1,"jsonrpc":"2.0","method":"eth_submitHashrate","params":["0x17d7840","0x%064x"]}' % 5
JOB = ["0x" + "2c" * 32, "0x" + "43" * 32, "0x" + "0" * 8 + "112e0be8" * 7]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (f"/?miner=25@{WALLET}@rig", None),
        (f"/?miner=25:{WALLET}@rig", None),
        (f"/{WALLET}/rig", None),
        (f"/{WALLET}/rig:hunter2", f"/{WALLET}/rig:***"),
        (f"/{WALLET}%3Ahunter2", f"/{WALLET}%3A***"),
        (f"/?wallet={WALLET}:hunter2@x&worker=r", f"/?wallet={WALLET}:***&worker=r"),
        ("/?w=a&password=hunter@2#x&id=1", "/?w=a&password=***&id=1"),
        ("/?Access_Token=hunter2", "/?Access_Token=***"),
        ("/?p=hunter2&x=1;pwd=hunter2", "/?p=***&x=1;pwd=***"),
        (f"/token/hunter2/{WALLET}", f"/token/***/{WALLET}"),
        ("http://anna:hunter2@pool.test:8545/api", "http://pool.test:8545/api"),
        ("http://anna:h@unter2@pool.test:8545/?key=hunter2", "http://pool.test:8545/?key=***"),
    ],
)
def test_secrets_of_path_and_query_are_blanked(target: str, shown: str | None) -> None:
    (value,) = values(talk((0, request(POLL, path=target))))
    http = value["http"]
    assert isinstance(http, dict)
    assert http["target"] == (shown or target)
    assert "unter" not in json.dumps(value)


@pytest.mark.parametrize(
    "target",
    [
        f"/?miner=25@{WALLET}@rig",
        f"/{WALLET}/rig",
        f"/{WALLET}.rig",
        f"/?wallet={WALLET}&worker=rig&p=x",
        f"/a/{WALLET}@rig",
    ],
)
@pytest.mark.parametrize("coding", ["plain", "gzip", "chunked", "http/1.0", "batch"])
def test_polls_with_the_wallet_in_the_target_name_the_miner(target: str, coding: str) -> None:
    def answer(result: object, number: int) -> bytes:
        body = json.dumps({"id": number * 31, "jsonrpc": "2.0", "result": result}).encode()
        if coding == "gzip":
            return response(gzip.compress(body), "Content-Encoding: gzip")
        if coding == "chunked":
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:])) + b"0\r\n\r\n"
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        return response(body).replace(b"HTTP/1.1", b"HTTP/1.0" if coding == "http/1.0" else b"HTTP/1.1")

    pieces: list[tuple[int, bytes]] = []
    if coding == "batch":
        asked = [json.loads(POLL), {**json.loads(CLAIM), "id": 2}]
        answers = [{"id": 2, "result": True}, {"id": 1, "result": JOB}]
        pieces = [
            (0, request(json.dumps(asked).encode(), path=target)),
            (1, response(json.dumps(answers).encode())),
        ] * 4
    else:
        for number in range(12):
            claims = number % 4 == 3
            asking = request(CLAIM if claims else POLL, path=target)
            pieces.append((0, asking.replace(b"HTTP/1.1", b"HTTP/1.0") if coding == "http/1.0" else asking))
            pieces.append((1, answer(True if claims else [*JOB[:1], *JOB[1:]], number)))
    (found,) = judged(*pieces)
    assert (found.login, found.worker, found.claimed_hashrate_hps) == (WALLET, "rig", 25_000_000)
    assert (found.grade, found.shares.submitted) == (Grade.SPEAKS, 0)
    assert found.jobs


def test_a_miner_that_claims_its_rate_mines_and_does_not_only_look() -> None:
    polls = [(0, request(POLL, path=f"/{WALLET}")), (1, response(json.dumps({"id": 0, "result": JOB}).encode()))]
    claims = [(0, request(CLAIM, path=f"/{WALLET}")), (1, response(b'{"id":0,"result":true}'))]
    assert judged(*polls)[0].activity == "probe"
    assert judged(*polls, *claims)[0].activity == "mining"


@pytest.mark.parametrize(
    "header", ["User-Agent: cgminer/4.11.1", "User-Agent: ethminer/0.19", "X-Mining-Extensions: longpoll"]
)
@pytest.mark.parametrize("coding", ["Content-Length: 45", "Transfer-Encoding: chunked"])
def test_a_miner_whose_body_was_never_sent_is_an_attempt(header: str, coding: str) -> None:
    head = f"POST / HTTP/1.1\r\nHost: pool.example.test\r\n{header}\r\n{coding}\r\n\r\n".encode()
    for pieces in ([(0, head)], [(0, head), (1, response(b"", status="401 Unauthorized"))]):
        (found,) = judged(*pieces)
        assert (found.activity, found.grade) == ("attempt", Grade.CONTACTED)


def test_others_whose_body_was_never_sent_are_nothing() -> None:
    head = b"POST /form HTTP/1.1\r\nHost: shop.example.test\r\nUser-Agent: curl/8\r\nContent-Length: 45\r\n\r\n"
    assert judged((0, head)) == []


@pytest.mark.parametrize("agent", ["python-requests/2.31", "Mozilla/5.0", "Geth/v1.10"])
def test_a_monitor_of_a_node_is_no_miner(agent: str) -> None:
    pieces: list[tuple[int, bytes]] = []
    for number in range(40):
        method = ("eth_mining", "eth_hashrate", "eth_getBlockByNumber", "eth_getWork", "eth_call")[number % 5]
        body = json.dumps({"id": number, "jsonrpc": "2.0", "method": method, "params": []}).encode()
        pieces.append((0, request(body, f"User-Agent: {agent}", path="/v3/0123456789abcdef0123456789abcdef")))
        pieces.append((1, response(json.dumps({"id": number, "result": JOB if number % 5 == 3 else "0x1"}).encode())))
    assert judged(*pieces) == []
