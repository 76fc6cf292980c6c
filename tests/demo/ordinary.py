"""What else is on the wire: web, DNS and mail, and the traffic that resembles mining without being it.

Each function plays one conversation on a wire. Nothing here may lead to a finding; the Bitcoin node's handshake must
lead to a node.
"""

from __future__ import annotations

import hashlib
import json
import random
import struct

from scapy.layers.dns import DNS, DNSQR, DNSRR

from tests.demo.wire import Host, Tcp, Wire, ask

SECOND = 1_000_000
NAMES = (
    "www.example.com",
    "cdn.example.net",
    "mail.example.org",
    "login.example.com",
    "updates.example.net",
    "img.example.org",
)
STRATUM_PAGE = """<!doctype html><title>How pooled mining talks</title><h1>Stratum in five lines</h1><pre>
{"id": 1, "method": "mining.subscribe", "params": ["cgminer/4.12.1"]}
{"id": 1, "result": [[["mining.notify", "ae6812eb"]], "08000002", 4], "error": null}
{"id": 2, "method": "mining.authorize", "params": ["somebody.rig1", "x"]}
{"params": ["somebody.rig1", "bf", "00000001", "504e86ed", "b2957c02"], "id": 4, "method": "mining.submit"}
{"id": 4, "result": true, "error": null}
</pre><p>The cryptonote pools use {"method":"login"} and {"method":"submit"} instead.</p>
"""


def dns(wire: Wire, client: Host, resolver: Host, name: str, at_us: int) -> None:
    """One look-up and its answer."""
    rng = random.Random(f"{client.ip} {name} {at_us}")
    ident, port = rng.getrandbits(16), rng.randrange(20_000, 60_000)
    question = DNSQR(qname=name, qtype="A")
    answer = DNSRR(rrname=name, type="A", ttl=300, rdata=f"203.0.113.{rng.randrange(150, 250)}")
    query = bytes(DNS(id=ident, rd=1, qd=question))
    ask(
        wire, client, resolver, (port, 53), at_us, query, bytes(DNS(id=ident, qr=1, rd=1, ra=1, qd=question, an=answer))
    )


def web(tcp: Tcp, host: str, path: str, body: bytes) -> None:
    """One HTTP request and its answer."""
    agent = "Mozilla/5.0 (X11; Linux x86_64)"
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    )
    head = "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    tcp.open().client(request.encode()).server(head.encode() + body).close()


