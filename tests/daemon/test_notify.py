"""Messages to the service manager never hold the daemon up."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from sensor.daemon.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return receiver


def test_a_socket_that_nobody_reads_is_not_waited_for_and_counted(manager: socket.socket) -> None:
    notifier = Notifier()
    began = time.monotonic()
    for number in range(2_000):
        notifier.alive(f"watching {number}")
    assert time.monotonic() - began < 5.0
    assert 0 < notifier.unsent < 2_000
    assert manager.recv(4_096) == b"WATCHDOG=1\nSTATUS=watching 0"
    manager.close()


def test_what_is_read_is_sent_whole(manager: socket.socket) -> None:
    notifier = Notifier()
    notifier.ready("watching")
    assert manager.recv(4_096) == b"READY=1\nSTATUS=watching"
    assert notifier.unsent == 0
    manager.close()
    notifier.stopping()
    assert notifier.unsent == 1
