"""A network namespace for each test, with two cables in it: what is sent into a0 (a1) comes out of b0 (b1).

Nothing leaves it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sensor.intake.interfaces import list_interfaces
from sensor.model.events import Event
from tests.core.conftest import LITERALS, MODULES, OPENINGS, compiled_is_there

CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


def missing() -> str | None:
    """Why namespaces cannot be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "network namespaces need `ip` (Debian: iproute2)"
    probe = f"minewatch-probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return f"no network namespace can be made here: {made.stderr.strip()}" if made.returncode else None


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class Net:
    """The namespace this thread is in while the test runs."""

    def __init__(self) -> None:
        self._senders: dict[str, socket.socket] = {}
        self.sent = 0

    def cable(self, number: int) -> None:
        ip("link", "add", f"a{number}", "type", "veth", "peer", "name", f"b{number}")
        for end in (f"a{number}", f"b{number}"):
            ip("link", "set", end, "up")
        self.settle()
        self._senders.pop(f"a{number}", None)

    @staticmethod
    def settle(*ends: str) -> None:
        """Wait until the cables carry; what is sent before that is lost."""
        last = time.monotonic() + 10
        while any(
            one.state != "up" for one in list_interfaces() if one.name in (ends or (one.name,)) and one.name != "lo"
        ):
            assert time.monotonic() < last
            time.sleep(0.01)

    def send(self, frames: Sequence[bytes], into: str = "a0") -> None:
        sender = self._senders.get(into)
        if sender is None:
            sender = self._senders[into] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            sender.bind((into, 0))
        for frame in frames:
            sender.send(frame)
        self.sent += len(frames)

    def close(self) -> None:
        for sender in self._senders.values():
            sender.close()


@pytest.fixture(scope="session")
def namespaces() -> None:
    why = missing()
    if why:
        pytest.skip(why)


@pytest.fixture
def net(namespaces: None) -> Iterator[Net]:  # noqa: ARG001
    name = f"minewatch-{os.getpid()}-{next(_numbers)}"
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    ip("netns", "add", name)
    made = Net()
    try:
        inside = os.open(f"/var/run/netns/{name}", os.O_RDONLY)
        _enter(inside)
        os.close(inside)
        for scope in ("all", "default"):  # or the kernel itself would send
            for path in Path("/proc/sys/net/ipv6/conf").glob(f"{scope}/disable_ipv6"):
                path.write_text("1")
        made.cable(0)
        yield made
    finally:
        made.close()
        _enter(home)
        os.close(home)
        ip("netns", "del", name)


class Listener:
    """A core that listens, and what has come out of it."""

    def __init__(self, name: str, **limits: Any) -> None:
        module: Any = __import__(MODULES[name], fromlist=["Core"])
        self.error = module.CaptureError
        self.core = module.Core(module.Tables(LITERALS, OPENINGS, []), module.Limits(**limits))
        self.events: list[Event] = []

    def attach(self, *names: str, **options: Any) -> Listener:
        for name in names:
            self.core.attach(f"iface:{name}", **({"full": "drop"} | options))
        return self

    def until(self, enough: Callable[[], bool], seconds: float = 10.0) -> Listener:
        """Poll until something is so, or the time is over."""
        last = time.monotonic() + seconds
        while not enough() and time.monotonic() < last:
            self.events += self.core.poll(1_024, 20)
        assert enough(), f"not within {seconds} s; {self.core.stats()} {self.core.interfaces()}"
        return self

    def end(self) -> dict[str, int]:
        """Listen no more; the counters, after checking that nothing is unaccounted for."""
        self.core.finish()
        last = time.monotonic() + 20
        while not self.core.finished:
            self.events += self.core.poll(1_024, 100)
            assert time.monotonic() < last
        stats: dict[str, int] = self.core.stats()
        assert stats["packets"] == stats["segments"] + stats["excluded"] + sum(
            stats[name] for name in stats if name.startswith("ignored_")
        )
        assert stats["kernel_received"] == stats["packets"] + stats["kernel_dropped"]
        self.core.close()
        return stats

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if type(event) is kind]

    @property
    def stats(self) -> dict[str, int]:
        found: dict[str, int] = self.core.stats()
        return found


@pytest.fixture(params=["reference", "compiled"])
def listen(request: pytest.FixtureRequest) -> Callable[..., Listener]:
    """Makes listeners of one core."""
    if request.param == "compiled" and not compiled_is_there():
        pytest.skip("the compiled core (sensor._core) is not built")
    return lambda **limits: Listener(request.param, **limits)


@pytest.fixture
def listen_compiled() -> Callable[..., Listener]:
    if not compiled_is_there():
        pytest.skip("the compiled core (sensor._core) is not built")
    return lambda **limits: Listener("compiled", **limits)
