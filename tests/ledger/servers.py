"""A PostgreSQL of the test's own: fresh files, a Unix socket and no network."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

STARTS_S = 30.0


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Start it, give its URL, end it."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or psycopg is not installed (make debian-packages)")
    binaries = programs[-1].parent
    user, become = pwd.getpwuid(os.geteuid()).pw_name, []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("runuser is needed to start PostgreSQL as root")
        user, become = "postgres", ["runuser", "-u", "postgres", "--"]
    folder = Path(tempfile.mkdtemp(prefix="minewatch-pg-"))
    try:
        shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [*become, binaries / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
        )
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        server = subprocess.Popen(
            [*become, binaries / "postgres", "-D", data, *settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        try:
            until = time.monotonic() + STARTS_S
            ready = [binaries / "pg_isready", "-h", str(folder), "-q"]
            while subprocess.run(ready, check=False).returncode:
                assert time.monotonic() < until, "PostgreSQL does not start"
                time.sleep(0.1)
            yield f"postgresql+psycopg://{user}@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(STARTS_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
