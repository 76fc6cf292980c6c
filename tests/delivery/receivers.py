"""Real receivers for tests: an HTTP server that can fail for a while, rsyslog, Alertmanager. All on loopback, all
ended with the test.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

#: Longest wait for something that happens by itself.
PATIENCE_S = 20.0


def eventually(what: Callable[[], bool], told: str = "it never happened") -> None:
    """Wait until something holds."""
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, told
        time.sleep(0.02)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port nobody uses just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class HttpReceiver:
    """Keeps what is posted; answers with `status` until told otherwise."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.answer = b"ok"
        self.headers: dict[str, str] = {}  # of the answers, beside their length
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.asked = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked += 1
                status = receiver.status
                if 200 <= status < 300:
                    receiver.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                answer = b"" if status == 304 else receiver.answer
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class Rsyslog:
    """rsyslogd with its output as lines of JSON; can be ended and started again on the same ports."""

    def __init__(self, folder: Path, certificates: dict[str, Path] | None = None) -> None:
        self.program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
        if self.program is None:
            pytest.skip("rsyslogd is not installed (make debian-packages)")
        self.folder = folder
        self.output = folder / "received.json"
        self.udp, self.tcp = free_port(socket.SOCK_DGRAM), free_port()
        self.config = folder / "rsyslog.conf"
        driver = ""
        if certificates is not None:
            driver = ' streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"'
        lines = [
            f'global(workDirectory="{folder}" maxMessageSize="64k"{_tls(certificates)})',
            'module(load="imudp")',
            f'module(load="imtcp"{driver})',
            f'input(type="imudp" address="127.0.0.1" port="{self.udp}")',
            f'input(type="imtcp" address="127.0.0.1" port="{self.tcp}")',
            'template(name="all" type="list" option.jsonf="on") {',
            *(
                f' property(outname="{name}" name="{name}" format="jsonf")'
                for name in (
                    "pri",
                    "timereported",
                    "hostname",
                    "app-name",
                    "msgid",
                    "structured-data",
                    "msg",
                    "protocol-version",
                )
            ),
            "}",
            f'action(type="omfile" file="{self.output}" template="all" fileCreateMode="0644")',
        ]
        self.config.write_text("\n".join(lines) + "\n")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert self.program is not None
        command = [self.program, "-n", "-f", str(self.config), "-i", str(self.folder / "rsyslog.pid")]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=(self.folder / "rsyslog.err").open("ab")
        )
        eventually(lambda: listens(self.tcp), "rsyslogd does not listen")

    def stop(self) -> None:
        """End it the ordinary way."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def received(self) -> list[dict[str, str]]:
        """The messages, as rsyslog understood them."""
        text = self.output.read_text() if self.output.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def _tls(certificates: dict[str, Path] | None) -> str:
    if certificates is None:
        return ""
    names = {"CAFile": "ca", "CertFile": "certificate", "KeyFile": "key"}
    return "".join(f' defaultNetstreamDriver{name}="{certificates[which]}"' for name, which in names.items())


def listens(port: int) -> bool:
    """Whether somebody takes connections."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
        return True
    return False


def certificates(folder: Path) -> dict[str, Path]:
    """A certificate for localhost, signed by a CA of its own. Needs openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    ca, ca_key, key, asked, certificate, names = (
        folder / name for name in ("ca.pem", "ca.key", "key.pem", "csr.pem", "cert.pem", "names")
    )
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    signer = ["-CA", ca, "-CAkey", ca_key, "-CAcreateserial"]
    for command in (
        ["req", "-x509", *curve, "-days", "2", "-subj", "/CN=test ca", "-keyout", ca_key, "-out", ca],
        ["req", *curve, "-subj", "/CN=localhost", "-keyout", key, "-out", asked],
        ["x509", "-req", "-days", "2", "-in", asked, *signer, "-extfile", names, "-out", certificate],
    ):
        subprocess.run([openssl, *map(str, command)], check=True, capture_output=True)
    return {"ca": ca, "key": key, "certificate": certificate}


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """A running Alertmanager; gives its URL."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("prometheus-alertmanager is not installed (make debian-packages)")
    config = folder / "alertmanager.yml"
    config.write_text(
        "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\nglobal: {resolve_timeout: 5m}\n"
    )
    port = free_port()
    flags = [
        f"--web.listen-address=127.0.0.1:{port}",
        f"--config.file={config}",
        f"--storage.path={folder}/am",
        "--cluster.listen-address=",
    ]
    process = subprocess.Popen([program, *flags], stdout=subprocess.DEVNULL, stderr=(folder / "am.err").open("wb"))
    try:
        eventually(lambda: _ready(f"http://127.0.0.1:{port}/-/ready"), "Alertmanager does not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def alerts(url: str) -> list[dict[str, object]]:
    """What Alertmanager holds as active."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
        found: list[dict[str, object]] = json.load(answer)
    return found


def _ready(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
        return bool(answer.status == 200)
    return False
