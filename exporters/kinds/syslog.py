"""Events as syslog messages (RFC 5424) over UDP (RFC 5426), TCP (RFC 6587, counted octets) or TLS (RFC 5425), the event's JSON as text.

rfc5424-logging-handler makes the message; the sockets are ours, since that library reconnects in silence and loses what was on its way.
Syslog knows no answer. Over TCP and TLS a batch counts as sent once the receiver's system has acknowledged its bytes, and what was sent
in the last seconds of a connection that broke is sent again: rather twice (with the same event_id) than never. UDP may lose messages,
and nobody is told.
"""

from __future__ import annotations

import errno
import fcntl
import io
import logging
import select
import socket
import ssl
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field
from rfc5424logging import Rfc5424SysLogHandler

from exporters.destination import Refused, Unreachable
from exporters.forms.event import CERTAIN, PROBABLE, dumps, severity
from exporters.forms.event import encode as event_of
from exporters.settings import Settings, Timeout, Tls
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.record import event_id

#: The number of RFC 5612, reserved for examples: the project has none of its own at IANA. Can be set to the operator's.
EXAMPLE_ENTERPRISE = "32473"
#: Messages of the last seconds of a connection that broke, and so many at most, are sent again: the receiver may not have read them.
DOUBT_S, DOUBT_MESSAGES = 5.0, 2_048
#: How often the system is asked whether all bytes were acknowledged, in seconds.
ASK_S = 0.01
#: The end of the year 9999, after which no timestamp can be written.
LAST_SECOND = 253_402_300_799.0
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
FACILITIES = {
    "kern": 0,
    "user": 1,
    "mail": 2,
    "daemon": 3,
    "auth": 4,
    "syslog": 5,
    "authpriv": 10,
    **{f"local{number}": 16 + number for number in range(8)},
}
#: What a message that is too long loses, step by step: all but the newest connections, and so on.
SHORTENED = (
    *(("mining", "flows", 128), ("mining", "flows", 32), ("mining", "flows", 8), ("mining", "flows", 1)),
    *(("attribution", "claims", 2), ("mining", "evidence", 1), ("mining", "workers", 4)),
    *(
        ("mining", "flows", 0),
        ("mining", "evidence", 0),
        ("mining", "workers", 0),
        ("attribution", "claims", 0),
        ("mining", "reasons", 0),
    ),
)
LEVELS = {CERTAIN: "ALERT", PROBABLE: "WARNING"}


