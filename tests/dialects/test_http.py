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
