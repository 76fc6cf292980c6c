"""The identity of a sensor: configured, or made once and kept; never made where it would be lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sensor.daemon import sensor_id as module
from sensor.daemon.sensor_id import SensorIdError, in_container, sensor_id, state_folder
from sensor.model.sensor import valid_sensor_id

NOWHERE: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _no_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTAINER_FILES", ())


def test_what_is_configured_counts(tmp_path: Path) -> None:
    assert sensor_id("edge-1", tmp_path, NOWHERE) == "edge-1"
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    assert sensor_id(None, tmp_path, NOWHERE, make=False) is None
    first = sensor_id(None, tmp_path, NOWHERE)
    assert first is not None
    assert valid_sensor_id(first)
    assert sensor_id(None, tmp_path, NOWHERE) == first
    assert [path.name for path in tmp_path.iterdir()] == ["sensor-id"]


def test_many_that_make_one_at_once_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: sensor_id(None, tmp_path, NOWHERE), range(32)))
    assert len(made) == 1


def test_in_a_container_it_must_be_configured(tmp_path: Path) -> None:
    with pytest.raises(SensorIdError, match="sensor_id: must be set in a container"):
        sensor_id(None, tmp_path, {"container": "podman"})
    assert sensor_id("edge-1", tmp_path, {"container": "podman"}) == "edge-1"


def test_a_unit_of_a_system_in_a_container_keeps_its_identity(tmp_path: Path) -> None:
    environment = {"container": "systemd-nspawn", "STATE_DIRECTORY": str(tmp_path)}
    assert sensor_id(None, tmp_path, environment) == sensor_id(None, tmp_path, environment)


@pytest.mark.parametrize(
    ("mount", "container"),
    [
        ("22 1 0:20 / / rw,relatime shared:1 - overlay overlay rw", True),
        ("22 1 254:0 / / rw,relatime - ext4 /dev/vda rw", False),  # a virtual machine made from an image
        ("31 22 0:30 / /data rw - overlay overlay rw", False),
        ("short line", False),
    ],
)
def test_a_marker_file_alone_makes_no_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount: str, container: bool
) -> None:
    (tmp_path / "marker").touch()
    (tmp_path / "mounts").write_text(mount + "\n")
    monkeypatch.setattr(module, "CONTAINER_FILES", (tmp_path / "marker",))
    monkeypatch.setattr(module, "MOUNTS", tmp_path / "mounts")
    assert in_container(NOWHERE) is container


def test_a_file_that_holds_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "sensor-id").write_text("two words\n")
    with pytest.raises(SensorIdError, match="sensor-id: holds no identity"):
        sensor_id(None, tmp_path, NOWHERE)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SensorIdError, match="cannot be written: no such file or directory; or set sensor_id"):
        sensor_id(None, tmp_path / "gone", NOWHERE)


def test_state_is_kept_where_systemd_says_or_beside_the_ledger() -> None:
    assert state_folder("sqlite:////srv/ledger.db", {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}) == Path("/var/lib/a")
    assert state_folder("sqlite:////srv/ledger.db", NOWHERE) == Path("/srv")
    assert state_folder("postgresql+psycopg://u@h/d", NOWHERE) == Path("/var/lib/minewatch")
    assert state_folder("nonsense", NOWHERE) == Path("/var/lib/minewatch")


@pytest.mark.parametrize("text", ["", "-a", "a b", "a/b", "x" * 65, "ü"])
def test_what_names_no_sensor(text: str) -> None:
    assert not valid_sensor_id(text)
