"""A PostgreSQL of the test's own: fresh files, a Unix socket and no network."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from sensor.ledger.store.schema import METADATA

STARTS_S = 30.0


class PostgresServer:
    """A server that can be killed and started again."""

    def __init__(self, folder: Path, binaries: Path, user: str, become: list[str]) -> None:
        self._folder, self._binaries, self._become = folder, binaries, become
        self.url = f"postgresql+psycopg://{user}@/postgres?host={folder}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self._folder}", "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [*self._become, self._binaries / "postgres", "-D", self._folder / "data", *settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        until = time.monotonic() + STARTS_S
        ready = [self._binaries / "pg_isready", "-h", str(self._folder), "-q"]
        while subprocess.run(ready, check=False).returncode:
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill it and all of its processes at once."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self._process.wait(STARTS_S)

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STARTS_S)


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Make one and start it, end it."""
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
        subprocess.run(
            [*become, binaries / "initdb", "-D", folder / "data", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
        )
        server = PostgresServer(folder, binaries, user, become)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def differences(connection: Connection) -> list[Any]:
    """In what the tables of a database are others than those of the schema; a partition's are its table's."""
    parts = {
        *(
            connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition"))
            if _is_server(connection)
            else ()
        )
    }

    def include(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name not in parts

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": include}), METADATA))


def _is_server(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Start it, give its URL, end it."""
    with postgres_server() as server:
        yield server.url
