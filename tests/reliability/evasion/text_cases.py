"""The same session written otherwise: ends of lines, spaces, escapes, text between messages, HTTP, WebSocket."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Callable, Iterable

from tests.reliability.evasion.case import Cases, Expected, of
from tests.reliability.evasion.session import LOGIN, Talk, session, talk

Rewrite = Callable[[int, bytes], Iterable[bytes]]


def rewritten(rewrite: Rewrite) -> Talk:
    """Every line as `rewrite` has it: nothing, one piece or several."""
    return [(side, piece) for side, line in talk() for piece in rewrite(side, line[:-1])]


def dumped(line: bytes, **how: object) -> bytes:
    return json.dumps(json.loads(line), **how).encode() + b"\n"  # type: ignore[arg-type]


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


def escape_words(line: bytes, *words: str) -> bytes:
    text = line.decode()
    for name in words:
        text = text.replace(f'"{name}"', f'"{escaped(name)}"')
    return text.encode() + b"\n"


METHODS = ("mining.subscribe", "mining.authorize", "mining.submit", "mining.notify", "mining.set_difficulty")
KEYS = ("method", "params", "result", "id", "error")

REWRITES: dict[str, Rewrite] = {
    "CRLF": lambda _, line: [line + b"\r\n"],
    "LF CR": lambda _, line: [line + b"\n\r"],
    "CR only": lambda _, line: [line + b"\r"],
    "NUL": lambda _, line: [line + b"\0"],
    "empty lines before each": lambda _, line: [b"\n\n\r\n" + line + b"\n"],
    "spaces before and after each": lambda _, line: [b"  \t" + line + b" \t \n"],
    "spaces within": lambda _, line: [dumped(line, separators=(" , ", " : "))],
    "keys in another order": lambda _, line: [dumped(line, sort_keys=True)],
    "keys backwards": lambda _, line: [json.dumps(dict(reversed(json.loads(line).items()))).encode() + b"\n"],
    "methods in escapes": lambda _, line: [escape_words(line, *METHODS)],
    "keys in escapes": lambda _, line: [escape_words(line, *KEYS)],
    "one letter of a method in an escape": lambda _, line: [line.replace(b'"mining.s', b'"\\u006dining.s') + b"\n"],
    "slashes in escapes": lambda _, line: [line.replace(b"cgminer/", b"cgminer\\/") + b"\n"],
    "ids as text": lambda _, line: [
        json.dumps({**json.loads(line), "id": str(json.loads(line)["id"])}).encode() + b"\n"
    ],
    "jsonrpc 2.0 in each": lambda _, line: [json.dumps({"jsonrpc": "2.0", **json.loads(line)}).encode() + b"\n"],
    "a byte order mark at the start": lambda _, line: [
        (b"\xef\xbb\xbf" if b"mining.subscribe" in line else b"") + line + b"\n"
    ],
    "one line of text before each": lambda _, line: [b"hello\n", line + b"\n"],
    "two lines of text before each": lambda _, line: [b"# a comment\n", b"1 2 3\n", line + b"\n"],
    "lines of binary before each": lambda _, line: [bytes(range(128, 160)) + b"\n", line + b"\n"],
    "an unknown message before each": lambda side, line: [
        b'{"id":null,"method":"x.y","params":[]}\n' if side else b"",
        line + b"\n",
    ],
    "unknown keys first": lambda _, line: [b'{"a":[[{"b":1}]],"c":"' + b"z" * 200 + b'",' + line[1:] + b"\n"],
}


def cases() -> Cases:
    for name, rewrite in REWRITES.items():
        yield of("text", name, session(rewritten(rewrite)))
    yield of("text", "NUL in pieces of 11 bytes", session(rewritten(REWRITES["NUL"]), 11))
    indented = session(rewritten(lambda _, line: [dumped(line, indent=1)]))
    yield of("text", "indented over many lines", indented, Expected.UNREAD, "no miner or pool sends it")
    yield of("text", "messages one after the other without an end", session(rewritten(lambda _, line: [line])))
    yield of("text", "batches", session(batches()))
    yield of("text", "params as an object", session(objects()), why="as some pools' V1 has it")
    yield of(
        "text",
        "the method twice, another first",
        session(doubled()),
        Expected.AMBIGUOUS,
        "RFC 8259 section 4: names within an object should be unique; readers differ",
    )
    yield of("text", "WebSocket, text", session(websocket(1)))
    yield of("text", "WebSocket, binary", session(websocket(2)))
    yield of("text", "WebSocket, frames in two parts", session(websocket(1, parts=2)))
    yield of("text", "HTTP POST", session(posted("")))
    yield of("text", "HTTP POST, chunked", session(posted("chunked")))
    yield of("text", "HTTP POST, gzip", session(posted("gzip")), Expected.UNREAD, "the core sees no word in it")


def batches() -> Talk:
    """JSON-RPC 2.0 section 6: several messages of a side as one list."""
    found: Talk = []
    for side, line in talk():
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1][:-2] + b"," + line[:-1] + b"]\n")
        else:
            found.append((side, b"[" + line[:-1] + b"]\n"))
    return found


def objects() -> Talk:
    names = {
        "mining.subscribe": ("agent",),
        "mining.authorize": ("username", "password"),
        "mining.submit": ("worker_name", "job_id", "extranonce2", "ntime", "nonce"),
    }
    found = []
    for side, line in talk():
        value = json.loads(line)
        if value.get("method") in names:
            value["params"] = dict(zip(names[value["method"]], value["params"], strict=True))
        found.append((side, json.dumps(value).encode() + b"\n"))
    return found


def doubled() -> Talk:
    return [(side, line.replace(b'"method":', b'"method":"x","method":')) for side, line in talk()]


def websocket(opcode: int, parts: int = 1) -> Talk:
    """RFC 6455: the upgrade, then each line in frames, masked from the miner."""
    key = base64.b64encode(bytes(16))
    found: Talk = [
        (
            0,
            b"GET / HTTP/1.1\r\nHost: pool.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n",
        ),
        (
            1,
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n",
        ),
    ]
    for side, line in talk():
        size = -(-len(line) // parts)
        pieces = [line[at : at + size] for at in range(0, len(line), size)]
        for place, piece in enumerate(pieces):
            first = (opcode if place == 0 else 0) | (0x80 if place == len(pieces) - 1 else 0)
            found.append((side, frame(first, piece, masked=side == 0)))
    return found


def frame(first: int, data: bytes, *, masked: bool) -> bytes:
    """RFC 6455 section 5.2."""
    size = (
        struct.pack("!B", len(data) | masked << 7)
        if len(data) < 126
        else struct.pack("!BH", 126 | masked << 7, len(data))
    )
    mask = b"\x11\x22\x33\x44"
    body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data)) if masked else data
    return bytes([first]) + size + (mask if masked else b"") + body


def posted(coding: str) -> Talk:
    """Each request a POST, each answer a body; what the pool pushes comes with the next answer."""
    found: Talk = []
    pushed = b""
    for side, line in talk():
        if side == 0:
            found.append((0, request(line, coding)))
        elif b'"method"' in line:
            pushed += line
        else:
            found.append((1, response(line + pushed, coding)))
            pushed = b""
    return found


def request(body: bytes, coding: str) -> bytes:
    head = f"POST / HTTP/1.1\r\nHost: pool.example\r\nContent-Type: application/json\r\nX-Worker: {LOGIN}\r\n"
    return head.encode() + coded(body, coding)


def response(body: bytes, coding: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + coded(body, coding)


def coded(body: bytes, coding: str) -> bytes:
    if coding == "chunked":
        half = len(body) // 2
        chunks = b"".join(f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in (body[:half], body[half:]))
        return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    if coding == "gzip":
        body = gzip.compress(body, mtime=0)
        return f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    return f"Content-Length: {len(body)}\r\n\r\n".encode() + body
