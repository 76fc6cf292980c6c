"""Where findings go: files and sockets that can be written, receivers that answer. A receiver that is away is no reason
not to start: its events wait in the outbox.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from exporters.kinds import alertmanager, eve, kafka, prometheus, syslog, webhook
from sensor.daemon.readiness.places import check_written_file
from sensor.daemon.readiness.result import CheckResult
from sensor.daemon.readiness.user import SensorUser, may, owner_text

#: Seconds that a receiver has to take a connection.
CONNECT_S = 2.0
PORTS = {"http": 80, "https": 443}
NO_ANSWER_MEND = "start the receiver, or let the sensor reach it; events wait meanwhile"


def check_exporters(exporters: dict[str, list[Any]], user: SensorUser) -> Iterator[CheckResult]:
    """Each instance of each exporter."""
    if not any(exporters.values()):
        yield CheckResult("exporters", "note", "none is configured: findings are in the ledger, and told to nobody")
    for kind, instances in exporters.items():
        for instance in instances:
            name = getattr(instance, "name", None)
            yield from _instance(f"exporter {kind}" + (f".{name}" if name else ""), instance, user)


def _instance(part: str, instance: Any, user: SensorUser) -> Iterator[CheckResult]:
    if isinstance(instance, eve.Config):
        yield from _eve(part, instance, user)
    elif isinstance(instance, syslog.Config):
        port = instance.port or (6514 if instance.transport == "tls" else 514)
        yield _receiver(part, instance.host, port, datagrams=instance.transport == "udp")
    elif isinstance(instance, webhook.Config | alertmanager.Config):
        parts = urlsplit(instance.url)
        yield _receiver(part, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443))
    elif isinstance(instance, kafka.Config):
        for broker in instance.brokers:
            host, _, port_text = broker.rpartition(":")
            yield _receiver(part, host.removeprefix("[").removesuffix("]"), int(port_text))
    elif isinstance(instance, prometheus.Config):
        yield _listening(part, *prometheus.address(instance.listen))


def _eve(part: str, instance: eve.Config, user: SensorUser) -> Iterator[CheckResult]:
    path = Path(instance.path)
    if instance.path == "-":
        yield CheckResult(part, "ok", "standard output")
    elif instance.filetype == "regular":
        yield from check_written_file(part, path, user)
    elif not path.is_socket():
        yield CheckResult(part, "warning", f"{path}: no socket is there yet", NO_ANSWER_MEND)
    elif not may(user, path, os.W_OK):
        mend = f"let {user.name} write it"
        yield CheckResult(part, "warning", f"{path}: cannot be written by {user.name} ({owner_text(path)})", mend)
    else:
        yield CheckResult(part, "ok", f"{path}: is there")


def _receiver(part: str, host: str, port: int, *, datagrams: bool = False) -> CheckResult:
    place = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM
        )[0]
        with closing(socket.socket(family, kind, protocol)) as trial:
            trial.settimeout(CONNECT_S)
            trial.connect(address)
    except TimeoutError:
        return CheckResult(part, "warning", f"{place}: does not answer within {CONNECT_S:g} s", NO_ANSWER_MEND)
    except (OSError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return CheckResult(part, "warning", f"{place}: {reason}", NO_ANSWER_MEND)
    answer = "can be sent to; syslog over UDP does not answer" if datagrams else "takes connections"
    return CheckResult(part, "ok", f"{place}: {answer}")


def _listening(part: str, host: str, port: int) -> CheckResult:
    """Whether the metrics' address is free, or whose it is: that of a sensor that runs is taken by it."""
    place = f"{host or '*'}:{port}"
    family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                mend = "right if the sensor runs; else name another address"
                return CheckResult(part, "warning", f"{place}: a process listens there already", mend)
            reason = (error.strerror or str(error)).lower()
            return CheckResult(part, "failure", f"{place}: {reason}", "name an address of this host")
    return CheckResult(part, "ok", f"{place}: is free")
