"""The server of the metrics: what it answers, and that nobody who is slow, many, rude or not allowed is in anybody's
way.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest
from prometheus_client import CollectorRegistry, generate_latest

import sensor.serve.server
from exporters.kinds.prometheus import Config
from sensor.daemon.metrics_server import MetricsServer, stalled
from sensor.model.status import Status
from sensor.serve.access import ServeError
from sensor.serve.server import MAX_CONNECTIONS, HttpRequest
from tests.exporters.statuses import busy, quiet
from tests.serve.conftest import Serve

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def get(
    server: MetricsServer, path: str, method: str = "GET", *, tls: ssl.SSLContext | None = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPMessage]:
    make = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    if tls is not None:
        make = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=tls)
    make.request(method, path, headers=headers)
    answer = make.getresponse()
    body = answer.read()
    make.close()
    return answer.status, body, answer.headers


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def counted(server: MetricsServer, line: str, least: float = 1, within_s: float = 15) -> bool:
    """Whether a series of the server's reaches a value in time; asking counts, too."""
    for _ in range(int(within_s * 10)):
        text = get(server, "/metrics")[1].decode()
        if any(float(found.split()[-1]) >= least for found in text.splitlines() if found.startswith(line)):
            return True
        time.sleep(0.1)
    return False


def knock(server: MetricsServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_metrics_come_in_the_form_that_was_asked_for(serve: Serve) -> None:
    server = serve()
    status, plain, headers = get(server, "/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b"minewatch_packets_total" in plain
    assert not plain.endswith(b"# EOF\n")
    status, text, headers = get(server, "/metrics", Accept=OPENMETRICS)
    assert headers["Content-Type"].startswith(OPENMETRICS)
    assert text.endswith(b"# EOF\n")
    assert get(server, "/metrics", Accept="application/openmetrics-text; version=a.b, text/plain; version=x")[0] == 200


def test_however_often_they_are_asked_for_metrics_are_encoded_once_a_second(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, encoded, status = [100.0], [], busy()

    def encoding(registry: CollectorRegistry) -> bytes:
        encoded.append(clock[0])
        return generate_latest(registry)

    server = serve(lambda: status)
    monkeypatch.setattr("sensor.daemon.metrics_server.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("sensor.daemon.metrics_server.choose_encoder", lambda accept: (encoding, accept))
    ask = HttpRequest("/metrics", {})
    with ThreadPoolExecutor(8) as pool:  # asked beside the server's own thread, as if it had several
        assert len({response.body for response in pool.map(server._respond, [ask] * 100)}) == 1
    assert encoded == [100.0]
    server._respond(HttpRequest("/metrics", {"accept": "another form"}))
    assert encoded == [100.0, 100.0]
    for clock[0] in (100.9, 101.0, 101.9, 102.1):
        server._respond(ask)
    assert encoded == [100.0, 100.0, 101.0, 102.1]
    status = replace(status, lag_seconds=7.5)
    assert b"minewatch_capture_lag_seconds 7.5" in server._respond(ask).body
    assert encoded == [100.0, 100.0, 101.0, 102.1, 102.1]


def test_only_the_asked_paths_and_methods_are_answered(serve: Serve) -> None:
    server = serve()
    assert get(server, "/")[:2] == (200, b"minewatch: /metrics /healthz /readyz\n")
    assert get(server, "/secrets")[0] == 404
    assert get(server, "/metrics", "POST")[0] == 405
    status, body, headers = get(server, "/metrics?x=1", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 10_000
    assert counted(server, 'minewatch_http_responses_total{code="404"}')
    assert counted(server, 'minewatch_http_responses_total{code="405"}')


def test_health_is_that_every_stage_moves(serve: Serve) -> None:
    beats = dict(busy().heartbeats_ns)
    server = serve(lambda: replace(busy(), heartbeats_ns=beats))
    assert get(server, "/healthz")[:2] == (200, b"ok\n")
    beats["record"] -= 100 * 1_000_000_000
    status, body, _ = get(server, "/healthz")
    assert status == 503
    assert body.startswith(b"record has not moved for 10")
    assert get(server, "/readyz")[0] == 200
    assert counted(server, 'minewatch_http_responses_total{code="503"}')


def test_a_stage_may_rest_for_as_long_as_it_may() -> None:
    status = replace(quiet(), heartbeats_ns={"line": 1_000_000_000_000})
    assert stalled(status, 1_030_999_999_999, 30) == []
    assert stalled(status, 1_031_000_000_000, 30) == ["line has not moved for 31 s"]
    assert stalled(status, 900_000_000_000, 30) == []  # the clock was set back


def test_readiness_is_that_packets_are_captured(serve: Serve) -> None:
    server = serve(lambda: replace(busy(), unready=("mirror0 is down", "mirror1 is gone")))
    assert get(server, "/readyz")[:2] == (503, b"mirror0 is down\nmirror1 is gone\n")
    assert get(server, "/healthz")[0] == 200


def test_a_status_that_cannot_be_had_is_said_and_counted(serve: Serve) -> None:
    states: Iterator[Status | None] = iter([None, None])

    def source() -> Status:
        if next(states, busy()) is None:
            raise RuntimeError("a secret detail")
        return busy()

    server = serve(source)
    for path in ("/metrics", "/healthz"):
        assert get(server, path)[:2] == (500, b"RuntimeError\n")
    assert counted(server, 'minewatch_http_responses_total{code="500"}', 2)


HOSTILE = {
    "zeros": b"\x00" * 100 + b"\r\n\r\n",
    "no version": b"GET /metrics\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "long head": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 5_000,
    "empty lines": b"\r\n" * 40_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_and_counted(serve: Serve, hostile: bytes) -> None:
    server = serve()
    with knock(server) as client:
        client.sendall(hostile)
        assert client.recv(12) == b"HTTP/1.1 400"
    assert counted(server, 'minewatch_http_responses_total{code="400"}')


def test_slow_clients_block_nobody_and_are_ended(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor.serve.server, "DEADLINE_S", 1.0)
    server = serve()
    silent, halting = knock(server), knock(server)
    halting.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
    assert get(server, "/metrics")[0] == 200  # while both hold their connection
    for client in (silent, halting):
        with client:
            assert client.recv(1) == b""
    assert counted(server, 'minewatch_http_connections_dropped_total{reason="slow"}', 2)


def test_past_the_bound_the_oldest_connection_makes_room(serve: Serve) -> None:
    server = serve()
    idle = [knock(server) for _ in range(MAX_CONNECTIONS + 8)]
    assert get(server, "/metrics")[0] == 200
    assert counted(server, 'minewatch_http_connections_dropped_total{reason="full"}', 8)
    assert idle[0].recv(1) == b""
    for client in idle:
        client.close()


def test_a_client_that_breaks_off_is_counted(serve: Serve) -> None:
    server = serve()
    with knock(server) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closing sends a reset
        time.sleep(0.1)
    assert counted(server, 'minewatch_http_connections_dropped_total{reason="broken"}')


def test_an_address_that_is_taken_is_said_in_one_sentence(serve: Serve) -> None:
    server = serve()
    for listen, reason in (
        (f"127.0.0.1:{server.port}", "address already in use"),
        ("192.0.2.1:9", "cannot assign requested address"),
    ):
        with pytest.raises(ServeError, match=f"^{listen}: cannot listen for scrapes: {reason}"):
            MetricsServer(Config(listen=listen), busy)


def test_users_have_to_say_who_they_are(serve: Serve, tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users:\n  alice: {bcrypt.hashpw(b'right', bcrypt.gensalt(4)).decode()}\n")
    server = serve(web_config=web)
    status, _, headers = get(server, "/metrics")
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="minewatch", charset="UTF-8"')
    for path in ("/metrics", "/healthz", "/readyz", "/"):
        assert get(server, path, **basic("alice", "right"))[0] == 200
        assert get(server, path, **basic("alice", "wrong"))[0] == 401
    assert get(server, "/metrics", **basic("bob", "right"))[0] == 401
    assert get(server, "/metrics", **basic("alice", "x" * 5_000))[0] == 401
    for hostile in (
        "Basic",
        "Basic !!",
        "Basic " + base64.b64encode(b"\xff:right").decode(),
        "Basic YWxpY2U=",
        "Bearer YWxpY2U6cmlnaHQ=",
    ):
        assert get(server, "/metrics", Authorization=hostile)[0] == 401


def test_one_slow_look_at_passwords_does_not_hold_up_who_is_known(serve: Serve, tmp_path: Path) -> None:
    web = tmp_path / "web.yml"
    web.write_text(f"basic_auth_users:\n  alice: {bcrypt.hashpw(b'right', bcrypt.gensalt(12)).decode()}\n")
    server = serve(web_config=web)
    assert get(server, "/metrics", **basic("alice", "right"))[0] == 200
    clients = []
    for number in range(8):
        client = knock(server)
        value = basic("alice", f"guess {number}")["Authorization"]
        client.sendall(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {value}\r\n\r\n".encode())
        clients.append(client)
    assert get(server, "/metrics", **basic("alice", "right"))[0] == 200
    clients[-1].setblocking(False)
    with pytest.raises(BlockingIOError):  # the guesses still wait
        clients[-1].recv(1)
    for client in clients:
        client.close()


def test_tls_and_the_certificates_of_clients(serve: Serve, tmp_path: Path, certificates: Path) -> None:
    web = tmp_path / "web.yml"
    tls = f"tls_server_config:\n  cert_file: {certificates}/one.crt\n  key_file: {certificates}/one.key\n"
    web.write_text(
        tls
        + "  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\n"
        + f"  client_ca_file: {certificates}/two.crt\n"
    )
    server = serve(web_config=web)
    trusting = ssl.create_default_context(cafile=str(certificates / "one.crt"))
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.BadStatusLine)):
        get(server, "/metrics", tls=trusting)
    trusting.load_cert_chain(certificates / "two.crt", certificates / "two.key")
    assert get(server, "/metrics", tls=trusting)[0] == 200
    old = ssl.create_default_context(cafile=str(certificates / "one.crt"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        get(server, "/metrics", tls=old)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        get(server, "/metrics")  # no TLS at all


def test_a_new_certificate_is_taken_without_a_restart_and_a_broken_one_is_not(
    serve: Serve, tmp_path: Path, certificates: Path
) -> None:
    web = tmp_path / "web.yml"
    server = serve()
    assert get(server, "/metrics")[0] == 200

    def reload(text: str) -> None:
        web.write_text(text)
        server.reload(Config(listen="127.0.0.1:0", web_config_file=str(web)))

    for name in ("one", "two"):
        reload(f"tls_server_config:\n  cert_file: {certificates}/{name}.crt\n  key_file: {certificates}/{name}.key\n")
        assert (
            get(server, "/metrics", tls=ssl.create_default_context(cafile=str(certificates / f"{name}.crt")))[0] == 200
        )
    with pytest.raises(ServeError, match="cert_file: cannot be used"):
        reload(f"tls_server_config:\n  cert_file: {certificates}/one.crt\n  key_file: {certificates}/two.key\n")
    assert get(server, "/metrics", tls=ssl.create_default_context(cafile=str(certificates / "two.crt")))[0] == 200
    with pytest.raises(ServeError, match="needs a restart"):
        server.reload(Config(listen="127.0.0.1:1"))


def test_closing_ends_everything_and_may_be_repeated(serve: Serve) -> None:
    server = serve()
    held = knock(server)
    assert get(server, "/healthz")[0] == 200
    server.close()
    server.close()
    assert held.recv(1) == b""
    held.close()
    MetricsServer(Config(listen="127.0.0.1:0"), busy).close()  # never started
