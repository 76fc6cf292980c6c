"""A capture of a folder is remembered as read only when what it gave is in the ledger: with a ledger that is gone, or a
disk that is full, a stop loses nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.daemon.sensor import Sensor, running
from tests.daemon.test_live_daemon import fill as fill_disk
from tests.daemon.test_two_daemons import configured, counted, fill, read, truth, until_read
from tests.ledger.servers import postgresql

#: What a sensor needs to have looked at all captures while its ledger cannot be written.
LOOKS_S = 4.0


def marked_read(folder: Path) -> int:
    memory = folder / "read.json"
    return memory.read_text().count(".pcap") if memory.exists() else 0


def offer_and_stop(sensor: Sensor, folder: Path, demo: Path) -> None:
    """Captures come while the ledger cannot be written; then the sensor is stopped. None is remembered as read."""
    shutil.rmtree(folder / "captures")
    fill(folder, read(demo))
    time.sleep(LOOKS_S)
    assert sensor.process.poll() is None
    assert marked_read(folder) == 0
    sensor.end()


def control(url: str, *words: str) -> None:
    """pg_ctl for the server of a URL."""
    (data,) = parse_qs(urlsplit(url).query)["host"]
    program = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))[-1]
    become = ["runuser", "-u", "postgres", "--"] if Path(data).owner() == "postgres" else []
    subprocess.run([*become, program, "-D", f"{data}/data", *words], check=True, capture_output=True, cwd="/")


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """No server for a while."""
    control(url, "stop", "-m", "fast")
    try:
        yield
    finally:
        (folder,) = parse_qs(urlsplit(url).query)["host"]
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        control(url, "start", "-w", "-o", settings, "-l", f"{folder}/log")


def test_without_its_database_a_sensor_that_is_stopped_has_lost_nothing(demo: Path, tmp_path: Path) -> None:
    with postgresql() as url:
        folder = tmp_path / "edge"
        folder.mkdir()
        config = configured(folder, url, "edge")
        (folder / "captures").mkdir(exist_ok=True)
        with running(folder, config) as sensor:
            sensor.ready()
            with stopped(url):
                offer_and_stop(sensor, folder, demo)
        try:
            with running(folder, config) as sensor:
                until_read(folder, sensor.ready())
                assert sensor.end()[0] == 0
            assert counted(url) == truth(demo)
        finally:
            control(url, "stop", "-m", "fast")


def test_on_a_full_disk_a_sensor_that_is_stopped_has_lost_nothing(demo: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(small)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    folder, url = tmp_path / "edge", f"sqlite:///{small}/ledger.db"
    folder.mkdir()
    (folder / "captures").mkdir(exist_ok=True)
    try:
        config = configured(folder, url, "edge")
        with running(folder, config) as sensor:
            sensor.ready()
            fill_disk(small)
            offer_and_stop(sensor, folder, demo)
        (small / "ballast").unlink()
        with running(folder, config) as sensor:
            until_read(folder, sensor.ready())
            assert sensor.end()[0] == 0
        assert counted(url) == truth(demo)
    finally:
        subprocess.run(["umount", str(small)], check=False)
