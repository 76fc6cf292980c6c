"""JA3 and JA4 of programs that are here, reckoned besides from the hello's bytes by readings of their own."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sensor.model.encrypted import ClientHello
from tests.core.tls_bytes import HANDSHAKE, client_hello, extension, packets, record

TIMEOUT_S = 60


def fields(hello: bytes) -> tuple[int, list[int], list[tuple[int, bytes]]]:
    """Version, suites and extensions of a hello that is known to be whole, GREASE left out."""
    at = 4 + 34
    at += 1 + hello[at]
    (length,) = struct.unpack_from(">H", hello, at)
    suites = list(struct.unpack_from(f">{length // 2}H", hello, at + 2))
    at += 2 + length
    at += 1 + hello[at] + 2
    found = []
    while at < len(hello):
        kind, length = struct.unpack_from(">HH", hello, at)
        found.append((kind, hello[at + 4 : at + 4 + length]))
        at += 4 + length
    grease = {0x0A0A + 0x1010 * step for step in range(16)}
    suites = [suite for suite in suites if suite not in grease]
    return struct.unpack_from(">H", hello, 4)[0], suites, [(kind, data) for kind, data in found if kind not in grease]


def values(data: bytes, skip: int) -> list[int]:
    found = struct.unpack(f">{(len(data) - skip) // 2}H", data[skip:])
    return [value for value in found if value & 0x0F0F != 0x0A0A]


def reckoned(hello: bytes) -> tuple[str, str]:
    """JA3 by Salesforce's text, JA4 by FoxIO's."""
    version, suites, extensions = fields(hello)
    content = dict(reversed(extensions))
    kinds = [kind for kind, _ in extensions]
    groups, formats = values(content.get(10, b"\0\0"), 2), list(content.get(11, b"\0")[1:])
    lists = [[version], suites, kinds, groups, formats]
    ja3 = hashlib.md5(",".join("-".join(str(one) for one in part) for part in lists).encode()).hexdigest()
    alpn = content.get(16, b"")[3:]
    name = alpn[: content[16][2]] if alpn else b"00"
    highest = max(values(content[43], 1)) if 43 in content else version
    first = f"t{highest - 0x0304 + 13}{'d' if 0 in kinds else 'i'}{len(suites):02}{len(kinds):02}"
    second = ",".join(sorted(f"{suite:04x}" for suite in suites))
    third = ",".join(sorted(f"{kind:04x}" for kind in kinds if kind not in (0, 16)))
    if 13 in content:
        third += "_" + ",".join(f"{value:04x}" for value in values(content[13], 2))
    digests = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (second, third)]
    return ja3, "_".join([first + chr(name[0]) + chr(name[-1]), *digests])


def first_flight(connect: Callable[[int], object]) -> bytes:
    """What a client sends to a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = threading.Thread(target=connect, args=(server.getsockname()[1],), daemon=True)
        client.start()
        server.settimeout(TIMEOUT_S)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(TIMEOUT_S)
            data = connection.recv(65_536)
            while len(data) < 5 + int.from_bytes(data[3:5], "big"):
                data += connection.recv(65_536)
        client.join(TIMEOUT_S)
    return data


def python_client(
    port: int, *, name: str | None = None, alpn: Sequence[str] = (), highest: str = "MAXIMUM_SUPPORTED"
) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion[highest]
    if alpn:
        context.set_alpn_protocols(list(alpn))
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
        context.wrap_socket(connection, server_hostname=name)


def run(*command: str) -> Callable[[int], object]:
    def connect(port: int) -> None:
        filled = [part.replace("PORT", str(port)) for part in command]
        subprocess.run(filled, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False)

    return connect


CLIENTS: dict[str, Callable[[int], object]] = {
    "openssl": run("openssl", "s_client", "-connect", "127.0.0.1:PORT", "-noservername"),
    "openssl-name": run(
        "openssl", "s_client", "-connect", "127.0.0.1:PORT", "-servername", "pool.example", "-alpn", "h2"
    ),
    "curl": run("curl", "-sk", "https://127.0.0.1:PORT/"),
    "node": run(
        "node",
        "-e",
        "require('tls').connect({port: PORT, host: '127.0.0.1', servername: 'a.example'}).on('error', () => 0)",
    ),
    "python": python_client,
    "python-name": lambda port: python_client(port, name="pool.example", alpn=["http/1.1"]),
    "python-1.2": lambda port: python_client(port, highest="TLSv1_2"),
}
GO = """package main
import ("crypto/tls"; "os")
func main() { tls.Dial("tcp", "127.0.0.1:" + os.Args[1], &tls.Config{InsecureSkipVerify: true}) }
"""


def go_client(folder: Path) -> Callable[[int], object]:
    (folder / "main.go").write_text(GO)
    binary = str(folder / "client")
    subprocess.run(["go", "build", "-o", binary, str(folder / "main.go")], check=True, capture_output=True, timeout=300)
    return run(binary, "PORT")


@pytest.mark.parametrize("name", [*CLIENTS, "go"])
def test_fingerprints_of_real_clients_are_those_reckoned(engine, name, tmp_path):
    program = name.partition("-")[0]
    if program != "python" and shutil.which(program) is None:
        pytest.skip(f"{program} is not here")
    data = first_flight(go_client(tmp_path) if name == "go" else CLIENTS[name])
    (found,) = engine.packets(packets([(0.0, 0, data)])).of(ClientHello)
    assert (found.ja3, found.ja4) == reckoned(data[5:])
    assert found.length == len(data) - 5


def test_the_default_of_openssl_3_is_the_fingerprint_that_is_published(engine):
    """297 bytes without a name and a protocol: what XMRig and many others send."""
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=False).stdout
    if not version.startswith("OpenSSL 3.0"):
        pytest.skip(f"this is {version.strip() or 'no OpenSSL'}")
    data = first_flight(CLIENTS["openssl"])
    (found,) = engine.packets(packets([(0.0, 0, data)])).of(ClientHello)
    assert found.ja4 == "t13i310900_e8f1e7e78f70_1f22a2ca17c4"


@pytest.mark.parametrize(
    ("alpn", "expected"),
    [(b"h2", "h2"), (b"http/1.1", "h1"), (b"a", "aa"), (b"\xab", "ab"), (b"\xab\xcd", "ad"), (b"0\xab", "3b")],
)
def test_a_protocol_is_coded_by_its_ends(engine, alpn, expected):
    (found,) = engine.packets(packets([(0.0, 0, record(HANDSHAKE, client_hello(alpn=[alpn])))])).of(ClientHello)
    assert found.ja4[8:10] == expected


def test_counts_in_a_fingerprint_have_two_digits(engine):
    many = client_hello(ciphers=range(1, 150), more=[extension(1_000 + number, b"") for number in range(150)])
    (found,) = engine.packets(packets([(0.0, 0, record(HANDSHAKE, many))])).of(ClientHello)
    assert (found.ja4[4:8], found.ciphers) == ("9999", 149)
