"""rsyslog understands every message, over UDP, TCP and TLS, and nothing is lost when it is away for a while."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from exporters.destination import Refused, Unreachable, Unusable
from exporters.kinds.syslog import Config, Sender, message_format
from exporters.settings import Tls
from sensor.model.finding import Finding
from sensor.model.record import Record, event_id
from tests.delivery.receivers import Rsyslog, certificates, eventually, free_port
from tests.exporters.test_eve import NODE
from tests.ledger.made import any_of, finding, flow

#: RFC 5424, section 6: header, structured data, message.
MESSAGE = re.compile(
    rb"<(?P<pri>[0-9]{1,3})>1 (?P<time>\S+) (?P<host>[!-~]{1,255}) minewatch - (?P<id>[!-~]{1,32}) "
    rb'\[minewatch@32473( [!-<>-~]{1,32}="(?:[^"\\\]]|\\["\\\]])*")+\] (?P<text>\{.*\})'
)


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rsyslog]:
    server = Rsyslog(tmp_path_factory.mktemp("rsyslog"))
    server.start()
    yield server
    server.stop()


def received(server: Rsyslog, prefix: str) -> list[str]:
    names = [json.loads(line["msg"])["mining"]["finding_id"] for line in server.received() if line["msgid"] == "mining"]
    return [name for name in names if name.startswith(prefix)]


@settings(max_examples=40)
@given(any_of(Record))
def test_any_record_is_a_message_of_the_standard_or_refused(record: Record) -> None:
    if isinstance(record, Finding) and not record.flows:
        return  # no finding is without a connection
    try:
        message = message_format(Config(host="localhost")).encode(record)
    except Refused:
        return
    found = MESSAGE.fullmatch(message)
    assert found, message
    assert json.loads(found["text"])["event_id"] == event_id(record)
    assert len(message) <= 8_192


def test_a_message_that_is_too_long_loses_its_oldest_connections_and_says_so() -> None:
    big = finding(flows=tuple(flow(number, began_s=number) for number in range(256)))
    message = message_format(Config(host="localhost")).encode(big)
    assert len(message) <= 8_192
    body = json.loads(message[message.index(b"] {") + 2 :])["mining"]
    assert body["flow_count"] == 256
    assert [one["src_port"] for one in body["flows"]] == [one.key.src_port for one in big.flows[-len(body["flows"]) :]]
    assert message_format(Config(host="localhost", message_bytes=65_000)).encode(big) != message


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_rsyslog_reads_every_part(rsyslog: Rsyslog, transport: str) -> None:
    port = rsyslog.udp if transport == "udp" else rsyslog.tcp
    settings = Config(host="127.0.0.1", port=port, transport=transport, hostname="edge-1", facility="local3")  # type: ignore[arg-type]
    sender = Sender(settings)
    records = [dataclasses.replace(finding(number), finding_id=f"{transport}-{number}") for number in range(30)]
    sender.send([*records, NODE])
    sender.close()
    eventually(lambda: len(received(rsyslog, transport)) == 30)
    assert received(rsyslog, transport) == [one.finding_id for one in records]
    line = next(line for line in rsyslog.received() if f"{transport}-7" in line["msg"])
    assert line["hostname"] == "edge-1"
    assert line["app-name"] == "minewatch"
    assert line["msgid"] == "mining"
    assert int(line["pri"]) == 19 * 8 + 1
    assert f'finding_id="{transport}-7"' in line["structured-data"]
    assert line["protocol-version"] == "1"
    assert any(line["msgid"] == "node" for line in rsyslog.received())


def test_over_tls_the_server_is_verified(tmp_path: Path) -> None:
    files = certificates(tmp_path)
    server = Rsyslog(tmp_path, files)
    if not any(Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")):
        pytest.skip("rsyslog-gnutls is not installed (make debian-packages)")
    server.start()
    try:
        trusted = Config(host="localhost", port=server.tcp, transport="tls", tls=Tls(ca=str(files["ca"])))
        sender = Sender(trusted)
        sender.send([finding(number) for number in range(50)])
        sender.send([finding(50)])
        sender.close()
        eventually(lambda: len(received(server, "finding")) == 51)
        with pytest.raises(Unreachable, match=r"(?i)certificate"):
            Sender(Config(host="localhost", port=server.tcp, transport="tls")).send([finding()])
    finally:
        server.stop()


def test_a_server_that_is_restarted_misses_nothing(tmp_path: Path) -> None:
    server = Rsyslog(tmp_path)
    server.start()
    sender = Sender(Config(host="127.0.0.1", port=server.tcp, transport="tcp"))
    for batch in range(30):
        if batch in (10, 20):
            server.stop()
        records = [finding(10 * batch + number) for number in range(10)]
        try:
            sender.send(records)
        except Unreachable:
            server.start()
            sender.send(records)
    eventually(lambda: len(set(received(server, "finding"))) == 300)
    server.stop()
    assert len(received(server, "finding")) <= 300 + 2 * 210


def test_a_server_that_begins_tls_drop_by_drop_is_left_after_the_timeout() -> None:
    done = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for number in b"\x16\x03\x03\x40\x00" + b"\x02" * 300:
                try:
                    connection.sendall(bytes((number,)))
                except OSError:
                    return
                if done.wait(0.5):
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        sender = Sender(Config(host="127.0.0.1", port=server.getsockname()[1], transport="tls", timeout_s=1.2))
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"timed out: no TLS within 1\.2 s"):
            sender.send([finding(1)])
        assert time.monotonic() - began < 2.5
        done.set()


def test_what_cannot_be_reached_or_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        Sender(Config(host="127.0.0.1", port=free_port(), transport="tcp")).send([finding()])
    with pytest.raises(Unreachable, match=r"no-such-host\.invalid"):
        Sender(Config(host="no-such-host.invalid", transport="tcp")).send([finding()])
    with pytest.raises(Unusable, match="No such file"):
        Sender(Config(host="localhost", transport="tls", tls=Tls(ca=str(tmp_path / "none.pem"))))
