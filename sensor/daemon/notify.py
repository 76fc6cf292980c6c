"""Messages to systemd: READY, RELOADING, STOPPING, STATUS and WATCHDOG, as datagrams to the socket in NOTIFY_SOCKET
(sd_notify(3)).

Without that variable nothing is sent. A socket that does not take a message is no trouble of ours: it is not waited
for, and counted. Knows nothing of the daemon's state.
"""

from __future__ import annotations

import os
import socket
import time


class Notifier:
    """The way to the service manager, if there is one."""

    def __init__(self) -> None:
        """Take the address out of the environment, so that no child process speaks in our name."""
        self.unsent = 0  # messages that the socket did not take: nobody reads it, or it is gone
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        limit = os.environ.pop("WATCHDOG_USEC", "")
        ours = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_s = (
            int(limit) / 1e6 if limit.isdigit() and ours else None
        )  # how often it must hear of us at least

    def ready(self, status: str) -> None:
        """Everything runs."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def alive(self, status: str) -> None:
        """Every stage moves."""
        self._send("WATCHDOG=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """A line for `systemctl status`."""
        self._send(f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A name in the abstract namespace is written with an @ (systemd's convention).
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as sender:
                sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            self.unsent += 1
