"""A bound for the whole of an exchange with a receiver.

A socket's own timeout bounds one wait: whoever sends a byte now and then is waited for without end. Here the socket is
shut down at the deadline, whatever it is being used for then, so that the call that waits ends.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Deadline:
    """As a context it bounds what is done within. One socket at a time belongs to it, and may stay open between
    exchanges."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held: socket.socket | None = None  # a duplicate: TLS takes the original over
        self._timer: threading.Timer | None = None
        self.passed = False

    def hold(self, connection: socket.socket) -> None:
        """Take a socket that was connected just now, in place of the one before; before TLS begins on it."""
        with self._lock:
            self._release()
            self._held = connection.dup()
            if self.passed:
                self._shut_down()

    def release(self) -> None:
        """Let go of the socket, which its user closes."""
        with self._lock:
            self._release()

    def __enter__(self) -> Self:
        with self._lock:
            self.passed = False
            self._timer = threading.Timer(self._seconds, self._pass)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None

    def _pass(self) -> None:
        with self._lock:
            if self._timer is threading.current_thread():  # else the exchange was over a moment before
                self.passed = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._held is not None:
            with contextlib.suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
