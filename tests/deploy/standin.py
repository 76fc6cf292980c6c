"""Stands in for the daemon inside the unit: what it may and may not do, systemd's protocol, failing by a signal.

USR1: stop feeding the watchdog.  USR2: end as for a configuration that is wrong.  HUP and TERM: as the daemon does.
"""

import ctypes
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, "/usr/lib/minewatch")

from exporters.kinds.prometheus import Config
from sensor import _core
from sensor.daemon.metrics_server import MetricsServer
from sensor.model.status import Status

CLONE_NEWUSER = 0x10000000
ETH_P_ALL_BE = 0x0300


def tell(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
        service.connect(os.environ["NOTIFY_SOCKET"])
        service.sendall(text.encode())


def say(*words: object) -> None:
    print("==", *words, flush=True)


def reload(*_: object) -> None:
    tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")
    say("reloaded yes")
    tell("READY=1")


def stop(*_: object) -> None:
    tell("STOPPING=1")
    say("stopped yes")
    os._exit(0)


def starve(*_: object) -> None:
    global fed
    fed = False


def leave() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


TRIALS: dict[str, Callable[[], object]] = {
    "listen": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ETH_P_ALL_BE).bind(("mirror0", 0)),
    "write-state": lambda: Path("/var/lib/minewatch/tried").write_text(""),
    "write-log": lambda: Path("/var/log/minewatch/tried").write_text(""),
    "write-run": lambda: Path("/run/minewatch/tried").write_text(""),
    "write-configuration": lambda: Path("/etc/minewatch/tried").write_text(""),
    "write-program": lambda: Path("/usr/lib/minewatch/tried").write_text(""),
    "read-shadow": lambda: Path("/etc/shadow").read_text(),
    "read-others": lambda: Path("/proc/1/cmdline").read_text(),
    "make-code": lambda: mmap.mmap(-1, 4_096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "leave-namespace": leave,
    "call-out": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9)),
    "call-home": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
}

fed = True
say(
    "capabilities",
    next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff")),
)
say("engine", _core.ENGINE)
for name, attempt in TRIALS.items():
    try:
        attempt()
        say(name, "yes")
    except OSError as error:
        say(name, "no", error.errno)
signal.signal(signal.SIGHUP, reload)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGUSR1, starve)
signal.signal(signal.SIGUSR2, lambda *_: os._exit(78))
server = MetricsServer(Config(), lambda: Status(version="0", engine="compiled", start_ns=time.time_ns()))
server.start()
tell("READY=1\nSTATUS=capturing")
while True:
    if fed:
        tell("WATCHDOG=1")
    time.sleep(0.2)
