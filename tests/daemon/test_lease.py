"""Two daemons of one name on one ledger: the second is refused in a sentence, and follows at once when the first is
gone."""

from __future__ import annotations

import time
from pathlib import Path
from signal import SIGKILL

from sensor.ledger import Ledger
from sensor.ledger.lease import LEASE_NS, holder_of
from sensor.model.exit_codes import BUSY, CONFIG
from sensor.model.time import SECOND_NS
from tests.daemon.sensor import Sensor, reading, running


def beside(folder: Path, first: Path, **more: object) -> Sensor:
    """A second sensor that reads its own folder and writes the first one's ledger."""
    folder.mkdir()
    return Sensor(folder, reading(folder, **{"ledger": {"url": f"sqlite:///{first}/ledger.db"}, **more}))


def test_a_second_process_of_one_sensor_is_refused_in_a_sentence_and_disturbs_nothing(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    with running(first, reading(first)) as sensor:
        sensor.ready()
        before = cursors(first)
        second = beside(tmp_path / "second", first, exporters={"eve": {"name": "b", "path": "b"}})
        assert second.process.wait(20) == BUSY
        lines = second.said.splitlines()
        assert len(lines) == 1
        assert f"written by sensor sensor-of-a-test (process {sensor.process.pid}" in lines[0]
        assert "one process is a sensor at a time" in lines[0]
        assert cursors(first) == before
        assert sensor.process.poll() is None


def test_after_a_kill_the_next_start_follows_at_once(tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path)) as sensor:
        sensor.ready()
        sensor.signal(SIGKILL)
        sensor.process.wait()
    began = time.monotonic()
    with running(tmp_path, reading(tmp_path)) as sensor:
        sensor.ready()
        assert time.monotonic() - began < LEASE_NS / SECOND_NS  # it did not wait for that of the other to expire
        assert sensor.end()[0] == 0


def test_a_stop_gives_the_lease_up(tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path)) as sensor:
        assert sensor.ready().end()[0] == 0
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert holder_of(ledger.engine, "sensor-of-a-test") is None
    ledger.close()


def test_a_sensor_that_lost_its_lease_ends_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path)) as sensor:
        sensor.ready()
        ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
        with ledger.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE leases SET run_id = 'stolen', host = 'thief'")
        ledger.close()
        assert sensor.process.wait(20) == 1
        assert "the ledger's lease was lost: it is held by sensor sensor-of-a-test (process" in sensor.said
        assert "on thief)" in sensor.said


def test_in_a_container_without_an_identity_it_does_not_start(tmp_path: Path) -> None:
    config = reading(tmp_path)
    del config["sensor_id"]
    with running(tmp_path, config, container="podman") as sensor:
        assert sensor.process.wait(20) == CONFIG
        assert "sensor_id: must be set in a container" in sensor.said


def cursors(folder: Path) -> list[tuple[object, ...]]:
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    with ledger.engine.begin() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM cursors ORDER BY exporter")]
    ledger.close()
    return rows
