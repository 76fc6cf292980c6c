"""Payloads made to break a parser; and ordinary mining beside them."""

from __future__ import annotations

import base64
import gzip
import json
import random
import struct
from collections.abc import Iterator

MIB = 1 << 20
SUBSCRIBE = b'{"id":1,"method":"mining.subscribe","params":["x/1"]}\n'
ANSWER = b'{"id":1,"result":[[["mining.notify","a"]],"08000002",4],"error":null}\n'
AUTHORIZE = b'{"id":2,"method":"mining.authorize","params":["w.1","x"]}\n'
DEEP = 10_000
GREAT = b"9" * 401  # about 10^400
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: p\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: %s\r\n\r\n" % base64.b64encode(bytes(16))
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"
)


def filled(piece: bytes, start: bytes = b"", *, size: int = MIB // 4) -> bytes:
    """The same piece again and again behind a start."""
    return start + piece * ((size - len(start)) // len(piece))


def endless(piece: bytes, start: bytes) -> bytes:
    """A megabyte of what has no end."""
    return filled(piece, start, size=MIB)


def ordinary() -> tuple[bytes, bytes]:
    """A miner with a job for each three shares: the traffic that hostile traffic is compared with."""
    miner, pool = [SUBSCRIBE, AUTHORIZE], [ANSWER, b'{"id":2,"result":true,"error":null}\n']
    size = number = 0
    while size < MIB:
        number += 1
        params: list[object] = [f"{number:x}", "ab" * 32, "01" * 60, "02" * 40, ["cd" * 32] * 8]
        params += ["20000000", "17038a1e", "689c2d40", False]
        job = json.dumps({"id": None, "method": "mining.notify", "params": params})
        pool.append(job.encode() + b"\n")
        for share in range(3):
            key = 10 + 3 * number + share
            proof = ["w.1", f"{number:x}", f"{key:016x}", "689c2d51", f"{key:08x}"]
            miner.append(json.dumps({"id": key, "method": "mining.submit", "params": proof}).encode() + b"\n")
            pool.append(b'{"id":%d,"result":true,"error":null}\n' % key)
        size = sum(map(len, pool[-4:])) + sum(map(len, miner[-3:])) + size
    return b"".join(miner), b"".join(pool)


def lines() -> Iterator[tuple[str, bytes]]:
    """Lines of JSON and what pretends to be."""
    nested = b'{"id":1,"method":"mining.submit","params":' + b"[" * DEEP + b"]" * DEEP + b"}\n"
    yield "a line without an end", endless(b"a", b'{"id":1,"method":"mining.submit","params":["')
    yield "a line of members without an end", endless(b'"a":1,', b'{"id":1,"method":"mining.submit",')
    yield "a line of brackets without an end", endless(b"[", b'{"id":1,"method":"mining.submit","params":')
    yield "a line of backslashes without an end", endless(b"\\", b'{"id":1,"params":["')
    yield "lists 10,000 deep", filled(nested)
    yield "maps 10,000 deep", filled(b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n")
    yield "brackets that never close", filled(b'{"a":' * 2_000 + b"\n")
    yield "numbers of 10^400", filled(b'{"id":%s,"method":"mining.submit","params":[%s,1e999]}\n' % (GREAT, GREAT))
    yield "numbers of 5,000 digits", filled(b'{"id":%s}\n' % (b"1" * 5_000))
    yield "no UTF-8", filled(b'{"id":1,"method":"mining.submit","params":["\xff\xfe\xc0\x80\xed\xa0\x80"]}\n')
    yield "NUL", filled(b'{"id":1,"method":"mining.submit","params":["\0\0"]}\0')
    yield "nothing but NUL", filled(b"\0")
    yield "nothing but line feeds", filled(b"\n")
    yield "nothing but {", endless(b"{", b"")
    yield "two bytes a line", filled(b"{\n")
    yield "empty objects", filled(b"{}")
    yield "empty objects in lines", filled(b"{}\n")
    yield "one name many times", filled(b"{" + b'"id":1,' * 3_000 + b'"id":2}\n')
    yield "lone surrogates", filled(b'{"id":"\\ud800","method":"\\udfff\\ud800","params":["\\ud83d"]}\n')
    yield "ids of every kind", filled(b'{"id":[1],"method":"mining.submit","params":{}}\n{"id":{"a":1},"result":[]}\n')
    yield (
        "logins without end",
        b"".join(
            b'{"id":%d,"method":"mining.authorize","params":["%064x.%d","p"]}\n' % (number, number, number)
            for number in range(2_500)
        ),
    )
    yield (
        "requests without answers",
        b"".join(
            b'{"id":"%0200d","method":"mining.submit","params":["w","j","0","0","0"]}\n' % number
            for number in range(1_500)
        ),
    )
    yield (
        "jobs without end",
        b"".join(
            b'{"id":null,"method":"mining.notify","params":["%0400d","%s","00","00",[],"20000000","1a0ffff0","689c3000",true]}\n'
            % (number, b"ab" * 32)
            for number in range(800)
        ),
    )


def streams() -> Iterator[tuple[str, bytes]]:
    """Other framings that promise much, and noise."""
    rng = random.Random("hostile")
    yield "an HTTP head without an end", endless(b"X-A: b\r\n", b"POST / HTTP/1.1\r\n")
    yield "an HTTP head of one line", endless(b"a", b"POST /")
    yield "an HTTP body of 2^63", endless(b"x", b"POST / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n\r\n")
    yield "chunks of one byte", filled(b"1\r\n{\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    yield "a chunk's head without an end", endless(b"0", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    yield "requests without bodies", filled(b"GET / HTTP/1.1\r\n\r\n")
    frame = b"\x81\x7f" + struct.pack(">Q", (1 << 63) - 1)
    yield "a WebSocket frame of 2^63", endless(b"{", UPGRADE + frame)
    yield "WebSocket frames without bytes", filled(b"\x01\x80\0\0\0\0", UPGRADE)
    yield "WebSocket continuations", filled(b"\0\x81\0\0\0\0a", UPGRADE)
    bomb = gzip.compress(b'{"id":1,"method":"mining.submit","params":["' + b"a" * (64 * MIB) + b'"]}\n', 9)
    yield "gzip of 64 MiB, again and again", filled(bomb)
    yield "headers of Stratum V2", filled(struct.pack("<HBHB", 0, 0, 0xFFFF, 0xFF))
    yield "frames of Stratum V2 without bytes", filled(struct.pack("<HB", 0, 0x1E) + bytes(3))
    yield "frames of BTCAgent", filled(b"\x7f\x01\x04\0")
    yield "SOCKS greetings", filled(b"\x05\xff")
    yield "PROXY headers", filled(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")
    yield "CONNECT within CONNECT", filled(b"CONNECT a:1 HTTP/1.1\r\n\r\n")
    yield "noise", rng.randbytes(MIB // 4)
    yield "noise of text", bytes(rng.choices(b'{}[]":,\\ \n01ae.-', k=MIB // 4))


def hostile() -> dict[str, bytes]:
    """All of them by name."""
    return dict([*lines(), *streams()])
