"""A running server of metrics, and certificates made on the spot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporters.kinds.prometheus import Config
from sensor.daemon.metrics_server import MetricsServer
from sensor.model.status import Status
from tests.exporters.statuses import busy

Serve = Callable[..., MetricsServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers on free loopback ports and stops them."""
    servers: list[MetricsServer] = []

    def start(source: Callable[[], Status] = busy, web_config: Path | None = None) -> MetricsServer:
        server = MetricsServer(
            Config(listen="127.0.0.1:0", web_config_file=None if web_config is None else str(web_config)), source
        )
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `one.crt`, `one.key`, `two.crt`, `two.key`: certificates for 127.0.0.1 that sign themselves."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("one", "two"):
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]
        names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        try:
            subprocess.run(
                [*command, *names, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
                check=True,
                capture_output=True,
            )
        except FileNotFoundError:
            pytest.skip("openssl is not installed")
    return folder
