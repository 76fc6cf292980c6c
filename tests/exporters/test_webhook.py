"""The webhook: what is posted can be verified, and what an answer means is told rightly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from exporters.destination import Refused, Unreachable, Unusable
from exporters.kinds.webhook import Config, Sender, sign
from exporters.settings import Tls
from sensor.model.record import event_id
from tests.delivery.receivers import HttpReceiver, certificates, free_port
from tests.ledger.made import finding

SECRET = b"a secret that nobody guesses"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    receiver = HttpReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n")
    return str(path)


def verified(headers: dict[str, str], body: bytes) -> bool:
    """As the specification tells receivers to do it."""
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(f"v1,{expected}", one) for one in headers["webhook-signature"].split(" "))


def test_every_post_can_be_verified_and_carries_the_events_name(receiver: HttpReceiver, secret: str) -> None:
    sender = Sender(Config(url=receiver.url, secret_file=secret), clock=lambda: 1_700_000_000.9)
    sender.send([finding(1)])
    sender.send([finding(2)])
    sender.close()
    for number, (headers, body) in enumerate(receiver.taken, 1):
        assert verified(headers, body)
        assert not verified(headers, body + b" ")
        assert headers["webhook-timestamp"] == "1700000000"
        assert headers["webhook-id"] == event_id(finding(number)) == json.loads(body)["event_id"]
        assert headers["content-type"] == "application/json"


def test_the_signature_is_that_of_the_specifications_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert (
        sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.parametrize(
    ("status", "error"), [(500, Unreachable), (503, Unreachable), (429, Unreachable), (408, Unreachable)]
)
def test_what_may_pass_is_tried_again(receiver: HttpReceiver, secret: str, status: int, error: type[Exception]) -> None:
    receiver.status = status
    with pytest.raises(error, match=str(status)):
        Sender(Config(url=receiver.url, secret_file=secret)).send([finding()])


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("location", ["http://127.0.0.2:9/login", "/elsewhere", "//[", None])
def test_a_redirect_is_tried_again_and_never_followed(
    receiver: HttpReceiver, secret: str, status: int, location: str | None
) -> None:
    receiver.status, receiver.headers = status, {} if location is None else {"Location": location}
    with pytest.raises(Unreachable, match=f"answered {status}: redirects.* are not followed") as caught:
        Sender(Config(url=receiver.url, secret_file=secret)).send([finding()])
    assert ("to 127.0.0.2" in str(caught.value)) == (location is not None and "127.0.0.2" in location)
    assert receiver.asked == 1


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"])
def test_a_receiver_that_hangs_is_left_after_the_timeout(secret: str, begun: bytes) -> None:
    """It answers nothing, or a head and then drop by drop: what has a head of success is taken."""
    done = threading.Event()

    def hang(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(begun)
            while not done.wait(0.05):
                try:
                    connection.sendall(b"." if begun else b"")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang, args=(server,), daemon=True).start()
        sender = Sender(Config(url=f"http://127.0.0.1:{server.getsockname()[1]}", secret_file=secret, timeout_s=0.3))
        began = time.monotonic()
        try:
            sender.send([finding()])
            taken = True
        except Unreachable:
            taken = False
        done.set()
    assert taken == bool(begun)
    assert time.monotonic() - began < 3.0


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: " + b"." * 200 + b"\r\n\r\nok"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_receiver_that_sends_a_byte_a_second_is_left_after_the_timeout(secret: str, scheme: str) -> None:
    """In its head, or in what should be TLS: each wait is short, and all of them together are bounded."""
    drip, done, asked = HEAD if scheme == "http" else b"\x16\x03\x03\x40\x00" + b"\x02" * 300, threading.Event(), []

    def serve(server: socket.socket) -> None:
        while not done.is_set():
            connection, _ = server.accept()
            asked.append(connection)
            with connection:
                connection.recv(65_536)
                for number in drip:
                    if done.wait(1.0):
                        return
                    try:
                        connection.sendall(bytes((number,)))
                    except OSError:
                        break

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        sender = Sender(Config(url=url, secret_file=secret, timeout_s=2.5))
        began = time.monotonic()
        with pytest.raises(Unreachable, match="timed out"):
            sender.send([finding()])
        assert 2.4 < time.monotonic() - began < 20.0  # its 200 bytes would take 200 s
        done.set()
    assert len(asked) == 1


def test_a_connection_is_kept_for_the_next_event_and_the_time_of_each_begins_anew(
    receiver: HttpReceiver, secret: str
) -> None:
    sender = Sender(Config(url=receiver.url, secret_file=secret, timeout_s=0.6))
    for number in range(4):
        sender.send([finding(number)])
        time.sleep(0.3)
    time.sleep(0.6)
    sender.send([finding(4)])
    assert len(receiver.taken) == 5


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
def test_what_will_not_change_is_refused(receiver: HttpReceiver, secret: str, status: int) -> None:
    receiver.status = status
    with pytest.raises(Refused, match=str(status)):
        Sender(Config(url=receiver.url, secret_file=secret)).send([finding()])
    assert receiver.asked == 1


def test_a_receiver_that_is_gone_or_silent_is_unreachable(secret: str) -> None:
    with pytest.raises(Unreachable):
        Sender(Config(url=f"http://127.0.0.1:{free_port()}", secret_file=secret)).send([finding()])
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unreachable, match=r"[Tt]imed out"):
        Sender(Config(url=f"http://127.0.0.1:{silent.getsockname()[1]}", secret_file=secret, timeout_s=0.2)).send(
            [finding()]
        )


def test_certificates_are_verified(tmp_path: Path, secret: str) -> None:
    files = certificates(tmp_path)
    secure = HttpReceiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["certificate"], files["key"])
    secure._server.socket = context.wrap_socket(secure._server.socket, server_side=True)
    try:
        url = f"https://localhost:{secure.port}"
        Sender(Config(url=url, secret_file=secret, tls=Tls(ca=str(files["ca"])))).send([finding()])
        assert len(secure.taken) == 1
        with pytest.raises(Unreachable, match=r"(?i)certificate"):
            Sender(Config(url=url, secret_file=secret)).send([finding()])
    finally:
        threading.Thread(target=secure.close, daemon=True).start()


def test_secrets_are_read_from_file_or_environment_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "plain text of sixteen bytes or more")
    Sender(Config(url="http://localhost/", secret_env="HOOK_SECRET"))
    for bad in ({}, {"secret_env": "A", "secret_file": "B"}, {"secret": "x"}):
        with pytest.raises(ValidationError):
            Config(url="http://localhost/", **bad)  # type: ignore[arg-type]
    short = tmp_path / "short"
    short.write_text("short")
    broken = tmp_path / "broken"
    broken.write_text("whsec_***")
    for name, word in (
        (str(tmp_path / "none"), "No such file"),
        (str(short), "shorter than"),
        (str(broken), "not Base64"),
    ):
        with pytest.raises(Unusable, match=word):
            Sender(Config(url="http://localhost/", secret_file=name))
    monkeypatch.setenv("HOOK_SECRET", "")
    with pytest.raises(Unusable, match="HOOK_SECRET holds nothing"):
        Sender(Config(url="http://localhost/", secret_env="HOOK_SECRET"))


def test_an_authorization_is_sent_along(receiver: HttpReceiver, secret: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("Bearer abc\n")
    Sender(Config(url=receiver.url, secret_file=secret, authorization_file=str(token))).send([finding()])
    assert receiver.taken[0][0]["authorization"] == "Bearer abc"
