"""What deploy/compose describes as processes of this host: PostgreSQL, Kafka, collectors, the console and Prometheus,
by the very files that their containers would read. Only addresses and places are others.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.composed import COLLECTORS, COMPOSE, SENSORS, make_secrets, on_this_host
from tests.deploy.conftest import free_port, program, wait_for
from tests.kafka.broker import NoBrokerError, jars

#: What the scripts of Kafka's image run.
COMMANDS = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
}
PATIENCE_S = 90.0


class RunningCentre:
    """The parts, each with a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = make_secrets(folder / "secrets")
        names = ("postgres", "controller", "centre", "sensors", "console", "prometheus", *COLLECTORS, *SENSORS)
        self.ports = {name: free_port() for name in names}
        self._processes: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: list[str], **options: object) -> subprocess.Popen[bytes]:
        """One more process; it ends with all of them."""
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, **options)  # type: ignore[call-overload]
        self._processes.append((name, process))
        return process  # type: ignore[no-any-return]

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self.folder / f"{name}.log"

    def minewatch(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command of minewatch, to its end."""
        command = [sys.executable, "-m", "sensor.cli", *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=120)

    def configuration(self, service: str, file: str, *changes: tuple[str, str]) -> Path:
        """A configuration of minewatch on this host; each change is of a text that stands in it."""
        text = on_this_host((COMPOSE / file).read_text(encoding="utf-8"), service, self.secrets)
        places = (
            ("@postgres/minewatch?", f"@postgres:{self.ports['postgres']}/minewatch?hostaddr=127.0.0.1&"),
            ("kafka:9092", f"localhost:{self.ports['centre']}"),
            ("localhost:9093", f"localhost:{self.ports['sensors']}"),
        )
        for old, new in (*(place for place in places if place[0] in text), *changes):
            assert old in text, old
            text = text.replace(old, new)
        text = text.replace("/var/lib/minewatch/", f"{self.folder}/{service}-")
        path = self.folder / f"{service}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def stop(self) -> None:
        """End all, the last first."""
        for _, process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextlib.contextmanager
def running_centre(folder: Path) -> Iterator[RunningCentre]:
    """PostgreSQL and Kafka with the topic, ready for the rest. Skips where one of them is not here."""
    centre = RunningCentre(folder)
    try:
        _postgres(centre)
        _kafka(centre)
        yield centre
    finally:
        centre.stop()


def _postgres(centre: RunningCentre) -> None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs or os.geteuid() != 0 or shutil.which("runuser") is None:
        pytest.skip("PostgreSQL, and root to start it as another user, are needed (make debian-packages)")
    binaries, become, data = programs[-1].parent, ["runuser", "-u", "postgres", "--"], centre.folder / "postgres"
    for parent in (centre.folder, centre.secrets, *centre.folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    shutil.chown(centre.secrets / "postgres.key", pwd.getpwnam("postgres").pw_uid)
    data.mkdir()
    shutil.chown(data, "postgres")
    initialised = [*become, f"{binaries}/initdb", "-D", f"{data}/data", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initialised, check=True, capture_output=True, cwd="/")
    text = on_this_host((COMPOSE / "postgres/postgresql.conf").read_text(), "postgres", centre.secrets)
    text = text.replace("listen_addresses = '*'", "listen_addresses = '127.0.0.1'")
    for name in ("pg_hba.conf", "pg_ident.conf"):
        shutil.copy(COMPOSE / "postgres" / name, data / name)
        text = text.replace(f"/etc/postgresql/{name}", f"{data}/{name}")
    (data / "postgresql.conf").write_text(text)
    where = ["-c", f"port={centre.ports['postgres']}", "-c", f"unix_socket_directories={data}"]
    command = [*become, f"{binaries}/postgres", "-D", f"{data}/data", "-c", f"config_file={data}/postgresql.conf"]
    centre.start("postgresql", [*command, *where], cwd="/")
    asked = [f"{binaries}/pg_isready", "-h", str(data), "-p", str(centre.ports["postgres"]), "-q"]
    ready = wait_for(lambda: subprocess.run(asked, check=False).returncode == 0, PATIENCE_S)
    assert ready, centre.log("postgresql").read_text()
    script = ["-v", "ON_ERROR_STOP=1", "-f", "-"]
    subprocess.run(
        [*become, "psql", "-h", str(data), "-p", str(centre.ports["postgres"]), "-U", "postgres", *script],
        input=(COMPOSE / "postgres" / "database.sql").read_bytes(),
        check=True,
        capture_output=True,
        cwd="/",
    )


def _kafka(centre: RunningCentre) -> None:
    try:
        libraries = jars()
    except NoBrokerError as error:
        pytest.skip(str(error))
    if not any(libraries.glob("kafka-tools-4*.jar")):
        pytest.skip(f"{libraries} has no kafka-tools: run make deploy-tools")
    text = on_this_host((COMPOSE / "kafka/server.properties").read_text(), "kafka", centre.secrets)
    for old, new in (
        ("localhost:9091", f"localhost:{centre.ports['controller']}"),
        ("CENTRE://:9092", f"CENTRE://localhost:{centre.ports['centre']}"),
        ("SENSORS://:9093", f"SENSORS://localhost:{centre.ports['sensors']}"),
        ("CENTRE://kafka:9092", f"CENTRE://localhost:{centre.ports['centre']}"),
        ("SENSORS://localhost:9093", f"SENSORS://localhost:{centre.ports['sensors']}"),
        ("/var/lib/kafka/data", f"{centre.folder}/kafka"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    settings = centre.folder / "server.properties"
    settings.write_text(text)
    java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{libraries}/*"]
    identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    storage = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "-c", str(settings)]
    subprocess.run(storage, check=True, capture_output=True)
    centre.start("kafka", [*java, "kafka.Kafka", str(settings)], cwd=centre.folder)
    _commands(centre.folder / "bin", java)
    admin = centre.folder / "admin.properties"
    admin.write_text(on_this_host((COMPOSE / "kafka/admin.properties").read_text(), "kafka-topic", centre.secrets))
    places = {"BROKER": f"localhost:{centre.ports['centre']}", "COMMANDS": str(centre.folder / "bin")}
    until = time.monotonic() + PATIENCE_S
    for _ in range(2):  # it may be called again
        while True:
            done = subprocess.run(
                [program("sh"), str(COMPOSE / "kafka" / "topic.sh")],
                env={**os.environ, **places, "SETTINGS": str(admin)},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                break
            assert time.monotonic() < until, done.stdout + done.stderr + centre.log("kafka").read_text()[-2000:]


def _commands(folder: Path, java: list[str]) -> None:
    """Kafka's own scripts, as far as they are called."""
    folder.mkdir()
    called = set(re.findall(r"kafka-\w+\.sh", (COMPOSE / "kafka" / "topic.sh").read_text()))
    assert called == set(COMMANDS)
    for name, main in COMMANDS.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {" ".join(map(repr, java))} {main} "$@"\n')
        path.chmod(0o755)
