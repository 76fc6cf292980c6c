"""`minewatch status`: ask the sensors of this host, over their local sockets, how they stand."""

from __future__ import annotations

import argparse
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exporters.forms.status_screen import screen
from sensor.cli.frame import CommandError, load_configuration, os_reason, say
from sensor.cli.json_text import print_json
from sensor.daemon.sensor_id import state_folder
from sensor.model.exit_codes import OK, RUN_ERROR
from sensor.serve.status_socket import SUFFIX, folders
from sensor.settings.config import AUTO

#: Seconds that a sensor has for its answer.
PATIENCE_S = 5.0


def run(options: argparse.Namespace) -> int:
    """Print the status of each sensor that answers. Raises CommandError where none does."""
    statuses = ask_all(options)
    if options.json:
        print_json({"sensors": statuses})
    else:
        print("\n\n".join(screen(status) for status in statuses))
    return OK


def ask_all(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The status of each sensor that answers; of the others is said why. Raises CommandError where none does."""
    statuses, silent = [], []
    for path in _sockets(options):
        try:
            statuses.append(ask(path))
        except OSError as error:
            silent.append(f"{path}: {_reason(error)}")
        except (http.client.HTTPException, ValueError):
            silent.append(f"{path}: no sensor answers there")
    if options.sensor is not None:
        statuses = [status for status in statuses if status["sensor_id"] == options.sensor]
    if not statuses:
        raise CommandError(RUN_ERROR, *(silent or ["status: no sensor runs on this host, or none tells its status"]))
    for sentence in silent:
        say(sentence)
    return statuses


def ask(path: Path) -> dict[str, Any]:
    """The status that the sensor behind a socket tells. Raises OSError, HTTPException or ValueError."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", "/status")
        response = connection.getresponse()
        document = json.loads(response.read())
    finally:
        connection.close()
    if response.status != http.client.OK or not isinstance(document, dict):
        raise ValueError("not the status of a sensor")
    return document


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(str(self._path))


def _sockets(options: argparse.Namespace) -> Iterator[Path]:
    """The named socket, that of the configuration, or all there are."""
    if options.socket is not None:
        yield options.socket
        return
    settings = load_configuration(options)
    if settings.status.socket not in (None, AUTO):
        yield Path(str(settings.status.socket))
        return
    seen = set()
    for folder in folders(state_folder(settings.ledger.url)):
        try:
            paths = sorted(folder.glob(f"*{SUFFIX}"))
        except OSError as error:
            say(f"{folder}: {os_reason(error)}")
            continue
        for path in paths:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied: be root, or of the group of the sensor (minewatch)"
    if isinstance(error, ConnectionRefusedError):
        return "no sensor answers there any more"
    return os_reason(error)
