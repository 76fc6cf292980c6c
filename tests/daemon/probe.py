"""A running daemon that tries what it must not be able to do, and says what came of it.

Started as `python -m tests.daemon.probe FILE`, it is `minewatch run -c FILE` with one addition: its threads try the
forbidden at their work. Nothing can be put into a daemon from outside, which is what the sandbox is for.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

RESULT = "probe.json"
#: A file that is no business of the daemon's.
OUTSIDE = "MINEWATCH_PROBE_OUTSIDE"
libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _child() -> None:
    if os.fork() == 0:
        os._exit(0)


def _listen_without_bind() -> None:
    with socket.socket() as unbound:
        unbound.listen()


def _listen(family: socket.AddressFamily, host: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> None:
    with socket.socket(family, kind) as trial:
        trial.bind((host, 0))


def _connect(port: int) -> None:
    with socket.socket() as trial:
        trial.connect(("127.0.0.1", port))


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read /etc/shadow": lambda: Path("/etc/shadow").read_bytes(),
    "read a file elsewhere": lambda: Path(os.environ[OUTSIDE]).read_bytes(),
    "write a file elsewhere": lambda: Path(os.environ[OUTSIDE]).write_bytes(b""),
    "make a file elsewhere": lambda: Path(os.environ[OUTSIDE]).with_name("made").write_bytes(b""),
    "execve": lambda: _call("execve", b"/bin/true", (ctypes.c_char_p * 1)(), (ctypes.c_char_p * 1)()),
    "a child that runs a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "a child": _child,
    "ptrace": lambda: _call("ptrace", 0x4206, os.getppid(), 0, 0),  # PTRACE_SEIZE, which stops nobody
    "memory of another process": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "listen on TCP": lambda: _listen(socket.AF_INET, "127.0.0.1"),
    "listen on TCP over IPv6": lambda: _listen(socket.AF_INET6, "::1"),
    "listen on UDP": lambda: _listen(socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM),
    "listen without binding": _listen_without_bind,
    "raw sockets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    "another port": lambda: _connect(9),
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "a namespace": lambda: _call("unshare", 0x10000000),  # CLONE_NEWUSER
}


def attempt() -> dict[str, str]:
    """What came of each: "done", or the error."""
    outcomes = {}
    for name, action in ATTEMPTS.items():
        try:
            action()
            outcomes[name] = "done"
        except OSError as error:
            outcomes[name] = type(error).__name__
    return outcomes


def main(file: Path) -> int:
    """The daemon, whose line, server and deliveries try the forbidden once each."""
    from sensor.cli.main import main as minewatch
    from sensor.daemon.daemon import Daemon
    from sensor.daemon.metrics_server import MetricsServer
    from sensor.delivery.worker import Worker

    results: dict[str, dict[str, str]] = {}

    def probing(thread: str, kind: type, name: str) -> None:
        original = getattr(kind, name)

        def probe(*arguments: object, **named: object) -> object:
            if thread not in results:
                results[thread] = attempt()
                left = file.with_name(f".{RESULT}.{threading.get_ident()}")
                left.write_text(json.dumps(results))
                left.replace(file.with_name(RESULT))
            return original(*arguments, **named)

        setattr(kind, name, probe)

    probing("line", Daemon, "_look_if_due")
    probing("metrics", MetricsServer, "_respond")
    probing("delivery", Worker, "_deliver")
    return minewatch(["run", "--slow", "-c", str(file)])


if __name__ == "__main__":
    # `main` sets this before numpy is imported; here its modules are imported first.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    raise SystemExit(main(Path(sys.argv[1])))
