"""A broker of Kafka of the test's own: KRaft, one process that is broker and controller, on loopback, with fresh
files. It can be killed and started again. Its jars lie in KAFKA_HOME/libs, or in build/kafka/libs, where `make kafka`
puts them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

from tests.delivery.receivers import free_port

ROOT = Path(__file__).parents[2]
STARTS_S = 60.0
PARTITIONS = 8


class NoBrokerError(Exception):
    """A broker cannot be started here; one sentence."""


def jars() -> Path:
    """The folder of the jars. Raises NoBrokerError."""
    home = os.environ.get("KAFKA_HOME")
    folder = Path(home) / "libs" if home else ROOT / "build" / "kafka" / "libs"
    if not any(folder.glob("kafka_*.jar")):
        raise NoBrokerError(f"there are no jars of Kafka in {folder}: run make kafka, or set KAFKA_HOME")
    if shutil.which("java") is None:
        raise NoBrokerError("there is no java on the PATH")
    return folder


class Broker:
    """One broker."""

    def __init__(self, folder: Path, security: str = "", scram: str = "") -> None:
        """`security` are lines of its settings for one more listener, SECURED; `scram` the account that it has from the
        beginning, as its storage tool takes it."""
        self._folder, self._libraries = folder, jars()
        self.port, self.secured_port = free_port(), free_port()
        self.place = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = folder / "server.properties"
        listener = f",SECURED://127.0.0.1:{self.secured_port}" if security else ""
        self._settings.write_text(_properties(folder, self.port, free_port(), listener) + security)
        identity = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        account = ["--add-scram", scram] if scram else []
        self._java("kafka.tools.StorageTool", "format", f"--cluster-id={identity}", "-c", str(self._settings), *account)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        log = (self._folder / "broker.log").open("ab")
        self._process = subprocess.Popen(
            self._command("kafka.Kafka", str(self._settings)), stdout=log, stderr=log, cwd=self._folder
        )
        log.close()
        until = time.monotonic() + STARTS_S
        while True:
            try:
                AdminClient({"bootstrap.servers": self.place, "log_level": 0}).list_topics(timeout=2)
                return
            except KafkaException:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise NoBrokerError(f"it does not start: {self._tail()}") from None

    def kill(self) -> None:
        """Kill it as a power cut would, but for the kernel's memory."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STARTS_S)

    def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STARTS_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def _command(self, name: str, *arguments: str) -> list[str]:
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{self._libraries}/*", name, *arguments]

    def _java(self, name: str, *arguments: str) -> None:
        done = subprocess.run(self._command(name, *arguments), capture_output=True, check=False, text=True)
        if done.returncode:
            raise NoBrokerError(f"{name}: {(done.stderr or done.stdout)[-500:]}")

    def _tail(self) -> str:
        return (self._folder / "broker.log").read_text(errors="replace")[-800:]


@contextlib.contextmanager
def broker(security: str = "", scram: str = "") -> Iterator[Broker]:
    """Make one and start it, end it. Raises NoBrokerError."""
    folder = Path(tempfile.mkdtemp(prefix="minewatch-kafka-"))
    try:
        made = Broker(folder, security, scram)
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _properties(folder: Path, port: int, controller_port: int, listener: str) -> str:
    return f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}{listener}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}{listener}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={folder}/data
num.partitions={PARTITIONS}
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=true
"""
