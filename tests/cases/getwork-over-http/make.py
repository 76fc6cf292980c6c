"""A miner that polls for work over one connection and brings five shares, one of which is refused."""

from __future__ import annotations

import json
import random

from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.9"), host("203.0.113.9")
HEAD = """POST / HTTP/1.1\r
Host: pool.example.test:8332\r
Authorization: Basic YWNjdC5yaWc6c2VjcmV0\r
User-Agent: cgminer/2.11.4\r
Content-Type: application/json\r
X-Mining-Extensions: longpoll midstate rollntime submitold\r
X-Mining-Hashrate: 331776000000\r
Content-Length: %d\r
\r
"""


def ask(tcp: Tcp, params: list[str]) -> None:
    """One request; its body comes in a segment of its own."""
    body = json.dumps({"method": "getwork", "params": params, "id": 0}).encode() + b"\r\n"
    tcp.client((HEAD % len(body)).encode()).client(body)


def answer(tcp: Tcp, result: object, *, chunked: bool) -> None:
    """One response, by length or in two chunks."""
    body = json.dumps({"result": result, "error": None, "id": 0}).encode()
    if chunked:
        half = len(body) // 2
        tcp.server(
            b"HTTP/1.1 200 OK\r\nX-Long-Polling: /LP\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % half
            + body[:half]
            + b"\r\n"
        )
        tcp.server(b"%x\r\n" % (len(body) - half) + body[half:] + b"\r\n0\r\n\r\n")
    else:
        tcp.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def make(wire: Wire) -> None:
    """Play the session."""
    rng = random.Random("getwork")
    tcp = Tcp(wire, MINER, POOL, (40_000, 8332), 0).open()
    for number in range(5):
        data = rng.randbytes(128).hex()
        ask(tcp, [])
        tcp.wait(2_000_000)
        answer(tcp, {"data": data, "target": "00" * 26 + "ffff" + "00" * 4}, chunked=number % 2 == 1)
        tcp.wait(9_000_000)
        ask(tcp, [data[:152] + rng.randbytes(4).hex() + data[160:]])
        answer(tcp, number != 2, chunked=False)
    tcp.close()