def page(seed: str, size: int) -> bytes:
    """A page of about `size` bytes of readable text."""
    rng = random.Random(seed)
    words = (
        "report",
        "quarter",
        "harbour",
        "timetable",
        "weather",
        "library",
        "pump",
        "invoice",
        "method",
        "result",
        "garden",
        "login",
    )
    text = " ".join(rng.choice(words) for _ in range(size // 7))
    return f"<!doctype html><html><body><p>{text}</p></body></html>".encode()


def tls(tcp: Tcp, name: str, records: int) -> None:
    """What a TLS session looks like from outside: a hello with a server name, then records of random bytes."""
    rng = random.Random(f"tls {name} {records}")
    server_name = name.encode()
    sni = struct.pack(">HBH", len(server_name) + 3, 0, len(server_name)) + server_name
    extensions = (
        struct.pack(">HH", 0, len(sni)) + sni + bytes.fromhex("002b00030203040010000e000c02683208687474702f312e31")
    )
    body = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\x00\x04\x13\x01\x13\x02\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\x01" + len(body).to_bytes(3, "big") + body

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack(">BHH", kind, 0x0303, len(data)) + data

    answer = (
        b"\x02" + (70).to_bytes(3, "big") + b"\x03\x03" + rng.randbytes(32) + b"\x00\x13\x01\x00" + rng.randbytes(34)
    )
    tcp.open().client(record(22, hello)).server(
        record(22, answer) + record(20, b"\x01") + record(23, rng.randbytes(2_400))
    )
    for _ in range(records):
        tcp.client(record(23, rng.randbytes(rng.randrange(80, 600))))
        tcp.server(record(23, rng.randbytes(rng.randrange(400, 6_000)))).wait(SECOND)
    tcp.close()


def mail(tcp: Tcp, sender: str, recipient: str) -> None:
    """One letter by SMTP, about the miner in the garage."""
    tcp.open().server(b"220 mail.example.org ESMTP\r\n").client(b"EHLO desk.example.com\r\n")
    tcp.server(b"250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n").client(
        f"MAIL FROM:<{sender}>\r\n".encode()
    )
    tcp.server(b"250 2.1.0 Ok\r\n").client(f"RCPT TO:<{recipient}>\r\n".encode()).server(b"250 2.1.5 Ok\r\n").client(
        b"DATA\r\n"
    )
    tcp.server(b"354 End data with <CR><LF>.<CR><LF>\r\n")
    text = "Somebody wrote that the rig says mining.submit all day and the pool answers true.\r\n" * 8
    tcp.client(f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: heat in the garage\r\n\r\n{text}\r\n.\r\n".encode())
    tcp.server(b"250 2.0.0 Ok: queued\r\n").client(b"QUIT\r\n").server(b"221 2.0.0 Bye\r\n").close()


def electrum(tcp: Tcp, minutes: int) -> None:
    """A wallet talking to its server: newline JSON-RPC with `subscribe` in the method names."""
    calls: list[tuple[str, list[object], object]] = [
        ("server.version", ["electrum/4.5.5", "1.4"], ["ElectrumX 1.16.0", "1.4"]),
        ("blockchain.headers.subscribe", [], {"height": 900000, "hex": "0d" * 80}),
        ("blockchain.scripthash.subscribe", ["9c" * 32], None),
    ]
    calls += [("server.ping", [], None)] * minutes
    tcp.open()
    for number, (method, params, result) in enumerate(calls):
        tcp.client(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        tcp.server(json.dumps({"id": number, "jsonrpc": "2.0", "result": result}).encode() + b"\n")
        tcp.wait(60 * SECOND if method == "server.ping" else SECOND)
    tcp.close()


def dispatcher(tcp: Tcp) -> None:
    """A print-shop's job queue in JSON lines: login, job and submit, with nothing that is mined."""
    exchanges: list[tuple[dict[str, object], dict[str, object]]] = [
        (
            {"id": 1, "method": "login", "params": {"login": "desk4", "pass": "secret", "agent": "spool/2.1"}},
            {"id": 1, "result": {"status": "OK"}},
        ),
        ({"id": 2, "method": "job", "params": {"job_id": "A-17", "pages": 12}}, {"id": 2, "result": {"queued": True}}),
        (
            {"id": 3, "method": "submit", "params": {"job_id": "A-17", "result": "printed"}},
            {"id": 3, "result": {"status": "OK"}},
        ),
        (
            {"id": 4, "method": "chat", "params": {"text": "is that the blob with the target?"}},
            {"id": 4, "result": "no"},
        ),
    ]
    tcp.open()
    for call, answer in exchanges * 3:
        tcp.client(json.dumps(call).encode() + b"\n").server(json.dumps(answer).encode() + b"\n").wait(3 * SECOND)
    tcp.close()


def language_server(tcp: Tcp) -> None:
    """An editor and its language server: JSON-RPC with Content-Length headers."""

    def framed(message: dict[str, object]) -> bytes:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        return b"Content-Length: %d\r\n\r\n" % len(body) + body

    tcp.open().client(framed({"id": 1, "method": "initialize", "params": {"capabilities": {}}})).server(
        framed({"id": 1, "result": {"capabilities": {}}})
    )
    for number in range(2, 8):
        tcp.client(
            framed(
                {"id": number, "method": "textDocument/hover", "params": {"position": {"line": number, "character": 4}}}
            )
        )
        tcp.server(framed({"id": number, "result": {"contents": "def submit(job, target)"}})).wait(SECOND)
    tcp.close()


def bitcoin_node(tcp: Tcp) -> None:
    """Two full nodes greeting each other (version, verack, ping): a node, not mining."""

    def message(command: str, payload: bytes = b"") -> bytes:
        digest = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
        return (
            bytes.fromhex("f9beb4d9")
            + command.encode().ljust(12, b"\0")
            + struct.pack("<I", len(payload))
            + digest
            + payload
        )

    def version(agent: bytes, nonce: int) -> bytes:
        address = struct.pack("<Q", 1033) + bytes(10) + b"\xff\xff" + bytes(4) + struct.pack(">H", 8333)
        return (
            struct.pack("<iQq", 70016, 1033, 1_772_438_400)
            + address * 2
            + struct.pack("<Q", nonce)
            + bytes([len(agent)])
            + agent
            + struct.pack("<iB", 940_000, 1)
        )

    tcp.open().client(message("version", version(b"/Satoshi:27.0.0/", 0x1122334455667788)))
    tcp.server(message("version", version(b"/Satoshi:28.1.0/", 0x99AABBCCDDEEFF00)) + message("verack")).client(
        message("verack")
    )
    for number in range(4):
        nonce = struct.pack("<Q", 1_000 + number)
        tcp.client(message("ping", nonce)).server(message("pong", nonce)).wait(30 * SECOND)
    tcp.close()
