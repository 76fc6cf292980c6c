"""The local socket of a running sensor: its status as JSON, for `minewatch status`.

HTTP over a Unix socket (`curl --unix-socket` reads it, too). Who may open the socket may read it: owner and group.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sensor.serve.access import Access, ServeError
from sensor.serve.server import MAX_CONNECTIONS, HttpRequest, HttpResponse, Server

JSON = "application/json; charset=utf-8"
SUFFIX = ".sock"
#: Where sockets are if systemd does not say otherwise (RuntimeDirectory=): of root, and of a user who is signed in.
SYSTEM_FOLDER, RUNTIME_VARIABLE, USER_VARIABLE = Path("/run/minewatch"), "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"
#: Bytes of a Unix socket's path, the closing zero among them (unix(7)).
MAX_PATH_BYTES = 108
MODE = 0o660


class StatusSocket:
    """Serves `document` from `start` to `close`. A socket that another process serves is not taken from it."""

    def __init__(self, path: Path, document: Callable[[], Mapping[str, Any]]) -> None:
        """`document` is called from the server's thread. Raises ServeError, one sentence."""
        self.path, self._document = path, document
        try:
            listening = _listen(path)
            self._place = _place(path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ServeError(f"{path}: the status cannot be served there: {reason}") from None
        self._server = Server(listening, Access(), self._respond, "status")

    def start(self) -> None:
        """Answer from now on."""
        self._server.start()

    def close(self) -> None:
        """Stop at once, and take the socket away unless it is another's by now."""
        self._server.close()
        with contextlib.suppress(OSError):
            if _place(self.path) == self._place:
                self.path.unlink()

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.path not in ("/", "/status"):
            return HttpResponse(404, b"no such page\n")
        text = json.dumps(self._document(), ensure_ascii=False, allow_nan=False)
        return HttpResponse(200, f"{text}\n".encode(), JSON)


def folders(state: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Where a sensor's socket may be, the likeliest first; `state` is where sensors keep their state."""
    given = environment.get(RUNTIME_VARIABLE, "").split(":")[0]
    user = environment.get(USER_VARIABLE, "")
    places = [*([Path(given)] if given else []), SYSTEM_FOLDER, *([Path(user) / "minewatch"] if user else []), state]
    return list(dict.fromkeys(places))


def default_path(sensor_id: str, state: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where this process serves its status: the first of those folders that is there or can be made."""
    for folder in folders(state, environment):
        path = folder / f"{sensor_id}{SUFFIX}"
        if len(os.fsencode(path)) >= MAX_PATH_BYTES:
            continue
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o755, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return path
    return state / f"{sensor_id}{SUFFIX}"


def _listen(path: Path) -> socket.socket:
    """A socket that listens there, in the place of one that nobody serves any more. Raises OSError."""
    if len(os.fsencode(path)) >= MAX_PATH_BYTES:
        raise OSError(0, f"the path is longer than {MAX_PATH_BYTES - 1} bytes; set status.socket")
    if path.is_socket():
        if _is_served(path):
            raise OSError(0, "another process serves its own there")
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        listening.bind(str(path))
        path.chmod(MODE)
        listening.listen(MAX_CONNECTIONS)
    except OSError:
        listening.close()
        raise
    return listening


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True


def _place(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino
