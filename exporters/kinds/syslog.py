"""Events as syslog messages over UDP (RFC 5426), TCP (RFC 6587, counted octets) or TLS (RFC 5425).

`forms/syslog.py` makes the messages. The sockets are ours: the library for the messages reconnects in silence and
loses what was on its way. Syslog knows no answer. Over TCP and TLS a batch counts as sent once the receiver's system
has acknowledged its bytes, and what was sent in the last seconds of a connection that broke is sent again: rather
twice (with the same event_id) than never. UDP may lose messages, unnoticed.
"""

from __future__ import annotations

import errno
import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from exporters.destination import Refused, Unreachable
from exporters.forms.syslog import SyslogFormat
from exporters.settings import ExporterSettings, Timeout, Tls
from exporters.transports.deadline import Deadline
from sensor.model.audit_head import AuditAnchor
from sensor.model.record import Record
from sensor.model.text import endpoint_text

#: The number of RFC 5612, reserved for examples: the project has none of its own at IANA. Can be set to the operator's.
EXAMPLE_ENTERPRISE = "32473"
#: Messages of the last seconds of a connection that broke, and so many at most, are sent again: the receiver may not
#: have read them.
DOUBT_S, DOUBT_MESSAGES = 5.0, 2_048
#: How often the system is asked whether all bytes were acknowledged, in seconds.
ASK_S = 0.01
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}


class Config(ExporterSettings):
    """Where to and how. Events longer than `message_bytes` lose their oldest connections (rsyslog takes 8 KiB)."""

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


def message_format(settings: Config) -> SyslogFormat:
    """How records become messages under these settings."""
    return SyslogFormat(settings.facility, settings.hostname, settings.enterprise, settings.message_bytes)


class Sender:
    """Sends messages in batches over one socket."""

    most = 200
    repeat_s: float | None = None

    def __init__(self, settings: Config, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises Unusable if a certificate cannot be read."""
        self._settings, self._clock = settings, clock
        self._format = message_format(settings)
        self._place = (settings.host, settings.port or PORTS[settings.transport])
        self._context = settings.tls.context() if settings.transport == "tls" else None
        self._socket: socket.socket | None = None
        self._doubtful: deque[tuple[float, bytes]] = deque(maxlen=DOUBT_MESSAGES)

    def send(self, records: Sequence[Record]) -> None:
        """Send the records as one batch. Raises Refused or OSError."""
        self._send([self._format.encode(record) for record in records])

    def send_anchor(self, anchor: AuditAnchor) -> None:
        """Send the head of the audit's chain. Raises Refused or OSError."""
        self._send([self._format.encode_anchor(anchor)])

    def _send(self, messages: Sequence[bytes]) -> None:
        try:
            if self._settings.transport == "udp":
                self._datagrams(messages)
            else:
                self._stream([b"%d %b" % (len(message), message) for message in messages])
        except OSError as error:
            self.close()
            if error.errno == errno.EMSGSIZE:
                raise Refused("longer than a datagram of this network") from None
            raise Unreachable(f"{endpoint_text(*self._place)}: {error.strerror or error}") from error

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
        deadline = Deadline(self._settings.timeout_s)
        deadline.hold(connection)
        try:
            with deadline:
                return self._context.wrap_socket(connection, server_hostname=self._place[0])
        except OSError as error:
            connection.close()
            if deadline.passed or isinstance(error, TimeoutError):  # of all of it, or of one read
                raise Unreachable(f"timed out: no TLS within {self._settings.timeout_s:g} s") from None
            raise
        finally:
            deadline.release()

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
    """Whether the other end closed: a receiver never sends, so what can be read is the end (or TLS's notice of it)."""
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
