"""Three miners that poll for Ethash work by POST: one over one connection and without a share, its answers in chunks
under ids of their own; one by a connection for each poll, with head and body in segments of their own; and one that
brings shares, answered in gzip.
"""

from __future__ import annotations

import gzip
import json
import random

from tests.demo.wire import Host, Tcp, Wire, host

POOL = host("203.0.113.51")
WALLETS = tuple("0x" + random.Random(f"wallet {n}").randbytes(20).hex() for n in range(3))
TARGET = "0x0000000112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba"
RATE = "0x17d7840"


def head(path: str, body: bytes, version: str = "1.1") -> bytes:
    return (
        f"POST {path} HTTP/{version}\r\nHost: pool.example.test\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()


def call(method: str, *params: str) -> bytes:
    return json.dumps({"id": 1, "jsonrpc": "2.0", "method": method, "params": params}).encode()


def answer(result: object, number: int, coding: str = "") -> bytes:
    body = json.dumps({"id": number, "jsonrpc": "2.0", "result": result}).encode()
    if coding == "chunked":
        parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:20], body[20:]))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
    body = gzip.compress(body, mtime=0) if coding else body
    encoding = b"Content-Encoding: gzip\r\n" if coding else b""
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (encoding, len(body)) + body


def work(rng: random.Random) -> list[str]:
    return ["0x" + rng.randbytes(32).hex(), "0x" + "43" * 32, TARGET]


def one_connection(wire: Wire, miner: Host, rng: random.Random) -> None:
    """Eighty-two polls, and a claim after each tenth."""
    tcp = Tcp(wire, miner, POOL, (40_000, 80), 0).open()
    path = f"/?miner=25@{WALLETS[0]}@rig1"
    for number in range(82):
        body = call("eth_getWork")
        tcp.client(head(path, body) + body).server(answer(work(rng), rng.randrange(1_000), "chunked"))
        if number % 10 == 9:
            body = call("eth_submitHashrate", RATE, "0x" + "4c" * 32)
            tcp.client(head(path, body) + body).server(answer(True, rng.randrange(1_000), "chunked"))
        tcp.wait(500_000)
    tcp.close()


def connection_for_each(wire: Wire, miner: Host, rng: random.Random) -> None:
    """Thirty polls and three claims, HTTP/1.0."""
    path = f"/?wallet={WALLETS[1]}&worker=rig2&password=hunter2"
    for number in range(33):
        tcp = Tcp(wire, miner, POOL, (41_000 + number, 80), 1_000_000 + number * 4_000_000).open()
        claims = number % 11 == 10
        body = call("eth_submitHashrate", RATE, "0x" + "4c" * 32) if claims else call("eth_getWork")
        tcp.client(head(path, body, "1.0")).client(body)
        tcp.server(answer(True if claims else work(rng), 0)).close()


def with_shares(wire: Wire, miner: Host, rng: random.Random) -> None:
    """Six shares, of which one is refused."""
    tcp = Tcp(wire, miner, POOL, (42_000, 80), 2_000_000).open()
    path = f"/{WALLETS[2]}/rig3"
    for number in range(6):
        job = work(rng)
        body = call("eth_getWork")
        tcp.client(head(path, body) + body).server(answer(job, 0, "gzip")).wait(20_000_000)
        body = call("eth_submitWork", "0x" + rng.randbytes(8).hex(), job[0], "0x" + rng.randbytes(32).hex())
        tcp.client(head(path, body) + body).server(answer(number != 4, 0, "gzip"))
    tcp.close()


def make(wire: Wire) -> None:
    """Play the sessions."""
    rng = random.Random("polls")
    one_connection(wire, host("198.51.100.51"), rng)
    connection_for_each(wire, host("198.51.100.52"), rng)
    with_shares(wire, host("198.51.100.53"), rng)
