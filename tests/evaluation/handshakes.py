"""Real TLS stacks on the loopback interface: pairs of them play a script through a relay that notes who sent what.

From that come the bytes of their handshakes, which the writer puts into captures, and the records of whole sessions,
which `reality` compares with those the writer makes.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.evaluation.bursts import Profile
from tests.evaluation.sealing import APPLICATION, HEADER_BYTES, SUITES
from tests.evaluation.talk import DOWN, UP

PEERS = Path(__file__).parent / "peers"
CIPHERS = {
    "tls12-gcm": "ECDHE-RSA-AES128-GCM-SHA256",
    "tls12-chacha": "ECDHE-RSA-CHACHA20-POLY1305",
    "tls12-cbc": "ECDHE-RSA-AES128-SHA",
    "tls12-cbc-etm": "ECDHE-RSA-AES128-SHA",
}
#: Client, server, suite. Go knows no encrypt-then-MAC, rustls no CBC.
PAIRS = (
    ("openssl", "openssl", "tls13"),
    ("openssl", "go", "tls13"),
    ("openssl", "rustls", "tls13"),
    ("go", "openssl", "tls13"),
    ("go", "go", "tls13"),
    ("node", "node", "tls13"),
    ("node", "openssl", "tls13"),
    ("rustls", "rustls", "tls13"),
    ("rustls", "openssl", "tls13"),
    ("openssl", "openssl", "tls12-gcm"),
    ("go", "go", "tls12-gcm"),
    ("node", "openssl", "tls12-gcm"),
    ("rustls", "rustls", "tls12-gcm"),
    ("openssl", "openssl", "tls12-chacha"),
    ("go", "openssl", "tls12-chacha"),
    ("rustls", "go", "tls12-chacha"),
    ("openssl", "openssl", "tls12-cbc-etm"),
    ("node", "node", "tls12-cbc-etm"),
    ("openssl", "go", "tls12-cbc"),
    ("go", "openssl", "tls12-cbc"),
)
#: The name in hellos that have one.
NAME = "service.example.test"
QUESTION_BYTES, ANSWER_BYTES = 100, 50

Row = tuple[int, int, Sequence[int], bool]  # bytes that have to have come before, wait in ms, lengths, each alone
Heard = list[tuple[int, bytes]]


@dataclass
class Stacks:
    """How each stack's peer is started; those that cannot be built are missing, with the reason."""

    folder: Path
    commands: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def build(self) -> None:
        """Compiles what has to be compiled, and makes a certificate."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.commands["openssl"] = [sys.executable, str(PEERS / "peer.py")]
        self._go()
        self._node()
        self._rustls()
        if not (self.folder / "certificate.pem").exists():
            command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-sha256"]
            files = ["-keyout", str(self.folder / "key.pem"), "-out", str(self.folder / "certificate.pem")]
            subprocess.run([*command, *files, "-subj", f"/CN={NAME}"], check=True, capture_output=True)

    def _go(self) -> None:
        go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
        if go is None:
            self.missing["go"] = "there is no Go toolchain"
        elif self._ran("go", [go, "build", "-C", str(PEERS / "go"), "-o", str(self.folder.resolve() / "peer-go"), "."]):
            self.commands["go"] = [str(self.folder / "peer-go")]

    def _node(self) -> None:
        node = shutil.which("node")
        if node is None:
            self.missing["node"] = "there is no Node"
        else:
            self.commands["node"] = [node, str(PEERS / "peer.mjs")]

    def _rustls(self) -> None:
        cargo, target = shutil.which("cargo"), self.folder / "rustls"
        if cargo is None:
            self.missing["rustls"] = "there is no Rust toolchain"
            return
        # A copy, so that no lock file comes into the tree.
        shutil.copytree(PEERS / "rustls", target / "crate", dirs_exist_ok=True)
        manifest = str(target / "crate" / "Cargo.toml")
        if self._ran("rustls", [cargo, "build", "-q", "--manifest-path", manifest, "--target-dir", str(target)]):
            self.commands["rustls"] = [str(target / "debug" / "peer")]

    def _ran(self, stack: str, command: list[str]) -> bool:
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode:
            self.missing[stack] = (outcome.stderr.strip().splitlines() or ["it does not build"])[-1][:120]
        return not outcome.returncode

    def play(self, client: str, server: str, suite: str, name: str, up: list[Row], down: list[Row]) -> Heard:
        """One session; what each end sent, in the order in which it came by."""
        plan = {
            "version": SUITES[suite].version,
            "ciphers": CIPHERS.get(suite, ""),
            "certificate": str(self.folder / "certificate.pem"),
            "key": str(self.folder / "key.pem"),
            "name": name,
        }
        total = {UP: sum(sum(row[2]) for row in up), DOWN: sum(sum(row[2]) for row in down)}
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / "server.json", Path(folder) / "client.json"
            files[0].write_text(json.dumps({**plan, "role": "server", "rows": down, "expects": total[UP]}))
            with subprocess.Popen(
                [*self.commands[server], str(files[0])], stdout=subprocess.PIPE, text=True
            ) as serving:
                assert serving.stdout is not None
                relay = Relay(int(serving.stdout.readline()))
                ends = {**plan, "role": "client", "rows": up, "expects": total[DOWN], "port": relay.port}
                files[1].write_text(json.dumps(ends))
                subprocess.run([*self.commands[client], str(files[1])], check=True, timeout=60)
                serving.wait(timeout=60)
        return relay.heard


class Relay:
    """Stands between two ends and notes what passes."""

    def __init__(self, to_port: int) -> None:
        self.heard: Heard = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(to_port,), daemon=True).start()

    def _accept(self, to_port: int) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(("127.0.0.1", to_port))
        self._listener.close()
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self._pass, args=(near, far, UP), daemon=True).start()
        threading.Thread(target=self._pass, args=(far, near, DOWN), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, side: int) -> None:
        try:
            while part := source.recv(65_536):
                with self._lock:
                    self.heard.append((side, part))
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


def record_profile(stacks: Stacks, client: str, server: str, suite: str, named: bool) -> Profile:
    """The handshake of a pair: everything before the client's first words, which it delays."""
    up: list[Row] = [(0, 150, (QUESTION_BYTES,), True)]
    down: list[Row] = [(QUESTION_BYTES, 0, (ANSWER_BYTES,), True)]
    heard = stacks.play(client, server, suite, NAME if named else "", up, down)
    length = SUITES[suite].sealed(QUESTION_BYTES)
    words = bytes((APPLICATION, 3, 3)) + length.to_bytes(2, "big")
    flights: list[tuple[int, bytes]] = []
    for side, part in heard:
        if side == UP and part.startswith(words) and len(part) == HEADER_BYTES + length:
            return Profile(client, server, suite, named, tuple(flights))
        flights.append((side, part))
    raise RuntimeError(f"{client} to {server}, {suite}: the first words have another length")


def profiles(folder: Path) -> tuple[list[Profile], dict[str, str]]:
    """All pairs, from the cache or recorded now; and the stacks that are missing, with the reason."""
    cache = folder / "handshakes.json"
    if cache.exists():
        stored = json.loads(cache.read_text(encoding="utf-8"))
        rows = [(*row[:4], tuple((side, bytes.fromhex(text)) for side, text in row[4])) for row in stored["rows"]]
        return [Profile(*row) for row in rows], stored["missing"]
    stacks = Stacks(folder)
    stacks.build()
    found = [
        record_profile(stacks, client, server, suite, named)
        for client, server, suite in PAIRS
        if not {client, server} & stacks.missing.keys()
        for named in (False, True)
    ]
    rows = [(*profile[:4], [(side, part.hex()) for side, part in profile.flights]) for profile in found]
    at = time.strftime("%Y-%m-%d", time.gmtime())
    cache.write_text(json.dumps({"recorded": at, "missing": stacks.missing, "rows": rows}))
    return found, stacks.missing