class Config(Settings):
    """Where to and how. `message_bytes` is what receivers take by default (rsyslog: 8 KiB); longer events lose their oldest connections."""

    host: str = Field(min_length=1)
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None  # 514; 6514 for TLS
    transport: Literal["udp", "tcp", "tls"] = "udp"
    facility: Literal[
        "kern", "user", "mail", "daemon", "auth", "syslog", "authpriv",
        "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ] = "local0"  # fmt: skip
    hostname: str | None = None  # the sensor's name in the messages; the system's if none is given
    enterprise: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")] = EXAMPLE_ENTERPRISE
    message_bytes: Annotated[int, Field(ge=2_048, le=65_000)] = 8_192
    tls: Tls = Tls()
    timeout_s: Timeout = 5.0


class Format:
    """Turns records into messages; pure, given the host's name."""

    def __init__(self, settings: Config) -> None:
        self._handler = Rfc5424SysLogHandler(
            stream=io.BytesIO(),  # never written to: only the message is made by it
            facility=FACILITIES[settings.facility],
            hostname=settings.hostname,
            appname="minewatch",
            procid="-",
            enterprise_id=settings.enterprise,
            utc_timestamp=True,
            msg_as_utf8=False,  # ASCII; the mark of UTF-8 would stand in the way of JSON parsers
        )
        self._sd_id = f"minewatch@{settings.enterprise}"
        self._most_bytes = settings.message_bytes

    def encode(self, record: Finding | Node) -> bytes:
        """The message without framing. Raises Refused if it cannot be made short enough."""
        event = event_of(record)
        message = self._message(record, dumps(event))
        for shorter in _shortened(event):
            if len(message) <= self._most_bytes:
                break
            message = self._message(record, dumps(shorter))
        if len(message) > self._most_bytes:
            raise Refused(f"longer than message_bytes ({self._most_bytes}) even without its lists")
        return message

    def _message(self, record: Finding | Node, text: str) -> bytes:
        level = LEVELS.get(severity(record.grade), "NOTICE") if isinstance(record, Finding) else "NOTICE"
        created = min(max(0, record.last_ns) / 1e9, LAST_SECOND)
        line = logging.makeLogRecord({"name": "minewatch", "msg": text, "levelname": level, "created": created})
        line.msgid = "mining" if isinstance(record, Finding) else "node"
        line.structured_data = {self._sd_id: _data(record)}
        built = self._handler.build_msg(line)
        assert isinstance(built, bytes)
        return built


def _data(record: Finding | Node) -> dict[str, str]:
    """What collectors filter by without reading JSON."""
    data = {"event_id": event_id(record)}
    if isinstance(record, Finding):
        data |= {
            "finding_id": record.finding_id,
            "state": record.state,
            "grade": record.grade.label,
            "dialect": record.dialect,
        }
        data |= {"miner": record.miner_ip, "pool": f"{record.pool_ip}:{record.pool_port}"}
    else:
        data |= {"node_id": record.node_id, "protocol": record.protocol}
    return data


def _shortened(event: dict[str, object]) -> Iterator[dict[str, object]]:
    """The event without its longest lists, one after another; `flow_count` still says how many there were."""
    for section, key, kept in SHORTENED:
        part = event.get(section)
        if isinstance(part, dict) and len(part.get(key) or ()) > kept:
            event = {**event, section: {**part, key: part[key][len(part[key]) - kept :]}}
            yield event


class Sender:
    """Sends messages in batches over one socket."""

    most = 200
    repeat_s: float | None = None

    def __init__(self, settings: Config, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises Unusable if a certificate cannot be read."""
        self._settings, self._clock = settings, clock
        self._format = Format(settings)
        self._place = (settings.host, settings.port or PORTS[settings.transport])
        self._context = settings.tls.context() if settings.transport == "tls" else None
        self._socket: socket.socket | None = None
        self._doubtful: deque[tuple[float, bytes]] = deque(maxlen=DOUBT_MESSAGES)

    def send(self, records: Sequence[Finding | Node]) -> None:
        """Send the records as one batch. Raises Refused or OSError."""
        messages = [self._format.encode(record) for record in records]
        try:
            if self._settings.transport == "udp":
                self._datagrams(messages)
            else:
                self._stream([b"%d %b" % (len(message), message) for message in messages])
        except OSError as error:
            self.close()
            if error.errno == errno.EMSGSIZE:
                raise Refused("longer than a datagram of this network") from None
            raise Unreachable(f"{self._place[0]}:{self._place[1]}: {error.strerror or error}") from error

    def reopen(self) -> None:
        """Nothing is held open that could be rotated."""

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _datagrams(self, messages: Sequence[bytes]) -> None:
        if self._socket is None:
            family, kind, number, _, address = socket.getaddrinfo(*self._place, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, number)
            self._socket.settimeout(self._settings.timeout_s)
            self._socket.connect(address)
        for message in messages:
            self._socket.send(message)

    def _stream(self, frames: Sequence[bytes]) -> None:
        if self._socket is not None and _hung_up(self._socket):
            self.close()
        again: list[bytes] = []
        if self._socket is None:
            self._socket = self._connect()
            since = self._doubtful[-1][0] - DOUBT_S if self._doubtful else 0.0
            again = [frame for sent_at, frame in self._doubtful if sent_at >= since]
        self._socket.sendall(b"".join([*again, *frames]))
        self._acknowledged(self._socket)
        self._doubtful.extend((self._clock(), frame) for frame in frames)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._place, self._settings.timeout_s)
        if self._context is None:
            return connection
        try:
            return self._context.wrap_socket(connection, server_hostname=self._place[0])
        except OSError:
            connection.close()
            raise

    def _acknowledged(self, connection: socket.socket) -> None:
        """Wait until the other system has all bytes (SIOCOUTQ of tcp(7)); raises Unreachable if that takes too long."""
        until = self._clock() + self._settings.timeout_s
        while _unacknowledged_bytes(connection):
            if self._clock() > until:
                raise Unreachable("what was sent is not acknowledged")
            time.sleep(ASK_S)


def _unacknowledged_bytes(connection: socket.socket) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    return int(count)


def _hung_up(connection: socket.socket) -> bool:
    """Whether the other end closed: a receiver of syslog never sends, so what can be read is the end (or TLS's word of it)."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    if not isinstance(connection, ssl.SSLSocket):
        return connection.recv(1, socket.MSG_PEEK) == b""
    timeout_s = connection.gettimeout()
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except ssl.SSLWantReadError:  # TLS's own messages, such as session tickets
        return False
    finally:
        connection.settimeout(timeout_s)
